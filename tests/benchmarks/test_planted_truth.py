"""Each label is measured, and no run is repeated."""

import importlib
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
pytestmark = pytest.mark.one_backend(reason="no model is trained")


def report_of(name, own, log, seed):
    """The report of a run: the share of clicks, in place of an AUC."""
    labels = log.split("test").labels.reshape(-1, len(log.schema.labels))
    metrics = [{"auc": share, "log_loss": 0.5} for share in labels.mean(axis=0)]
    report = {**metrics[0], "seconds": 1.0}
    if len(metrics) > 1:
        report["labels"] = dict(zip(log.schema.labels, metrics, strict=True))
    return report


def test_each_run_has_a_line_for_each_label(monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    planted = importlib.import_module("planted_truth")
    monkeypatch.setattr(planted, "train", report_of)
    call = "planted_truth labels --rows 2000 --seeds 0 --networks"
    networks = [planted.ALONE, "esmm"]
    monkeypatch.setattr(
        sys, "argv", [*call.split(), *networks, "--output", str(tmp_path)]
    )
    planted.main()
    lines = planted.read(tmp_path / "labels.csv")
    assert [(line["network"], line["label"]) for line in lines] == [
        (network, label)
        for network in networks
        for label in ("click", "purchase")
    ]
    # A label that is trained on alone is the same label.
    aucs = [line["auc"] for line in lines]
    assert aucs[:2] == aucs[2:] and aucs[0] != aucs[1]
    assert float(lines[0]["bayes_auc"]) != float(lines[1]["bayes_auc"])
    table = (tmp_path / "labels.md").read_text()
    assert table.count("\n| click | ") == table.count("\n| purchase | ") == 2
    assert (tmp_path / "labels.png").stat().st_size > 5000
    monkeypatch.setattr(planted, "train", lambda *_: pytest.fail("repeated"))
    planted.main()
