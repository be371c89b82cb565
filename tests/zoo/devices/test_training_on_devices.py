"""Several devices and processes train what one trains, by the command line."""

import json
import os
import signal
import subprocess
import sys
import time

import h5py
import keras
import numpy as np
import pytest

import zoo
from tests.zoo.devices.processes import ends_of
from tests.zoo.devices.processes import finish
from tests.zoo.devices.processes import free_port
from tests.zoo.devices.processes import ranks
from zoo.datasets import synthetic

BACKEND = keras.backend.backend()
LARGE = pytest.mark.large
HAVE_PROCESSES = pytest.mark.skipif(
    BACKEND == "tensorflow",
    reason="`fit` of Keras 3 fails in a MultiWorkerMirroredStrategy",
)
STEPS = 20
# The clip is active on most rows.
OPTIONS = (
    "--batch-size", "80", "--epochs", "1", "--embedding-dim", "4",
    "--hidden-units", "8", "--embedding-learning-rate", "1e-2",
    "--clip-ratio", "1e-2",
)  # fmt: skip


@pytest.fixture(scope="module")
def encoded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    synthetic.write_raw_log(folder / "raw.txt", rows=2000, max_vocabulary=20)
    zoo.prepare(synthetic.SYNTHETIC, folder / "raw.txt", folder / "encoded")
    return folder / "encoded"


@pytest.fixture(scope="module")
def trained_by_one(encoded, tmp_path_factory):
    output = tmp_path_factory.mktemp("one") / "run"
    finish(start(encoded, output))
    return output


def start(data, output, *options, place=None):
    """Starts the command; `place` is the process' number, of how many, port."""
    command = [sys.executable, "-m", "zoo", "train", "--data", data]
    command += ["--output", output, *OPTIONS, *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "500"}
    if place is not None:
        process, processes, port = place
        if BACKEND == "jax":
            command += ["--coordinator", f"localhost:{port}"]
            command += ["--process", process, "--num-processes", processes]
        else:
            environment |= ranks(process, processes, port)
    return subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def start_all(processes, *arguments, of_last=None):
    """Starts processes of the same arguments, or the last one of others."""
    port = free_port()
    return [
        start(
            *(of_last if of_last and i == processes - 1 else arguments),
            place=(i, processes, port),
        )
        for i in range(processes)
    ]


def weights(output):
    found = {}

    def add(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = np.array(item)

    with h5py.File(output / "model.weights.h5") as file:
        file.visititems(add)
    return found


def report(output):
    return json.loads((output / "report.json").read_text())


def assert_equal_runs(output, expected):
    ours, theirs = weights(output), weights(expected)
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=0, atol=1e-5)
    ours, theirs = report(output), report(expected)
    assert theirs["clipped_curve"][-1] > 0.3
    for name in ("clipped_curve", "auc", "log_loss", "rows"):
        assert ours[name] == pytest.approx(theirs[name], abs=1e-4)
    for name, values in theirs["history"].items():
        assert ours["history"][name] == pytest.approx(values, abs=1e-4)


@pytest.mark.parametrize("count", [2, pytest.param(4, marks=LARGE)])
def test_devices_train_what_one_trains(
    count, encoded, trained_by_one, tmp_path
):
    finish(start(encoded, tmp_path / "run", "--devices", count))
    assert_equal_runs(tmp_path / "run", trained_by_one)
    assert not (tmp_path / "run.checkpoints").exists()


@pytest.mark.skipif(BACKEND != "jax", reason="JAX alone shares tables")
@pytest.mark.parametrize("count", [2, pytest.param(4, marks=LARGE)])
def test_devices_that_share_tables_train_what_one_trains(
    count, encoded, trained_by_one, tmp_path
):
    options = "--devices", count, "--shard-tables"
    finish(start(encoded, tmp_path / "run", *options))
    assert_equal_runs(tmp_path / "run", trained_by_one)


@HAVE_PROCESSES
@pytest.mark.parametrize(
    "count",
    [
        # With PyTorch each device of the test above is a process.
        pytest.param(2, marks=[LARGE] if BACKEND == "torch" else []),
        pytest.param(4, marks=LARGE),
    ],
)
def test_processes_train_what_one_trains(
    count, encoded, trained_by_one, tmp_path
):
    finish(*start_all(count, encoded, tmp_path / "run"))
    assert_equal_runs(tmp_path / "run", trained_by_one)


@LARGE
@HAVE_PROCESSES
def test_a_killed_process_ends_all_and_others_resume(
    encoded, trained_by_one, tmp_path
):
    output = tmp_path / "run"
    checkpoints = tmp_path / "run.checkpoints"
    options = encoded, output, "--checkpoint-steps", "1"
    started = start_all(3, *options, "--batch-size", "81")
    while not list(checkpoints.glob("step-*[0-9]")):
        time.sleep(0.01)
    started[2].send_signal(signal.SIGKILL)
    for status, said in ends_of(started)[:2]:
        assert status == 1
        assert "Another process of this run has ended" in said
        assert "--resume" in said
    assert not output.exists()
    # With another number of devices.
    finish(start(*options, "--batch-size", "81", "--resume"))
    assert report(output)["resumed_at"]
    finish(start(encoded, tmp_path / "whole", "--batch-size", "81"))
    assert_equal_runs(output, tmp_path / "whole")


# At a merge with PyTorch alone, which starts the quickest.
@pytest.mark.trained_often
@HAVE_PROCESSES
def test_a_process_that_cannot_begin_ends_all(encoded, tmp_path):
    output = tmp_path / "run"
    started = start_all(2, encoded, output, of_last=(tmp_path / "no", output))
    (first, said), (last, reason) = ends_of(started)
    assert first == last == 1
    assert "Process 1 of 2 could not go on: " in said
    assert str(tmp_path / "no") in reason
    assert not output.exists()
    assert not (tmp_path / "run.checkpoints").exists()


@LARGE
@HAVE_PROCESSES
def test_processes_that_differ_end(encoded, tmp_path):
    synthetic.write_raw_log(tmp_path / "raw.txt", 2000, 20, seed=1)
    other = tmp_path / "other"
    zoo.prepare(synthetic.SYNTHETIC, tmp_path / "raw.txt", other)
    output = tmp_path / "run"
    started = start_all(2, encoded, output, of_last=(other, output))
    for status, said in ends_of(started):
        assert status == 1
        assert "All processes must train the same" in said
    assert not output.exists()
