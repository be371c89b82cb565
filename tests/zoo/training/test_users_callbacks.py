"""Callbacks of a caller see what the zoo logs, and may end the run."""

import json

import keras
import numpy as np
import pytest

import zoo
from tests.zoo.training.interruption import InterruptStep
from zoo.datasets import synthetic
from zoo.devices import Devices
from zoo.training.agreement import AgreeOnStop

STEPS_PER_EPOCH = 6
SETTINGS = {
    "batch_size": 256, "epochs": 4, "embedding_dim": 2, "hidden_units": (4,),
    "verbose": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def log():
    log = synthetic.make_log(rows=2000, max_vocabulary=20)
    assert len(log.split("train")) // 256 == STEPS_PER_EPOCH
    return log


class Watch(keras.callbacks.Callback):
    """Notes what it is called with, and ends the run where it is told to."""

    def __init__(self, stop_after_epoch=None, stop_at_batch=None):
        super().__init__()
        self.stop_after_epoch = stop_after_epoch
        self.stop_at_batch = stop_at_batch
        self.epochs, self.batches, self.fits = {}, [], 0

    def on_train_begin(self, logs=None):
        self.fits += 1

    def on_train_batch_end(self, batch, logs=None):
        assert np.isfinite(logs["loss"])
        self.batches.append(batch)
        if self.stop_at_batch == len(self.batches):
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        logs["twice"] = 2 * logs["val_auc"]
        self.epochs[epoch] = dict(logs)
        if epoch == self.stop_after_epoch:
            self.model.stop_training = True


def test_they_find_in_logs_what_the_report_has(log, tmp_path):
    watch = Watch()
    report = zoo.train(log, tmp_path / "run", callbacks=[watch], **SETTINGS)
    assert {"loss", "val_auc", "val_log_loss", "clipped_share"} <= {
        *report["history"]
    }
    for name, values in report["history"].items():
        assert values == [watch.epochs[i][name] for i in range(4)], name
    assert report["history"]["twice"] == pytest.approx(
        [2 * auc for auc in report["history"]["val_auc"]]
    )
    assert watch.batches == [*range(STEPS_PER_EPOCH)] * 4
    assert watch.fits == 1
    assert "stopped_at" not in report


def test_a_run_that_one_ends_equals_a_shorter_run(log, tmp_path):
    stopped = zoo.train(
        log, tmp_path / "run", callbacks=(Watch(stop_after_epoch=1),),
        **{**SETTINGS, "warmup_epochs": 0},
    )  # fmt: skip
    whole = zoo.train(
        log, tmp_path / "whole", callbacks=[Watch()],
        **{**SETTINGS, "warmup_epochs": 0, "epochs": 2},
    )  # fmt: skip
    assert stopped["stopped_at"] == [2, 0]
    assert "stopped_at" not in whole
    for name in ("history", "auc", "log_loss", "clipped_curve"):
        assert stopped[name] == whole[name], name
    trained = 2 * STEPS_PER_EPOCH * 256
    assert stopped["samples_per_second"] * stopped["seconds"] == pytest.approx(
        trained
    )
    written = json.loads((tmp_path / "run" / "report.json").read_text())
    assert written == stopped
    assert not (tmp_path / "run.checkpoints").exists()


def test_a_run_may_end_within_an_epoch(log, tmp_path):
    watch = Watch(stop_at_batch=STEPS_PER_EPOCH + 2)
    report = zoo.train(log, tmp_path / "run", callbacks=[watch], **SETTINGS)
    assert report["stopped_at"] == [1, 2]
    assert len(report["history"]["val_auc"]) == len(watch.epochs) == 2
    trained = (STEPS_PER_EPOCH + 2) * 256
    assert report["samples_per_second"] * report["seconds"] == pytest.approx(
        trained
    )
    metrics = zoo.evaluate(tmp_path / "run", log)
    assert metrics["auc"] == pytest.approx(report["auc"], abs=1e-6)


@pytest.mark.trained_often
def test_a_run_that_ends_early_has_the_averages(log, tmp_path):
    """Keras takes them as `fit` ends, once more than the zoo does."""
    settings = {
        **SETTINGS, "average": "ema", "average_epochs": 5, "warmup_epochs": 0,
    }  # fmt: skip
    stopped = zoo.train(
        log, tmp_path / "run", callbacks=[Watch(stop_after_epoch=1)], **settings
    )
    whole = zoo.train(log, tmp_path / "whole", **{**settings, "epochs": 2})
    assert stopped["auc"] == whole["auc"]
    assert stopped["auc"] == pytest.approx(
        zoo.evaluate(tmp_path / "run", log)["auc"], abs=1e-6
    )


@pytest.mark.trained_often
def test_a_stopped_run_that_is_killed_stays_stopped(log, tmp_path, monkeypatch):
    def kill(run):
        raise KeyboardInterrupt

    stopping = {"callbacks": [Watch(stop_at_batch=8)], **SETTINGS}
    expected = zoo.train(log, tmp_path / "whole", **stopping)
    stopping = {"callbacks": [Watch(stop_at_batch=8)], **SETTINGS}
    with monkeypatch.context() as patch:
        patch.setattr("zoo.training.run.Run.report", kill)
        with pytest.raises(KeyboardInterrupt):
            zoo.train(log, tmp_path / "run", **stopping)
    watch = Watch()
    report = zoo.train(
        log, tmp_path / "run", resume=True, callbacks=[watch], **SETTINGS
    )
    assert not watch.batches
    for name in ("stopped_at", "history", "auc", "log_loss"):
        assert report[name] == expected[name], name


@pytest.mark.trained_often
def test_a_run_resumed_within_an_epoch_calls_fit_twice(log, tmp_path):
    settings = {**SETTINGS, "checkpoint_steps": 3}
    with pytest.raises(KeyboardInterrupt):
        stop = InterruptStep(STEPS_PER_EPOCH + 4)
        zoo.train(log, tmp_path / "run", callbacks=[stop], **settings)
    watch = Watch()
    zoo.train(log, tmp_path / "run", resume=True, callbacks=[watch], **settings)
    assert watch.fits == 2
    assert watch.batches == [*range(3), *range(6), *range(6)]
    assert list(watch.epochs) == [1, 2, 3]


@pytest.mark.parametrize(
    "wrong", [3, "x", [3], [keras.callbacks.Callback], {"a": 1}]
)
def test_what_is_no_callback_is_refused(log, tmp_path, wrong):
    with pytest.raises(ValueError, match="`callbacks` must be a list.*Receiv"):
        zoo.train(log, tmp_path / "run", callbacks=wrong, **SETTINGS)
    assert not list(tmp_path.iterdir())


class TwoProcesses(Devices):
    """This process and another one, which says what it is told to."""

    processes = 2

    def __init__(self, other):
        self.other = other

    def gather(self, value):
        return [value, self.other]


class Model:
    stop_training = False


@pytest.mark.parametrize("ours, theirs", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_several_processes_end_together_with_the_epoch(ours, theirs):
    agree = AgreeOnStop(TwoProcesses(bool(theirs)))
    model = Model()
    agree.set_model(model)
    model.stop_training = bool(ours)
    agree.on_train_batch_end(0)
    assert not model.stop_training
    agree.on_epoch_end(0)
    assert model.stop_training == bool(ours or theirs)
