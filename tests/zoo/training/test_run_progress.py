"""A run shows how far it is and the time left, with and without a terminal."""

import re

import pytest

import zoo
from tests.zoo.training.interruption import InterruptEpoch
from zoo.datasets import synthetic
from zoo.training import run_progress
from zoo.training.run_progress import RunProgress
from zoo.training.state import TrainingState

STEPS_PER_EPOCH = 6
SETTINGS = {
    "batch_size": 256, "epochs": 2, "embedding_dim": 2, "hidden_units": (4,),
}  # fmt: skip


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=2000, max_vocabulary=20)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Model:
    stop_training = False


@pytest.fixture
def run():
    """Makes steps of the seconds given, of 2 epochs of 10 steps."""
    state, clock = TrainingState(), Clock()
    progress = RunProgress(state, 2, 10, 1000, clock)
    progress.set_model(Model())
    progress.set_params({"verbose": 2, "epochs": 2, "steps": 10})
    progress.on_train_begin()
    progress.on_epoch_begin(0)

    def run(*seconds):
        for each in seconds:
            clock.now += each
            state.step += 1
            progress.on_train_batch_end(state.step - 1, {"loss": 0.5})

    run.end_epoch = lambda: progress.on_epoch_end(0, {"loss": 0.25})
    return run


def test_a_long_epoch_has_a_line_a_minute(run, capsys):
    run(500)  # Compiles.
    run(*[25] * 4)
    # Steps 2 to 4 took 75 seconds; 16 are left of 25 seconds each.
    assert capsys.readouterr().out.splitlines() == [
        "step 4 of 20, loss 0.5000, 40 rows/s, about 7 min left",
    ]
    run(100)
    # Steps 5 and 6 took 125 seconds; 14 are left, of 200 / 5 seconds each.
    assert capsys.readouterr().out.splitlines() == [
        "step 6 of 20, loss 0.5000, 16 rows/s, about 9 min left",
    ]


def test_a_short_epoch_has_one_line(run, capsys):
    run(500, *[2] * 9)
    run.end_epoch()
    (line,) = capsys.readouterr().out.splitlines()
    # Ten steps of two seconds.
    assert re.search(r"loss: 0.2500 - minutes_left: 0.3333$", line)


def test_training_without_a_terminal_prints_lines(log, tmp_path, capsys):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_progress, "SECONDS_BETWEEN_LINES", 1e-9)
        zoo.train(log, tmp_path / "run", verbose=2, **SETTINGS)
    out = capsys.readouterr().out
    lines = re.findall(
        r"^step (\d+) of 12, loss 0\.\d+, [\d,]+ rows/s, about \d+ s left$",
        out,
        re.MULTILINE,
    )
    assert lines == [str(i) for i in range(2, 13)]
    assert out.count("val_auc: ") == out.count("minutes_left: ") == 2


def test_the_bar_has_the_time_left(log, tmp_path, capsys):
    report = zoo.train(log, tmp_path / "run", verbose=1, **SETTINGS)
    out = capsys.readouterr().out
    assert "step 3 of" not in out
    assert re.search(r"minutes_left: \d\.\d+", out)
    assert re.search(r"minutes_left: 0\.0000e\+00 - val_auc", out)
    assert "minutes_left" not in report["history"]


def test_a_resumed_run_counts_all_steps(log, tmp_path, capsys):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_progress, "SECONDS_BETWEEN_LINES", 1e-9)
        with pytest.raises(KeyboardInterrupt):
            zoo.train(
                log, tmp_path / "run", callbacks=[InterruptEpoch(1)], verbose=0,
                **SETTINGS,
            )  # fmt: skip
        assert not capsys.readouterr().out
        zoo.train(log, tmp_path / "run", resume=True, verbose=2, **SETTINGS)
    steps = re.findall(r"^step (\d+) of 12", capsys.readouterr().out, re.M)
    assert steps == [str(i) for i in range(8, 13)]
