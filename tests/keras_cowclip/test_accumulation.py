"""k micro-batches of b rows train what one batch of k * b rows trains."""

import keras
import numpy as np
import pytest

import keras_cowclip as kc

from . import networks

MODES = {
    "clip": {},
    "lazy": {"lazy": True},
    "off": {"clip_ratio": None},
    "frequency": {"clip_ratio": None, "frequency_scale": 8.0},
    "clipnorm": {"global_clipnorm": 0.1},
}
BATCH = 32


def one_and_many(k, wrap=lambda optimizer: optimizer, **mode):
    """Models after 20 updates: from whole batches, and from k parts of each."""
    models, optimizers = [], []
    for steps in (None, k):
        optimizer = kc.CowClip(
            gradient_accumulation_steps=steps, **{**networks.STRONG, **mode}
        )
        model = networks.compiled(wrap(optimizer))
        parts = steps or 1
        networks.fit(model, networks.STEPS * parts, BATCH // parts)
        models.append(model)
        optimizers.append(optimizer)
    return models, optimizers


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(mode, marks=pytest.mark.trained_often)
        if mode in ("clipnorm", "frequency")
        else mode
        for mode in MODES
    ],
)
@pytest.mark.parametrize("k", [2, pytest.param(4, marks=pytest.mark.large)])
def test_accumulated_batches_equal_one_large_batch(k, mode):
    (one, many), optimizers = one_and_many(k, **MODES[mode])
    networks.assert_same_weights(many, one)
    for slot in ("momentum", "velocity"):
        expected, got = (
            networks.optimizer_slots(optimizer, model, slot)
            for optimizer, model in zip(optimizers, (one, many), strict=True)
        )
        for name in expected:
            networks.assert_close(got[name], expected[name], name)
    assert optimizers[1].clipped_share == optimizers[0].clipped_share
    if mode in ("clip", "lazy"):
        assert optimizers[0].clipped_share > 0.5
    assert int(optimizers[1].iterations) == networks.STEPS


@pytest.mark.trained_often
def test_accumulation_under_a_loss_scale():
    (one, many), (first, second) = one_and_many(
        2, keras.optimizers.LossScaleOptimizer
    )
    networks.assert_same_weights(many, one)
    assert second.clipped_share == first.clipped_share > 0.5


# Gradients of the dense weights are rounded to 11 bits, each micro-batch's by
# itself; 20 steps end 1e-3 apart on every backend, without the sum 0.3.
FLOAT16_TOLERANCE = 5e-3


@pytest.mark.trained_often
def test_accumulation_in_mixed_float16():
    with networks.dtype_policy("mixed_float16"):
        (one, many), (first, second) = one_and_many(4)
    assert isinstance(many.optimizer, keras.optimizers.LossScaleOptimizer)
    expected = networks.weights_of(one)
    for name, weight in networks.weights_of(many).items():
        error = np.abs(weight - expected[name]).max()
        assert error < FLOAT16_TOLERANCE * np.abs(expected[name]).max(), name
    np.testing.assert_array_equal(
        networks.id_counts(many), networks.last_batch_counts(BATCH)
    )
    assert second.clipped_share == pytest.approx(first.clipped_share, abs=0.1)
    assert first.clipped_share > 0.5


def test_counts_grow_by_each_micro_batch_and_start_again():
    model = networks.compiled(
        kc.CowClip(gradient_accumulation_steps=3, **networks.STRONG)
    )
    expected = np.zeros(networks.VOCABULARY)
    for step, (inputs, labels) in enumerate(networks.batches(7)):
        if step % 3 == 0:
            expected[:] = 0
        expected += np.bincount(
            inputs["ids"].ravel(), minlength=networks.VOCABULARY
        )
        model.train_on_batch(inputs, labels)
        for table in ("table", "wide"):
            np.testing.assert_array_equal(
                networks.id_counts(model, table), expected
            )


def test_weights_rest_between_updates():
    model = networks.compiled(
        kc.CowClip(gradient_accumulation_steps=4, **networks.STRONG)
    )
    before = networks.weights_of(model)
    for step, batch in enumerate(networks.batches(4)):
        model.train_on_batch(*batch)
        for name, weight in networks.weights_of(model).items():
            assert np.array_equal(weight, before[name]) == (step < 3), name


@pytest.mark.trained_often
@pytest.mark.parametrize(
    "micro_batches",
    [*(pytest.param(n, marks=pytest.mark.large) for n in (1, 6)), 7, 8],
)
def test_a_file_saved_within_a_window_goes_on_as_if_never_saved(
    micro_batches, tmp_path
):
    optimizer = kc.CowClip(gradient_accumulation_steps=4, **networks.STRONG)
    model = networks.compiled(optimizer)
    networks.fit(model, micro_batches, batch_size=8)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for trained in (model, again):
        networks.fit(
            trained, 16 - micro_batches, batch_size=8, start=micro_batches
        )
    expected = networks.weights_of(model)
    for name, weight in networks.weights_of(again).items():
        np.testing.assert_array_equal(weight, expected[name], err_msg=name)
    np.testing.assert_array_equal(
        networks.id_counts(again), networks.id_counts(model)
    )
    assert again.optimizer.clipped_share == optimizer.clipped_share > 0.5
