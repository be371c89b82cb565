"""DIEN beyond its originals, whose numbers `test_golden.py` compares."""

import keras
import numpy as np
import pytest

import zoo
from keras_cowclip import CowClip
from tests.zoo.models.by_loops import float64_weights
from tests.zoo.networks import EAGERLY
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import SEQUENCES
from tests.zoo.networks import build
from tests.zoo.networks import clicks
from tests.zoo.networks import inputs
from tests.zoo.networks import predicted_and_kept
from tests.zoo.networks import set_weights
from zoo.models.dien import GRU_TYPES

NEGATIVES = {
    "no_sites": zoo.Sequence("site", max_length=6, parallel_to="sites"),
    "no_hours": zoo.Sequence("hour", max_length=6, parallel_to="sites"),
}
# The names of inputs are not those of their tensors where there are sequences.
pytestmark = pytest.mark.filterwarnings("ignore:When providing `inputs` as a")


def with_sequences(**sequences):
    config = {**SCHEMA.get_config()}
    config["sequences"] = [
        [name, each.get_config()] for name, each in sequences.items()
    ]
    return zoo.FeatureSchema.from_config(config)


def softplus(x):
    return np.log1p(np.exp(x))


@pytest.mark.trained_often
@pytest.mark.parametrize("gru_type", GRU_TYPES)
def test_it_does_not_matter_where_padding_is(gru_type):
    model = set_weights(build("dien", gru_type=gru_type, attention="mlp"))
    x = inputs(model.schema)
    behind = {
        name: np.stack([np.roll(row, (row >= 0).sum()) for row in x[name]])
        for name in SEQUENCES
    }
    assert (behind["sites"] != x["sites"]).any()
    before, after = (
        keras.ops.convert_to_numpy(model(rows, training=False))
        for rows in (x, {**x, **behind})
    )
    np.testing.assert_allclose(before, after, atol=1e-6)


@pytest.mark.parametrize("sampled", [False, True])
def test_auxiliary_loss_by_loops(sampled):
    schema = with_sequences(**SEQUENCES, **({} if sampled else NEGATIVES))
    negatives = None if sampled else (("no_sites", "no_hours"),)
    model = build(
        "dien",
        schema,
        auxiliary_weight=0.5,
        auxiliary_units=None,
        negatives=negatives,
    )
    set_weights(model)
    x = inputs(schema)
    _, kept = predicted_and_kept(model, x)
    weight = np.linspace(0, 1, 16).astype("float32")
    received = model.extra_loss(None, None, kept, weight)
    states = keras.Model(model.input, model.get_layer("interests_1").output)
    states = keras.ops.convert_to_numpy(states(x))
    table = float64_weights(model)["embeddings/embeddings"]

    def events(row, names):
        ids = [x[name][row] for name in names]
        return ids[0] >= 0, np.concatenate(
            [table[ids[0]], table[ids[1] + 7]], 1
        )

    losses, steps = 0.0, 0.0
    for row in range(16):
        mask, followed = events(row, SEQUENCES)
        others = events(row - 1, SEQUENCES)
        if not sampled:
            others = events(row, NEGATIVES)
        for place in range(5):
            here, then = mask[place], mask[place + 1]
            if here and then and others[0][place + 1]:
                state = states[row, place]
                loss = softplus(-state @ followed[place + 1])
                loss += softplus(state @ others[1][place + 1])
                losses += weight[row] * loss
                steps += weight[row]
    expected = 0.5 * losses / steps
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(received), expected, rtol=1e-4
    )


@pytest.mark.trained_often
def test_it_trains_on_negatives():
    schema = with_sequences(**SEQUENCES, **NEGATIVES)
    names = (("no_sites", "no_hours"),)
    model = build("dien", schema, auxiliary_weight=1.0, negatives=names)
    assert model.sequences_of_histories() == ["sites", "hours"]
    x = inputs(schema)
    model.compile(CowClip(), "binary_crossentropy", run_eagerly=EAGERLY)
    before = [np.array(w) for w in model.get_layer("auxiliary_1_score").weights]
    assert np.isfinite(model.train_on_batch(x, clicks(model, x)))
    after = model.get_layer("auxiliary_1_score").weights
    assert (np.array(after[0]) != before[0]).any()
    # They tell nothing about a click.
    moved = {**x, "no_sites": np.full_like(x["no_sites"], -1)}
    np.testing.assert_array_equal(
        model.predict(x, verbose=0), model.predict(moved, verbose=0)
    )


@pytest.mark.trained_often
def test_it_trains_with_an_auxiliary_loss_of_its_batch():
    model = build("dien", auxiliary_weight=1.0, reset_after=False)
    x = inputs(model.schema, rows=32)
    model.compile(CowClip(), "binary_crossentropy", jit_compile="auto")
    losses = model.fit(x, clicks(model, x), epochs=2, verbose=0).history["loss"]
    assert np.isfinite(losses).all()


@pytest.mark.one_backend(reason="a check looks at no tensor")
@pytest.mark.parametrize(
    "negatives, message",
    [
        ((("no_sites",),), "a sequence of the same vocabulary for each"),
        ((("sites", "no_hour"),), "negatives.*one of"),
    ],
)
def test_negatives_are_checked(negatives, message):
    schema = with_sequences(**SEQUENCES, **NEGATIVES)
    with pytest.raises(ValueError, match=message):
        build("dien", schema, negatives=negatives)
