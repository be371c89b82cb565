"""A model of the caller is trained by two devices as by one."""

import json

import pytest

from tests.zoo.devices.processes import finish
from tests.zoo.devices.processes import start_script

# Dropout would draw other numbers on each device.
SCRIPT = """
import sys
from functools import partial
from pathlib import Path

import zoo
from tests.zoo.own_networks import functional
from zoo.datasets import synthetic

count, folder = int(sys.argv[1]), Path(sys.argv[2])
log = synthetic.make_log(rows=1000, max_vocabulary=20)
zoo.train(
    log, folder / str(count), model=partial(functional, dropout=0.0),
    batch_size=80, epochs=2, clip_ratio=0.01, verbose=0,
    **({"devices": zoo.start_devices(2)} if count > 1 else {}),
)
"""


def run(count, folder):
    finish(*start_script(SCRIPT, count, folder, devices=count))
    return json.loads((folder / str(count) / "report.json").read_text())


@pytest.mark.large
def test_two_devices_train_it_as_one_does(tmp_path):
    one, two = run(1, tmp_path), run(2, tmp_path)
    assert two["history"]["loss"] == pytest.approx(
        one["history"]["loss"], abs=1e-4
    )
    assert two["history"]["clipped_share"][-1] > 0
    assert two["auc"] == pytest.approx(one["auc"], abs=1e-3)
