"""A run that is killed and resumed ends as if it had not been."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

import zoo
from tests.zoo.training.interruption import InterruptStep
from zoo.datasets import synthetic

BATCH_SIZE, EPOCHS, STEPS_PER_EPOCH = 256, 3, 32
OPTIONS = {
    "model": "dcn_v2",
    "batch_size": BATCH_SIZE,
    "epochs": EPOCHS,
    "embedding_dim": 4,
    "hidden_units": (16,),
    # Its seeds are state too.
    "dropout": 0.2,
    # The clip is active on most rows.
    "clip_ratio": 0.01,
    "embedding_learning_rate": 1e-3,
    "checkpoint_steps": 5,
    "verbose": 0,
}
SCRIPT = f"""
import sys, zoo
from zoo.datasets import synthetic
log = synthetic.make_log(rows=10_240, max_vocabulary=50)
zoo.train(log, sys.argv[1], resume=len(sys.argv) > 2, **{OPTIONS})
"""


@pytest.fixture(scope="module")
def log():
    log = synthetic.make_log(rows=10_240, max_vocabulary=50)
    assert len(log.split("train")) == BATCH_SIZE * STEPS_PER_EPOCH
    return log


@pytest.fixture(scope="module")
def whole(log, tmp_path_factory):
    """The run that nothing broke off."""
    output = tmp_path_factory.mktemp("whole") / "run"
    return output, zoo.train(log, output, **OPTIONS)


def break_off(monkeypatch, log, output, step, **options):
    fit = keras.Model.fit

    def stopping(model, *args, callbacks, **kwargs):
        callbacks = [*callbacks, InterruptStep(step)]
        return fit(model, *args, callbacks=callbacks, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "fit", stopping)
        with pytest.raises(KeyboardInterrupt):
            zoo.train(log, output, **{**OPTIONS, **options})


def checkpoints(output):
    return sorted(p.name for p in output.with_name("run.checkpoints").iterdir())


def assert_same_run(output, report, whole):
    expected_output, expected = whole
    weights = zoo.from_preset(output).get_weights()
    for ours, theirs in zip(
        weights, zoo.from_preset(expected_output).get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    measured = {"seconds", "samples_per_second", "resumed_at"}
    for name in expected.keys() - measured:
        assert report[name] == expected[name], name
    assert not output.with_name("run.checkpoints").exists()


@pytest.mark.large
def test_a_killed_run_resumes_to_the_same_bits(tmp_path, whole):
    output = tmp_path / "run"
    folder = output.with_name("run.checkpoints")
    moments = random.Random(os.getpid())
    kills = 0
    for number in (1, 9):
        command = [sys.executable, "-c", SCRIPT, output]
        process = subprocess.Popen(command + ["--resume"] * (kills > 0))
        while not any(
            path.name >= f"step-{5 * number:08d}"
            for path in folder.glob("step-*[0-9]")
        ):
            assert process.poll() is None, process.returncode
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        kills += 1
    subprocess.run([*command, "--resume"], check=True)
    report = json.loads((output / "report.json").read_text())
    assert len(report["resumed_at"]) == kills
    assert_same_run(output, report, whole)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run"]


@pytest.mark.trained_often
# At a checkpoint of the first epoch; between two; just behind an epoch.
@pytest.mark.parametrize(
    "step", [*(pytest.param(n, marks=pytest.mark.large) for n in (10, 66)), 47]
)
def test_resuming_at_any_step_gives_the_same_run(
    step, monkeypatch, log, tmp_path, whole
):
    output = tmp_path / "run"
    break_off(monkeypatch, log, output, step)
    # The callback that stops comes last: the step's checkpoint is there.
    last = step // 5 * 5
    assert checkpoints(output)[1:] == [
        f"step-{n:08d}" for n in (last - 5, last) if n
    ]
    report = zoo.train(log, output, resume=True, **OPTIONS)
    assert report["resumed_at"] == [list(divmod(last, STEPS_PER_EPOCH))]
    assert_same_run(output, report, whole)


# Tables step once in three batches: 30 and 45, where runs resume, end none or
# one such window, and an epoch of 32 ends within one.
@pytest.mark.trained_often
@pytest.mark.parametrize(
    "step", [pytest.param(31, marks=pytest.mark.large), 47]
)
def test_tables_within_their_step_and_averages_resume(
    step, monkeypatch, log, tmp_path
):
    settings = {
        "embedding_batch_size": 3 * BATCH_SIZE,
        "rule": "frequency",
        "average": "ema",
    }
    expected = zoo.train(log, tmp_path / "whole", **{**OPTIONS, **settings})
    output = tmp_path / "run"
    break_off(monkeypatch, log, output, step, **settings)
    report = zoo.train(log, output, resume=True, **{**OPTIONS, **settings})
    assert len(report["resumed_at"]) == 1
    assert_same_run(output, report, (tmp_path / "whole", expected))


@pytest.mark.trained_often
def test_by_default_every_epoch_ends_in_a_checkpoint(
    monkeypatch, log, tmp_path, whole
):
    output = tmp_path / "run"
    break_off(monkeypatch, log, output, 70, checkpoint_steps=None)
    assert checkpoints(output)[1:] == ["step-00000032", "step-00000064"]
    report = zoo.train(log, output, resume=True, **OPTIONS)
    assert report["resumed_at"] == [[2, 0]]
    assert_same_run(output, report, whole)


@pytest.mark.trained_often
def test_a_damaged_checkpoint_is_passed_over(monkeypatch, log, tmp_path, whole):
    output = tmp_path / "run"
    break_off(monkeypatch, log, output, 23)
    newest = tmp_path / "run.checkpoints" / "step-00000020"
    weights = newest / "training.weights.h5"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.warns(UserWarning, match="step-00000020 is damaged.*Received"):
        report = zoo.train(log, output, resume=True, **OPTIONS)
    assert report["resumed_at"] == [[0, 15]]
    assert_same_run(output, report, whole)


@pytest.mark.trained_often
def test_nothing_to_resume_begins(log, tmp_path, whole):
    output = tmp_path / "run"
    report = zoo.train(log, output, resume=True, **OPTIONS)
    assert report["resumed_at"] == []
    assert_same_run(output, report, whole)


@pytest.fixture(scope="module")
def broken_off(log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("broken_off")
    with pytest.MonkeyPatch.context() as monkeypatch:
        break_off(monkeypatch, log, folder / "run", 13)
    return folder


@pytest.fixture
def unfinished(broken_off, tmp_path):
    """The output of a run that was broken off, with its checkpoints."""
    return shutil.copytree(broken_off, tmp_path, dirs_exist_ok=True) / "run"


@pytest.mark.trained_often
def test_an_unfinished_run_is_not_overwritten(log, unfinished):
    before = checkpoints(unfinished)
    with pytest.raises(ValueError, match="did not finish.*resume=True"):
        zoo.train(log, unfinished, **OPTIONS)
    assert checkpoints(unfinished) == before


def test_another_run_is_not_resumed(log, unfinished):
    before = checkpoints(unfinished)
    for name, value in (("seed", 1), ("epochs", 4), ("model", "dcn")):
        with pytest.raises(ValueError, match=f"Received: {name}={value}, not"):
            zoo.train(log, unfinished, resume=True, **{**OPTIONS, name: value})
    assert checkpoints(unfinished) == before


def test_other_data_is_not_resumed(unfinished):
    other = synthetic.make_log(rows=10_240, max_vocabulary=50, seed=1)
    with pytest.raises(ValueError, match="Received: first_batch="):
        zoo.train(other, unfinished, resume=True, **OPTIONS)
