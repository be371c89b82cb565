"""Each network is trained once at each batch, and the best one is on top."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from zoo.datasets import synthetic

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
AUCS = {"deepfm": {"1K": 0.7, "64K": 0.75}, "lr": {"1K": 0.8, "64K": 0.6}}


@pytest.fixture
def networks(monkeypatch):
    """The benchmark, on a small log with users and without sequences."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    # Another benchmark is a `networks.py`, too.
    spec = importlib.util.spec_from_file_location(
        "network_results", BENCHMARKS / "networks.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    settings = {"epochs": 2, "embedding_dim": 2, "hidden_units": (4,)}
    log = synthetic.make_log(rows=90_000, max_vocabulary=20)
    monkeypatch.setattr(
        module, "LOGS", {"small": (lambda _: log, settings, "C9")}
    )
    return module


def call(networks, monkeypatch, options):
    monkeypatch.setattr(sys, "argv", ["networks.py", "small", *options.split()])
    networks.main()


@pytest.mark.one_backend(reason="`zoo.train` is tested with all of them")
def test_a_run_is_measured_at_its_best_epoch(networks, monkeypatch, capsys):
    call(
        networks,
        monkeypatch,
        "--train --networks fm --batches 64K --seeds 1 --embedding-l2 0",
    )
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["network"], line["batch"], line["seed"]) == ("fm", "64K", 1)
    assert (line["rule"], line["embedding_l2"]) == ("frequency", 0.0)
    assert 0 < line["auc"] < line["bayes_auc"] < 1
    assert 0 < line["gauc"] < 1
    assert line["best_epoch"] in (1, 2)
    assert line["parameters"] > 0 and line["peak_mib"] > 100


def test_each_run_is_made_once(networks, monkeypatch, tmp_path, capsys):
    made = []

    def child(script, backend, *options):
        log, _, _, network, _, batch, _, seed, _, l2 = options
        made.append((network, batch, seed, l2))
        auc = AUCS[network][batch] + 0.01 * int(seed)
        if (network, l2) == ("lr", "0.0"):
            auc += 0.02
        return {
            "log": log,
            "network": network,
            "batch": batch,
            "embedding_l2": l2,
            "seed": seed,
            "auc": auc,
            "validation_auc": auc,
            "log_loss": 0.5,
            "gauc": "",
            "bayes_auc": 0.9,
            "parameters": 1234,
            "samples_per_second": 5678,
            "peak_mib": 90,
            **{"backend": "torch", "hardware": "h", "versions": "v"},
        }

    monkeypatch.setattr(networks, "measure_in_child", child)
    options = f"--output {tmp_path} --networks lr din deepfm --seeds 0 1"
    call(networks, monkeypatch, options)
    assert len(made) == len(set(made)) == 8
    # A history is what the log lacks.
    assert "din is left out: " in capsys.readouterr().out
    table = (tmp_path / "small.md").read_text()
    assert table.index("| deepfm |") < table.index("| lr |")
    assert "| 0.7050 ± 0.0050 | 0.7550 ± 0.0050 | +0.0500 |" in table
    assert "0.9000" in table
    assert (tmp_path / "small.png").stat().st_size > 5000
    call(networks, monkeypatch, options)
    assert len(made) == 8
    call(networks, monkeypatch, f"{options} 2")
    assert len(made) == 12
    # Of two l2 the table has the better one, of each network its own.
    call(networks, monkeypatch, f"{options} --embedding-l2 0")
    assert len(made) == len(set(made)) == 20
    table = (tmp_path / "small.md").read_text()
    assert "| lr | 0.0 | 0.8250 ± 0.0050 | 0.6250 ± 0.0050 |" in table
    assert "| deepfm | 1e-05 |" in table


def test_a_run_that_fails_is_named_after_the_others(
    networks, monkeypatch, tmp_path
):
    def child(script, backend, *options):
        raise RuntimeError("diverged")

    monkeypatch.setattr(networks, "measure_in_child", child)
    with pytest.raises(SystemExit, match="'lr', '1K', 1e-05, 0.*diverged"):
        call(networks, monkeypatch, f"--output {tmp_path} --networks lr")
