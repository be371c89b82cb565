"""The event files of TensorBoard hold what the report of the run has."""

import struct
import sys

import pytest
from tensorboardX.proto.event_pb2 import Event

import zoo
from tests.wrong_values import NO_PATHS
from tests.wrong_values import NO_POSITIVE_INTEGERS
from tests.wrong_values import check_refused
from tests.zoo.training.interruption import InterruptStep
from zoo.datasets import synthetic

STEPS_PER_EPOCH = 6
SETTINGS = {
    "batch_size": 256, "epochs": 3, "embedding_dim": 2, "hidden_units": (4,),
    "warmup_epochs": 1.0, "verbose": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=2000, max_vocabulary=20)


def read_events(folder):
    """A dict of what each file has, by name and step, as TensorBoard reads."""
    found = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        content, place = path.read_bytes(), 0
        while place < len(content):
            # Its length, a checksum, the event, a checksum.
            (length,) = struct.unpack("<Q", content[place : place + 8])
            event = Event()
            event.ParseFromString(content[place + 12 : place + 12 + length])
            place += length + 16
            if event.session_log.status == event.session_log.START:
                found = {k: v for k, v in found.items() if k[1] < event.step}
            for value in event.summary.value:
                found[value.tag, event.step] = value.simple_value
    return found


def values_of(found, name):
    return {step: found[tag, step] for tag, step in found if tag == name}


def test_events_are_those_of_the_report(log, tmp_path):
    events = zoo.TensorBoardEvents(tmp_path / "events", update_freq=4)
    report = zoo.train(log, tmp_path / "run", callbacks=[events], **SETTINGS)
    found = read_events(tmp_path / "events")
    ends = [STEPS_PER_EPOCH * epoch for epoch in (1, 2, 3)]
    for name, values in report["history"].items():
        assert values_of(found, name) == pytest.approx(
            dict(zip(ends, values, strict=True))
        ), name
    settings = report["hyperparameters"]
    for name in ("learning_rate", "embedding_learning_rate"):
        assert values_of(found, name) == pytest.approx(
            dict.fromkeys(ends, settings[name])
        )
    assert [*values_of(found, "batch_loss")] == [4, 8, 12, 16]


@pytest.mark.trained_often
def test_a_resumed_run_replaces_what_came_after_its_checkpoint(log, tmp_path):
    def train(*others, **options):
        events = zoo.TensorBoardEvents(tmp_path / "events", update_freq=1)
        zoo.train(
            log, tmp_path / "run", callbacks=[events, *others],
            checkpoint_steps=4, **options, **SETTINGS,
        )  # fmt: skip

    with pytest.raises(KeyboardInterrupt):
        train(InterruptStep(11))
    train(resume=True)
    found = read_events(tmp_path / "events")
    assert [*values_of(found, "batch_loss")] == [*range(1, 19)]
    assert [*values_of(found, "val_auc")] == [6, 12, 18]


@pytest.mark.parametrize("value", NO_PATHS)
def test_other_folders_are_refused(value):
    check_refused("log_dir", value, zoo.TensorBoardEvents)


@pytest.mark.parametrize("value", NO_POSITIVE_INTEGERS)
def test_other_frequencies_are_refused(value, tmp_path):
    check_refused(
        "update_freq",
        value,
        lambda **wrong: zoo.TensorBoardEvents(tmp_path, **wrong),
    )


def test_without_the_package_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install .*\[tensorboard\]"):
        zoo.TensorBoardEvents(tmp_path / "events")
    assert not list(tmp_path.iterdir())
