"""Devices are found, and a process learns of the others, or says why not."""

import os
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest

import zoo
from zoo.data.click_batches import ClickBatches
from zoo.datasets import synthetic
from zoo.devices import Devices
from zoo.devices import start_devices
from zoo.devices.devices import padded_batches

BACKEND = keras.backend.backend()
ON_JAX = pytest.mark.skipif(
    BACKEND != "jax", reason="`torchrun` and `tf.distribute` join theirs"
)


@pytest.fixture(scope="module")
def split():
    return synthetic.make_log(rows=1000, max_vocabulary=20).split("train")


class OneOfTwo(Devices):
    """A process whose neighbour says what it is told to."""

    processes = count = 2

    def __init__(self, of_other):
        self.of_other = of_other

    def gather(self, value):
        return [value, self.of_other]


@pytest.mark.parametrize("carry", [False, True])
@pytest.mark.parametrize("count", [2, 3, 5])
def test_shares_of_a_batch_are_the_batch(split, count, carry):
    def batches(share):
        return ClickBatches(
            split, 60, shuffle=True, carry_remainder=carry, share=share
        )

    whole = batches((0, 1))
    shares = [batches((i, count)) for i in range(count)]
    for epoch in range(2):
        for step in range(len(whole)):
            expected = keras.tree.flatten(whole.batch(epoch, step))
            parts = [
                keras.tree.flatten(of_share.batch(epoch, step))
                for of_share in shares
            ]
            for arrays, array in zip(
                zip(*parts, strict=True), expected, strict=True
            ):
                np.testing.assert_array_equal(np.concatenate(arrays), array)


@pytest.mark.parametrize("share", [(2, 2), (-1, 2), (0, 0), (0.5, 2)])
def test_a_share_that_does_not_exist_is_refused(split, share):
    with pytest.raises(ValueError, match="Received: share"):
        ClickBatches(split, 60, share=share)


@pytest.mark.parametrize("processes", [1, 3])
def test_padded_batches_have_every_row_once(split, processes):
    parts = [
        list(padded_batches(split, 300, process, processes))
        for process in range(processes)
    ]
    ids = []
    for of_step in zip(*parts, strict=True):
        whole = np.concatenate([inputs["ids"] for inputs, _ in of_step])
        assert len(whole) == 300
        ids.append(whole[: of_step[0][1]])
    np.testing.assert_array_equal(np.concatenate(ids), split.inputs["ids"])


def test_a_batch_is_a_multiple_of_the_devices(split):
    with pytest.raises(ValueError, match="Received: 81 rows of each batch, 2"):
        OneOfTwo(None).check_batches(ClickBatches(split, 81))
    # The last batch begins the next epoch, so that this is the whole split.
    batches = ClickBatches(split.__class__(
        {name: rows[:55] for name, rows in split.inputs.items()},
        split.labels[:55],
    ), 80, carry_remainder=True)  # fmt: skip
    with pytest.raises(ValueError, match="Received: 55 rows of each batch, 2"):
        OneOfTwo(None).check_batches(batches)


def test_an_error_of_one_process_is_said_by_all():
    others = "Process 1 of 2 could not go on: no file"
    with (
        pytest.raises(ValueError, match=others),
        OneOfTwo("no file").failing_together(),
    ):
        pass
    with (
        pytest.raises(OSError, match="mine"),
        OneOfTwo("no file").failing_together(),
    ):
        raise OSError("mine")
    with OneOfTwo(None).failing_together():
        pass


def test_processes_that_differ_are_named():
    devices = OneOfTwo({"seed": 1, "rows": 5})
    devices.check_same({"seed": 1, "rows": 5})
    with pytest.raises(ValueError, match="Received: rows=4 and 5"):
        devices.check_same({"seed": 1, "rows": 4})
    with pytest.raises(ValueError, match="Received: more=2 and None"):
        devices.check_same({"seed": 1, "rows": 5, "more": 2})


@pytest.mark.parametrize("devices", [0, -1, 1.5, "2", True])
def test_a_wrong_number_of_devices_is_refused(devices):
    with pytest.raises(ValueError, match="Received: devices"):
        start_devices(devices)


def test_one_device_is_the_default():
    assert start_devices().count == 1
    assert zoo.start_devices(1).count == 1


# The backend of this process has begun to compute, or has one process.
def test_more_devices_than_can_be_made_are_refused():
    keras.ops.zeros(()) + 1
    with pytest.raises((ValueError, RuntimeError), match="Received: "):
        start_devices(3)


@ON_JAX
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"coordinator": "localhost:1"}, "process=None"),
        (
            {"coordinator": "localhost:1", "process": 2, "num_processes": 2},
            "less than `num_processes`",
        ),
        (
            {"coordinator": "localhost", "process": 0, "num_processes": 2},
            "HOST:PORT",
        ),
        (
            {"coordinator": "localhost:x", "process": 0, "num_processes": 2},
            "HOST:PORT",
        ),
    ],
)
def test_processes_must_be_told_where_to_meet(settings, words):
    with pytest.raises(ValueError, match=words):
        start_devices(**settings)


@pytest.mark.parametrize("place", [{"process": 0}, {"num_processes": 2}])
def test_a_place_among_processes_needs_a_coordinator(place):
    with pytest.raises(ValueError, match="without a `coordinator`. Received: "):
        start_devices(**place)


@ON_JAX
def test_a_port_in_use_is_named():
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"Received: port {port}"):
            start_devices(
                coordinator=f"localhost:{port}", process=0, num_processes=2
            )


@pytest.mark.skipif(BACKEND == "jax", reason="JAX has a coordinator")
def test_a_coordinator_is_for_jax():
    with pytest.raises(ValueError, match="`coordinator` is for JAX"):
        start_devices(coordinator="localhost:1", process=0, num_processes=2)


@pytest.mark.skipif(BACKEND == "jax", reason="JAX has shared tables")
def test_shared_tables_are_for_jax():
    with pytest.raises(ValueError, match="`shard_tables` is for JAX"):
        start_devices(shard_tables=True)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow reads it")
def test_several_processes_of_tensorflow_are_refused(monkeypatch):
    cluster = '{"cluster": {"worker": ["a:1", "b:1"]}}'
    monkeypatch.setenv("TF_CONFIG", cluster)
    with pytest.raises(NotImplementedError, match="Received: TF_CONFIG"):
        start_devices()


@pytest.mark.large
@ON_JAX
def test_a_process_that_does_not_come_is_not_waited_for():
    code = (
        "import zoo, zoo.devices.start as start; start.SECONDS_TO_JOIN = 3; "
        "zoo.start_devices(None, 'localhost:39541', 1, 2)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ,
        timeout=120,
    )
    assert done.returncode == 1
    assert "All of 2 processes must come to localhost:39541" in done.stderr
