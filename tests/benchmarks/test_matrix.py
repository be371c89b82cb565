"""The comparison matrix, at a size that takes seconds."""

import argparse
import csv
import importlib
import sys
from pathlib import Path

import keras
import pytest

# No merge changes what is published; a release may measure it anew.
pytestmark = pytest.mark.large
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def matrix():
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("matrix")
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def cells(matrix, tmp_path_factory):
    """Those of one network on this backend, with its own fp32 as reference."""
    backend = keras.backend.backend()
    folder = tmp_path_factory.mktemp("matrix")
    arguments = argparse.Namespace(
        networks=["dcn"],
        steps=3,
        batch_size=64,
        num_ids=2_000,
        windows=1,
        optimizers=["cowclip"],
        jit_compile=False,
        output=folder / "results",
    )
    reference = matrix.parity.run_child(backend, folder, 3, 256)
    lines = []

    def measured(*arguments, measure=matrix.speed.measure):
        lines.extend(measure(*arguments))
        return lines[-1:]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matrix.speed, "measure", measured)
        made = [
            cell
            for run in ((backend, "cpu", "fp32"), (backend, "cpu", "bf16"))
            for cell in matrix.measure(run, reference, folder, arguments)
        ]
    return made, arguments, lines


def test_a_run_equals_itself_and_differs_in_bf16(cells):
    fp32, bf16 = cells[0]
    assert float(fp32["predictions_difference"]) == 0
    assert float(fp32["tables_difference"]) == 0
    assert 1e-5 < float(bf16["predictions_difference"]) < 1e-1


def test_a_cell_has_speed_limits_and_memory(cells):
    for cell, line in zip(cells[0], cells[2], strict=True):
        step_seconds = float(cell["step_ms"]) / 1e3
        assert cell["samples_per_second"] == pytest.approx(
            64 / step_seconds, rel=0.02
        )
        # No bound of its own: limit and step are timed one by one, and a busy
        # machine makes it any number. The limits are rounded to .1 ms.
        limit_ms = float(line["matrices_ms"]) + float(line["tables_ms"])
        assert float(cell["share_of_limit"]) == pytest.approx(
            limit_ms / float(cell["step_ms"]),
            abs=0.11 / float(cell["step_ms"]) + 0.001,
        )
        assert float(cell["share_of_limit"]) > 0
        assert cell["peak_mib_of_process"] > 100


def test_a_device_that_is_not_there_is_told(matrix, cells, monkeypatch):
    monkeypatch.setattr(matrix, "gpu_name", lambda backend: "")
    (cell,) = matrix.measure(("jax", "gpu", "bf16"), {}, Path(), cells[1])
    assert cell["not_run"] == "jax finds no GPU"


def test_the_results_are_written(matrix, cells):
    made, arguments, _ = cells
    missing = {
        "network": "dcn",
        "backend": "torch",
        "device": "gpu",
        "precision": "fp32",
        "not_run": "torch finds no GPU",
    }
    matrix.write([*made, missing], arguments)
    with (arguments.output / "matrix.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["not_run"] for line in lines] == ["", "", missing["not_run"]]
    assert lines[0]["versions"].startswith("keras ")
    page = (arguments.output / "matrix.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert len({row.count("|") for row in rows}) == 1
    assert "| torch | gpu | fp32 | not run: torch finds no GPU |" in page
    assert (arguments.output / "matrix.png").stat().st_size > 10_000
