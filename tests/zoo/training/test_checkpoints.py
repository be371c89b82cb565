import dataclasses

import keras
import numpy as np
import pytest

from zoo.files.unfinished import undo_all
from zoo.training.checkpoints import Checkpoints
from zoo.training.random_state import read_random_state
from zoo.training.random_state import set_random_state
from zoo.training.state import TrainingState

RUN = {"seed": 0, "hidden_units": (4, 4)}
STATE = TrainingState(
    epoch=1,
    step=3,
    seconds=2.5,
    history={"loss": [0.5]},
    metrics=[0.25, 8.0],
    clipped_shares=[0.5],
    resumed_at=[[1, 0]],
)
X, Y = np.ones((8, 3), "float32"), np.ones((8, 1), "float32")


def make_model(seed):
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(2), layers.Dropout(0.5)]
    )
    model.add(layers.Dense(1, "sigmoid"))
    model.compile("adam", "binary_crossentropy")
    return model


@pytest.fixture
def three(tmp_path):
    """A folder with the checkpoints 1, 2 and 3 of one model."""
    model = make_model(0)
    with Checkpoints(tmp_path / "here", RUN, keep=3) as checkpoints:
        for step in (1, 2, 3):
            model.train_on_batch(X, Y)
            state = dataclasses.replace(
                STATE, step=step, random_state=read_random_state(model)
            )
            checkpoints.save(model, state, step)
    return tmp_path / "here", model


def restore(folder, run=RUN):
    model = make_model(1)
    with Checkpoints(folder, run) as checkpoints:
        return checkpoints.restore(model), model


def variables(model):
    both = (*model.weights, *model.optimizer.variables)
    return [variable.numpy().copy() for variable in both]


def test_all_state_comes_back(three):
    folder, model = three
    expected = variables(model)
    # The next steps need all of it, the random state of dropout too.
    model.train_on_batch(X, Y)
    model.train_on_batch(X, Y)
    expected += variables(model)
    state, model = restore(folder)
    assert dataclasses.replace(state, random_state={}) == STATE
    set_random_state(model, state.random_state)
    actual = variables(model)
    model.train_on_batch(X, Y)
    model.train_on_batch(X, Y)
    actual += variables(model)
    for ours, theirs in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def truncate(checkpoint):
    path = checkpoint / "training.weights.h5"
    path.write_bytes(path.read_bytes()[:-1000])


def flip_a_bit(checkpoint):
    path = checkpoint / "training.weights.h5"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def alter_state(checkpoint):
    path = checkpoint / "state.json"
    path.write_text(path.read_text().replace('"step": 3', '"step": 2'))


def remove_weights(checkpoint):
    (checkpoint / "training.weights.h5").unlink()


def empty_checksums(checkpoint):
    (checkpoint / "checksums.json").write_text("")


def other_checksums(checkpoint):
    (checkpoint / "checksums.json").write_text("[]")


DAMAGES = [
    truncate, flip_a_bit, alter_state, remove_weights, empty_checksums,
    other_checksums,
]  # fmt: skip


@pytest.mark.parametrize("steps", [[], [1]])
def test_a_process_that_ends_at_once_leaves_whole_ones_alone(tmp_path, steps):
    model = make_model(0)
    with Checkpoints(tmp_path / "here", RUN) as checkpoints:
        for step in steps:
            model.train_on_batch(X, Y)
            checkpoints.save(model, STATE, step)
        undo_all()
        assert len([*tmp_path.glob("here/step-*")]) == len(steps)
        assert (tmp_path / "here").exists() == bool(steps)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda f: f.__name__)
def test_a_damaged_one_is_passed_over(damage, three):
    folder, _ = three
    damage(folder / "step-00000003")
    with pytest.warns(UserWarning, match="step-00000003 is damaged.*Received"):
        state, _ = restore(folder)
    assert state.step == 2
    # Its name is free for when the run gets there again.
    assert not (folder / "step-00000003").exists()


def test_when_all_are_damaged_nothing_is_touched(three):
    folder, _ = three
    for checkpoint in folder.glob("step-*"):
        truncate(checkpoint)
    before = sorted(folder.rglob("*"))
    with (
        pytest.warns(UserWarning, match="is damaged"),
        pytest.raises(ValueError, match="must be whole.*3 damaged"),
    ):
        restore(folder)
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    "changed",
    [{"seed": 1}, {"hidden_units": [4]}, {"dropout": 0.1}],
    ids=str,
)
def test_another_run_is_refused(changed, three):
    [name] = changed
    with pytest.raises(ValueError, match=f"Received: {name}=.*, not"):
        restore(three[0], {**RUN, **changed})


def test_what_a_killed_process_was_writing_is_no_checkpoint(three):
    folder, _ = three
    (folder / "step-00000003").rename(folder / ".step-00000004.partial-0a1b2c")
    state, _ = restore(folder)
    assert state.step == 2
    assert not list(folder.glob("*.partial*"))


def test_a_full_disk_leaves_the_earlier_ones(three, monkeypatch):
    folder, model = three

    def full(path, *args, **kwargs):
        path.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model, "save_weights", full)
    before = sorted(p.name for p in folder.iterdir())
    with (
        pytest.raises(OSError, match="No space left"),
        Checkpoints(folder, RUN, keep=1) as checkpoints,
    ):
        checkpoints.save(model, STATE, 4)
    assert sorted(p.name for p in folder.iterdir()) == before


def test_the_last_ones_are_kept(three):
    folder, model = three
    with Checkpoints(folder, RUN, keep=2) as checkpoints:
        checkpoints.save(model, STATE, 10)
    assert sorted(p.name for p in folder.glob("step-*")) == [
        "step-00000003",
        "step-00000010",
    ]


def test_a_second_process_is_kept_out(three):
    with (
        Checkpoints(three[0], RUN),
        pytest.raises(ValueError, match="Another process.*Received: .*here"),
        Checkpoints(three[0], RUN),
    ):
        pass


def test_a_folder_without_a_checkpoint_is_not_left(tmp_path):
    with Checkpoints(tmp_path / "here", RUN) as checkpoints:
        assert checkpoints.restore(make_model(0)) is None
    assert not list(tmp_path.iterdir())
