"""All functions that write a whole output leave nothing of a failed one."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.datasets import synthetic
from zoo.files.csv_table import write_table
from zoo.files.unfinished import undo_all
from zoo.files.whole_folder import atomic_folder
from zoo.files.whole_output import new_output
from zoo.scaling.results import write_run
from zoo.serving.score_file import write_scores
from zoo.training.checkpoints import Checkpoints
from zoo.training.report import Report
from zoo.training.state import TrainingState

SCHEMA = zoo.FeatureSchema(["price"], {"site": 10})


def make_folder(output):
    with atomic_folder(output, marker="report", overwrite=True) as folder:
        (folder / "report").write_text("a report")


def make_file(output):
    with new_output(output) as path:
        path.write_text("a model")


def make_preset(output):
    zoo.DeepFM(SCHEMA, hidden_units=(2,)).save_to_preset(output)


def make_scores(output):
    with write_scores(output / "scores.csv") as write:
        write(np.zeros(3, "float32"))
        # Fails where the other outputs fail.
        Path(os.devnull).write_text("")


def make_results(output):
    write_table([{"auc": 0.5}], output / "results.csv")


def make_run(output):
    log = synthetic.make_log(rows=1000)
    write_run(output, Report.diverged(log, zoo.Recipe()))


def make_checkpoint(output):
    model = zoo.DeepFM(SCHEMA, hidden_units=(2,))
    with Checkpoints(output, {"seed": 0}) as checkpoints:
        step = 1 + len(checkpoints)
        checkpoints.save(model, TrainingState(step=step), step)


REPLACING = [
    make_folder, make_preset, make_scores, make_results, make_run,
    make_checkpoint,
]  # fmt: skip


@pytest.fixture(params=[OSError(28, "No space left"), KeyboardInterrupt()])
def failing(request, monkeypatch):
    """Makes the next text file stop halfway, and returns the error."""

    def write_half(path, *args, **kwargs):
        path.write_bytes(b"half of it")
        monkeypatch.undo()
        raise request.param

    def fail():
        monkeypatch.setattr(Path, "write_text", write_half)
        return type(request.param)

    return fail


def tree(folder):
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("make", [*REPLACING, make_file])
def test_a_failed_output_leaves_nothing(make, tmp_path, failing):
    with pytest.raises(failing()):
        make(tmp_path / "output")
    assert not tree(tmp_path)
    make(tmp_path / "output")
    assert not [path for path in tree(tmp_path) if "partial" in path.name]


@pytest.mark.parametrize("make", REPLACING)
def test_a_failed_output_leaves_the_earlier_one(make, tmp_path, failing):
    make(tmp_path / "output")
    before = tree(tmp_path)
    with pytest.raises(failing()):
        make(tmp_path / "output")
    assert tree(tmp_path) == before


def test_an_output_is_not_moved_while_it_is_undone(tmp_path, monkeypatch):
    target = tmp_path / "made" / "output"

    def remove(path, **options):
        # As the main thread may, where another one ends the process.
        with pytest.raises(FileNotFoundError):
            partial.rename(target)
        monkeypatch.undo()
        shutil.rmtree(path, **options)

    with pytest.raises(FileNotFoundError), atomic_folder(target) as partial:
        monkeypatch.setattr(shutil, "rmtree", remove)
        undo_all()
        assert not tree(tmp_path)
