"""The Criteo-sized run, as small as it can be."""

import csv
import subprocess
import sys
from pathlib import Path

import keras
import pytest

pytestmark = pytest.mark.large

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "criteo_epoch.py"
PARTS = ("lookup_ms", "network_ms", "update_ms")


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    path = tmp_path_factory.mktemp("criteo") / "results" / "epoch.csv"
    done = subprocess.run(
        [
            sys.executable, SCRIPT, "--rows", "8192", "--ids", "5000",
            "--batch-size", "1024", "--epochs", "3", "--embedding-dim", "4",
            "--output", path,
        ],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    with path.open() as file:
        [line] = csv.DictReader(file)
    return line


def test_it_trains(line):
    assert line["backend"] == keras.backend.backend()
    assert line["versions"].startswith("keras ")
    assert 0 < float(line["last_loss"]) < float(line["first_loss"]) < 1
    assert 4900 < int(line["ids"]) <= 5000


def test_times_add_up(line):
    # Shuffling and 8 steps; the rest is Python's.
    of_steps = float(line["input_ms"]) + float(line["step_ms"])
    assert 8 * of_steps <= 1e3 * float(line["seconds_per_epoch"]) * 1.2
    parts = sum(float(line[name]) for name in PARTS)
    assert parts == pytest.approx(float(line["step_ms"]), abs=0.01)
    assert float(line["lookup_ms"]) > 0
    limits_ms = float(line["matrices_ms"]) + float(line["tables_ms"])
    assert float(line["share_of_limits"]) == pytest.approx(
        limits_ms / float(line["step_ms"]), abs=0.002
    )
    assert float(line["peak_gib"]) > 0
