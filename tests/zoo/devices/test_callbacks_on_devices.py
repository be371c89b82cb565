"""A callback of the first process ends the run on all devices."""

import json

import keras
import pytest

import zoo
from tests.zoo.devices.processes import finish
from tests.zoo.devices.processes import start_script
from zoo.datasets import synthetic

SCRIPT = """
import sys
from pathlib import Path

import keras

import zoo
from zoo.datasets import synthetic

folder = Path(sys.argv[1])
devices = zoo.start_devices(2)


class Stop(keras.callbacks.Callback):
    steps = 0

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1
        self.model.stop_training = self.steps == 12

    def on_epoch_end(self, epoch, logs=None):
        with (folder / "epochs").open("a") as file:
            file.write(f"{epoch} {logs['loss']}\\n")


log = synthetic.make_log(rows=1000, max_vocabulary=20)
settings = dict(
    batch_size=80, embedding_dim=2, hidden_units=(4,), verbose=0,
    devices=devices,
)
zoo.train(log, folder / "run", epochs=4, callbacks=[Stop()], **settings)
zoo.train(
    log, folder / "best", epochs=9, patience=1, average="ema",
    average_epochs=0.1, learning_rate=0.1, embedding_learning_rate=0.1,
    warmup_epochs=0, **settings,
)
"""


def test_callbacks_and_patience_end_runs_on_all_devices(tmp_path):
    finish(*start_script(SCRIPT, tmp_path, devices=2))
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    # Ten steps an epoch. The processes of PyTorch, one a device, go to its end.
    on_torch = keras.backend.backend() == "torch"
    assert report["stopped_at"] == ([2, 0] if on_torch else [1, 2])
    # The first process alone calls it, with the means over all of them.
    assert (tmp_path / "epochs").read_text().splitlines() == [
        f"{epoch} {loss}"
        for epoch, loss in enumerate(report["history"]["loss"])
    ]
    # The best epoch's averages are in all of them.
    report = json.loads((tmp_path / "best" / "report.json").read_text())
    aucs = report["history"]["val_auc"]
    assert report["best_epoch"] == len(aucs) - 1 < 8
    log = synthetic.make_log(rows=1000, max_vocabulary=20)
    measured = zoo.evaluate(tmp_path / "best", log, split="validation")
    assert measured["auc"] == pytest.approx(max(aucs), abs=1e-6)
