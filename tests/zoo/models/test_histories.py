"""Histories that are empty, padded, parallel, or none at all."""

import keras
import numpy as np
import pytest

import zoo
from keras_cowclip import CowClip
from tests.zoo.networks import EAGERLY
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import build
from tests.zoo.networks import clicks
from tests.zoo.networks import inputs
from tests.zoo.networks import set_weights
from zoo.registry import NETWORKS

# One that reads events as they are, one step by step, one that searches.
OFTEN = ("din", "dien", "sim")
READERS = [
    name if name in OFTEN else pytest.param(name, marks=pytest.mark.large)
    for name, cls in NETWORKS.items()
    if issubclass(cls, zoo.HistoryModel)
]
OTHERS = zoo.Sequence("site", max_length=6)


def schema_with(sequences):
    return zoo.FeatureSchema(
        SCHEMA.dense, SCHEMA.categorical, sequences=sequences
    )


def values(model, x):
    return np.concatenate([*keras.tree.flatten(model.predict(x, verbose=0))])


@pytest.mark.parametrize("name", READERS)
def test_rows_without_events(name):
    """One among others, and a batch of nothing else."""
    model = set_weights(build(name), deviation=0.3)
    x = inputs(model.schema)
    predicted = values(model, x)
    assert np.isfinite(predicted).all()
    nothing = {
        column: np.full_like(x[column], -1) for column in model.schema.sequences
    }
    alone = values(model, {**x, **nothing})
    assert np.isfinite(alone).all()
    # The first row has no event in either.
    np.testing.assert_allclose(alone[0], predicted[0], rtol=1e-5)
    assert not np.allclose(alone[1:], predicted[1:])
    model.compile(
        CowClip(),
        "binary_crossentropy",
        run_eagerly=EAGERLY,
    )
    before = sum(np.abs(w).sum() for w in model.get_weights())
    model.train_on_batch({**x, **nothing}, clicks(model, x))
    after = sum(np.abs(w).sum() for w in model.get_weights())
    assert np.isfinite(after)
    assert after != before


@pytest.mark.parametrize("name", READERS)
def test_padding_is_counted_nowhere(name):
    """Each table is looked up once, and counts the ids of the batch."""
    model = set_weights(build(name), deviation=0.3)
    model.compile(
        CowClip(),
        "binary_crossentropy",
        run_eagerly=EAGERLY,
    )
    x = inputs(model.schema)
    model.train_on_batch(x, clicks(model, x))
    [counts] = [
        keras.ops.convert_to_numpy(w.value)
        for w in model.weights
        if w.path.endswith("/embeddings/id_counts")
        or w.path == "embeddings/id_counts"
    ]
    expected = []
    for place, (field, size) in enumerate(model.schema.categorical.items()):
        ids = [x["ids"][:, place]]
        ids += [
            x[column].ravel()
            for column, sequence in model.schema.sequences.items()
            if sequence.field == field
        ]
        ids = np.concatenate(ids)
        expected.append(np.bincount(ids[ids >= 0], minlength=size))
    np.testing.assert_array_equal(counts, np.concatenate(expected))


@pytest.mark.parametrize("name", READERS)
def test_a_history_is_not_longer_than_the_schema_says(name):
    model = build(name)
    x = inputs(model.schema)
    x["sites"] = np.concatenate([x["sites"], x["sites"]], axis=1)
    with pytest.raises(ValueError, match=r"`sites` must have shape \(batch, 6"):
        model.predict(x, verbose=0)


@pytest.mark.one_backend(reason="what is asked is how a network is laid out")
def test_parallel_sequences_are_one_history():
    model = build("din")
    assert model.schema.histories == (("sites", "hours"),)
    assert model.sequences_of_histories() == ["sites", "hours"]
    kernel = model.get_layer("attention_1_hidden_1").kernel
    assert kernel.shape[0] == 4 * 2 * 4
    apart = build("din", histories=(("hours",), ("sites",)))
    kernels = [
        apart.get_layer(f"attention_{i}_hidden_1").kernel for i in (1, 2)
    ]
    assert [kernel.shape[0] for kernel in kernels] == [16, 16]


@pytest.mark.one_backend(reason="a check looks at no tensor")
@pytest.mark.parametrize(
    ("sequences", "arguments", "message"),
    [
        ({}, {}, "needs a history.*sequences={}"),
        ({"tags": zoo.Sequence(vocabulary_size=4)}, {}, "needs a history"),
        ({"a": OTHERS}, {"histories": (("b",),)}, "one of.*'a'.*Received"),
        ({"a": OTHERS}, {"histories": "a"}, "tuple of tuples.*'a'"),
        (
            {"a": OTHERS, "b": zoo.Sequence("site", max_length=5)},
            {"histories": (("a", "b"),)},
            "one `max_length`",
        ),
        (
            {"tags": zoo.Sequence(vocabulary_size=4)},
            {"histories": (("tags",),)},
            "which field 'tags' is compared with",
        ),
        ({"a": OTHERS}, {"targets": (("site", "hour"),)}, "`targets` must"),
        ({"a": OTHERS}, {"targets": (("price",),)}, "field.*price"),
    ],
)
def test_histories_that_are_none(sequences, arguments, message):
    with pytest.raises(ValueError, match=message):
        zoo.DIN(schema_with(sequences), **arguments)


@pytest.mark.one_backend(reason="a schema has no tensor")
def test_a_schema_knows_which_sequences_are_parallel():
    schema = schema_with(
        {
            "a": OTHERS,
            "b": OTHERS,
            "c": zoo.Sequence("hour", max_length=6, parallel_to="b"),
            "d": zoo.Sequence("device", max_length=6, parallel_to="c"),
        }
    )
    assert schema.histories == (("a",), ("b", "c", "d"))
    again = zoo.FeatureSchema.from_config(schema.get_config())
    assert again.histories == schema.histories
    for sequence, message in (
        (zoo.Sequence("hour", max_length=6, parallel_to="x"), "another seq"),
        (zoo.Sequence("hour", max_length=5, parallel_to="a"), "max_length=6"),
        (zoo.Sequence("hour", max_length=6, parallel_to="c"), "another seq"),
    ):
        with pytest.raises(ValueError, match=message):
            schema_with({"a": OTHERS, "c": sequence})
