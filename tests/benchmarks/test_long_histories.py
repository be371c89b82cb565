"""The cost of long histories, at sizes that take seconds."""

import csv
import importlib
import sys
from pathlib import Path

import keras
import pytest

from zoo.registry import NAMES

SPEED = Path(__file__).parents[2] / "benchmarks" / "speed"


@pytest.fixture
def long_histories(monkeypatch):
    monkeypatch.syspath_prepend(str(SPEED))
    return importlib.import_module("long_histories")


def line(network, length, step_ms):
    return {
        "backend": "jax",
        "network": network,
        "length": str(length),
        "batch_size": "1024",
        "embedding_dim": "16",
        "step_ms": step_ms,
        "mib_of_training": "900",
        "date": "2026-11-30",
        "hardware": "2 cores",
        "versions": "keras 3",
    }


def test_a_row_has_each_length(long_histories, tmp_path):
    lines = [
        line("din", 200, "20.0"),
        line("din", 50, "10.0"),
        line("twin", 200, "5.0"),
    ]
    table = long_histories.markdown(lines)
    assert "| jax | din | 10.0 ms, 900 MiB | 20.0 ms, 900 MiB |" in table
    assert "| jax | twin |  | 5.0 ms, 900 MiB |" in table
    assert "2 cores; keras 3" in table
    long_histories.draw(lines, tmp_path / "long_histories.png")
    assert (tmp_path / "long_histories.png").stat().st_size > 5000


def test_networks_are_of_the_zoo(long_histories):
    assert set(long_histories.NETWORKS) <= set(NAMES)


@pytest.mark.large
def test_points_are_measured_and_written_again(
    long_histories, monkeypatch, tmp_path
):
    arguments = [
        "long_histories.py",
        *("--backends", keras.backend.backend(), "--networks", "twin"),
        *("--batch-size", "32", "--items", "50", "--categories", "5"),
        *("--windows", "1", "--window-seconds", "0.1"),
        *("--output", str(tmp_path), "--lengths"),
    ]
    monkeypatch.setattr(sys, "argv", [*arguments, "5", "8"])
    long_histories.main()
    # The first alone; the other point stays.
    monkeypatch.setattr(sys, "argv", [*arguments, "5"])
    long_histories.main()
    with (tmp_path / "long_histories.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["length"] for line in lines] == ["5", "8"]
    assert all(float(line["step_ms"]) > 0 for line in lines)
    assert (tmp_path / "long_histories.md").exists()
    assert (tmp_path / "long_histories.png").stat().st_size > 5000
