"""The constant clips, in training: against the same rules written in NumPy."""

import keras
import numpy as np
import pytest

import keras_cowclip
import zoo
from zoo.training.clip_choice import check_clip_variant
from zoo.training.clip_variant import ClipVariant

SCHEMA = zoo.FeatureSchema(["price"], {"site": 5, "hour": 4})
VARIANTS = ("column", "field", "global")


def make_data():
    random = np.random.default_rng(0)
    inputs = {
        "dense": random.random((64, 1)).astype("float32"),
        "ids": np.stack(
            [random.integers(0, 4, 64), random.integers(0, 3, 64)], axis=1
        ).astype("int32"),
    }
    return inputs, random.integers(0, 2, (64, 1)).astype("float32")


def make_model(optimizer):
    keras.utils.set_random_seed(0)
    model = zoo.WideDeep(
        SCHEMA, embedding_dim=3, hidden_units=(4,), embedding_deviation=0.3
    )
    model.compile(optimizer=optimizer, loss="binary_crossentropy")
    return model


def first_gradient(inputs, labels):
    """What SGD with a rate of 1 takes off the table, before any clip."""
    model = make_model(keras.optimizers.SGD(1.0))
    table = model.get_layer("embeddings").embeddings
    before = np.array(table)
    model.train_on_batch(inputs, labels)
    return before, before - np.array(table)


def clipped(variant, gradient, ids):
    """The rules of the paper's ablation, with a threshold that clips.

    Half of the rows present, one of the two fields, or all.
    """
    norms = np.linalg.norm(gradient, axis=1)
    if variant == "column":
        counts = np.bincount((ids + np.array([0, 5])).ravel(), minlength=9)
        threshold = np.median((norms / np.maximum(counts, 1))[counts > 0])
        limits = np.maximum(counts, 1) * threshold
    elif variant == "field":
        fields = np.linalg.norm(norms[:5]), np.linalg.norm(norms[5:])
        limits = threshold = np.mean(fields)
        norms = np.repeat(fields, [5, 4])
    else:
        limits = threshold = np.linalg.norm(norms) / 2
        norms = np.full(9, np.linalg.norm(norms))
    factors = np.minimum(1, limits / np.maximum(norms, 1e-30))
    return gradient * factors[:, None], float(threshold)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_first_step_is_adam_on_the_clipped_gradient(
    variant, lazy, monkeypatch
):
    if keras.backend.backend() == "jax":
        # Chunks of some rows would have other norms than the whole table.
        monkeypatch.setattr("keras_cowclip.backend.jax.FEWEST_CHUNKED_ROWS", 1)
    inputs, labels = make_data()
    table, gradient = first_gradient(inputs, labels)
    expected, threshold = clipped(variant, gradient, inputs["ids"])
    assert not np.allclose(expected, gradient, rtol=1e-3)
    optimizer = ClipVariant(
        variant,
        threshold,
        field_sizes=[5, 4],
        embedding_learning_rate=1.0,
        embedding_l2=0.0,
        # With Adam's own a step would hardly depend on the gradient's length.
        beta_2=0.0,
        epsilon=1.0,
        lazy=lazy,
    )
    model = make_model(optimizer)
    model.train_on_batch(inputs, labels)
    step = table - np.array(model.get_layer("embeddings").embeddings)
    np.testing.assert_allclose(
        step, expected / (np.abs(expected) + 1), rtol=0, atol=1e-6
    )
    assert 0 < optimizer.clipped_share <= 1


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_is_saved_and_trains_on(variant, tmp_path):
    optimizer = ClipVariant(
        variant, 1e-3, field_sizes=[5, 4], learning_rate=1e-2
    )
    model = make_model(optimizer)
    inputs, labels = make_data()
    model.fit(inputs, labels, batch_size=16, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.optimizer.get_config() == optimizer.get_config()
    for trained in (model, again):
        trained.fit(inputs, labels, batch_size=16, shuffle=False, verbose=0)
    for ours, theirs in zip(
        again.get_weights(), model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_without_a_limit_it_is_cowclip_without_a_clip():
    inputs, labels = make_data()
    trained = []
    for optimizer in (
        ClipVariant("global", 1e9, learning_rate=1e-2),
        keras_cowclip.CowClip(learning_rate=1e-2, clip_ratio=None),
    ):
        model = make_model(optimizer)
        model.fit(inputs, labels, batch_size=16, shuffle=False, verbose=0)
        trained.append(model.get_weights())
    for ours, theirs in zip(*trained, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    "variant, threshold, message",
    [
        ("row", 1.0, "must be one of.*Received: clip_variant='row'"),
        ("global", None, "must be a number.*Received: clip_threshold=None"),
        ("field", -1.0, "not negative. Received: clip_threshold=-1.0"),
        ("adaptive_column", 1.0, "clip_ratio.*Received: clip_threshold=1.0"),
    ],
)
def test_what_does_not_belong_together_is_refused(variant, threshold, message):
    with pytest.raises(ValueError, match=message):
        check_clip_variant(variant, threshold)


def test_the_adaptive_clip_is_cowclip_itself():
    with pytest.raises(ValueError, match="`CowClip` itself"):
        ClipVariant("adaptive_column", None)


def test_fields_need_their_sizes():
    with pytest.raises(ValueError, match="Received: field_sizes=None"):
        ClipVariant("field", 1.0)
