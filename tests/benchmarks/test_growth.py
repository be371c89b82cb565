"""The growth of time and memory, at sizes that take seconds."""

import csv
import importlib
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

SPEED = Path(__file__).parents[2] / "benchmarks" / "speed"


@pytest.fixture
def growth(monkeypatch):
    monkeypatch.syspath_prepend(str(SPEED))
    module = importlib.import_module("growth")
    monkeypatch.setattr(
        module, "MIDDLE", {"rows": 2000, "ids": 400, "fields": 4, "dim": 4}
    )
    monkeypatch.setattr(module, "BATCH_SIZE", 512)
    return module


def test_points_leave_the_middle_along_one_axis(growth):
    made = growth.points(["rows", "dim"])
    assert made[0] == growth.MIDDLE
    assert [point["rows"] for point in made[1:5]] == [500, 1000, 4000, 8000]
    assert [point["dim"] for point in made[5:]] == [1, 2, 8, 16]
    assert all(
        sum(point[axis] != growth.MIDDLE[axis] for axis in point) == 1
        for point in made[1:]
    )


@pytest.mark.large
def test_points_are_measured_written_again_and_drawn(
    growth, monkeypatch, tmp_path
):
    monkeypatch.setattr(growth, "FACTORS", (1, 2))
    arguments = [
        "growth.py",
        *("--backends", keras.backend.backend()),
        *("--axes", "ids", "--output", str(tmp_path)),
    ]
    monkeypatch.setattr(sys, "argv", arguments)
    growth.main()
    # The middle alone; the other point stays.
    monkeypatch.setattr(growth, "FACTORS", (1,))
    growth.main()
    with (tmp_path / "growth.csv").open() as file:
        lines = sorted(csv.DictReader(file), key=lambda line: line["ids"])
    middle, larger = lines
    assert (middle["ids"], larger["ids"]) == ("400", "800")
    assert float(larger["tables_mib"]) >= float(middle["tables_mib"])
    assert float(middle["seconds_per_epoch"]) > 0
    assert float(middle["mib_of_training"]) > 0
    assert (tmp_path / "growth.png").stat().st_size > 10_000


@pytest.mark.large
def test_the_profile_of_a_training_adds_up(tmp_path):
    path = tmp_path / "profile.csv"
    subprocess.run(
        [
            sys.executable, SPEED / "train_profile.py", "--rows", "20000",
            "--max-vocabulary", "100", "--batch-size", "1024",
            "--epochs", "2", "--output", path,
        ],
        env=os.environ,
        check=True,
        capture_output=True,
    )  # fmt: skip
    with path.open() as file:
        [line] = csv.DictReader(file)
    assert line["backend"] == keras.backend.backend()
    for part in ("import", "build", "steps", "validation", "evaluation"):
        assert float(line[part]) > 0, part
    assert float(line["all else"]) >= -0.01
    assert 0 < float(line["training_share"]) < 1
