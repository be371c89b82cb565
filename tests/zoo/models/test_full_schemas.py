"""Networks on logs with sequences and several labels, and own networks."""

import json

import keras
import numpy as np
import pytest

import zoo
from keras_cowclip import CowClip
from tests.zoo.networks import FIRST
from tests.zoo.networks import set_weights
from zoo.registry import NETWORKS

FULL = zoo.FeatureSchema(
    ["price", "age"],
    {"item": 7, "hour": 5},
    labels=("click", "purchase"),
    sequences={
        "history": zoo.Sequence("item", max_length=4),
        "tags": zoo.Sequence(vocabulary_size=6, max_length=3),
    },
    roles={"item": "item"},
)
PLAIN = zoo.FeatureSchema(["price", "age"], {"item": 7, "hour": 5})


def inputs(rows=32):
    random = np.random.default_rng(0)
    history = random.integers(0, 7, (rows, 4))
    history[: rows // 2, :2] = -1
    history[:3] = -1
    return {
        "dense": random.random((rows, 2)).astype("float32"),
        "ids": random.integers(0, [7, 5], (rows, 2)).astype("int32"),
        "history": history.astype("int32"),
        "tags": random.integers(-1, 6, (rows, 3)).astype("int32"),
    }


def labels(rows=32):
    random = np.random.default_rng(1)
    return {
        name: random.integers(0, 2, (rows, 1)).astype("float32")
        for name in FULL.labels
    }


def build(name, schema=FULL, **arguments):
    arguments = {"embedding_dim": 4, "hidden_units": (8,), **arguments}
    return set_weights(NETWORKS[name](schema, **arguments))


@pytest.mark.trained_often
@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("name", ["deepfm", "dcn_v2"])
def test_every_label_is_learned_and_predicted(name, lazy, tmp_path):
    model = build(name)
    model.compile(
        CowClip(1e-2, embedding_learning_rate=1e-2, lazy=lazy),
        "binary_crossentropy",
    )
    x, y = inputs(), labels()
    losses = model.fit(x, y, batch_size=16, epochs=5, verbose=0).history
    assert {*losses} == {"loss", "click_loss", "purchase_loss"}
    for each in losses.values():
        assert each[-1] < each[0]
    predicted = model.predict(x, verbose=0)
    assert {n: p.shape for n, p in predicted.items()} == {
        "click": (32, 1),
        "purchase": (32, 1),
    }
    assert not np.array_equal(predicted["click"], predicted["purchase"])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for label, values in again.predict(x, verbose=0).items():
        np.testing.assert_array_equal(values, predicted[label])


@pytest.mark.parametrize("name", FIRST)
def test_a_config_keeps_the_whole_schema(name):
    model = build(name, dense="embed", normalization="layer")
    config = json.loads(json.dumps(model.get_config()))
    again = type(model).from_config(config)
    assert again.schema == FULL
    assert again.get_config() == model.get_config()


def test_a_missing_label_is_no_loss():
    """A row whose label has no weight moves nothing."""

    def after(purchase):
        model = build("wide_deep")
        model.compile(CowClip(1e-2), "binary_crossentropy")
        y = {**labels(), "purchase": purchase}
        weights = {"click": np.ones(32), "purchase": np.zeros(32)}
        model.fit(inputs(), y, sample_weight=weights, verbose=0)
        return model.predict(inputs(), verbose=0)["purchase"]

    first = after(np.zeros((32, 1)))
    np.testing.assert_array_equal(first, after(np.ones((32, 1))))


def test_a_history_counts_its_events_and_not_its_padding():
    model = build("deepfm")
    optimizer = CowClip()
    model.compile(optimizer, "binary_crossentropy")
    x = inputs()
    model.fit(x, labels(), batch_size=32, verbose=0)
    counts = keras.ops.convert_to_numpy(model.get_layer("embeddings").id_counts)
    # Items, hours, tags: a field and a sequence have the items' rows.
    expected = np.concatenate(
        [
            np.bincount(x["ids"][:, 0], minlength=7)
            + np.bincount(x["history"][x["history"] >= 0], minlength=7),
            np.bincount(x["ids"][:, 1], minlength=5),
            np.bincount(x["tags"][x["tags"] >= 0], minlength=6),
        ]
    )
    np.testing.assert_array_equal(counts, expected)
    wide = model.get_layer("linear_embeddings").id_counts
    assert wide.shape == (7 + 5 + 7 + 6,)
    assert keras.ops.convert_to_numpy(wide).sum() == expected.sum()


def test_padding_in_front_changes_nothing():
    model = build("dcn")
    x = inputs()
    longer = zoo.FeatureSchema(
        FULL.dense,
        FULL.categorical,
        labels=FULL.labels,
        sequences={**FULL.sequences, "history": zoo.Sequence("item", None, 9)},
        roles=FULL.roles,
    )
    same = build("dcn", longer)
    for ours, theirs in zip(same.variables, model.variables, strict=True):
        ours.assign(keras.ops.convert_to_numpy(theirs))
    padded = {
        **x,
        "history": np.pad(x["history"], ((0, 0), (5, 0)), constant_values=-1),
    }
    for label, values in model.predict(x, verbose=0).items():
        np.testing.assert_allclose(
            same.predict(padded, verbose=0)[label], values, rtol=1e-5
        )


def test_a_model_with_sequences_grows():
    model = build("deepfm")
    sizes = {"item": 9, "hour": 5}
    tags = zoo.Sequence(vocabulary_size=8, max_length=3)
    schema = zoo.FeatureSchema(
        FULL.dense,
        sizes,
        labels=FULL.labels,
        sequences={**FULL.sequences, "tags": tags},
        roles=FULL.roles,
    )
    grown = zoo.grow(model, schema)
    before, after = (m.predict(inputs(), verbose=0) for m in (model, grown))
    for label in FULL.labels:
        np.testing.assert_array_equal(after[label], before[label])
    other = zoo.FeatureSchema(FULL.dense, sizes, labels=FULL.labels)
    with pytest.raises(ValueError, match="must have the sequences of the"):
        zoo.grow(model, other)


class Kept(zoo.CTRModel):
    """Its own argument, a second table, a stopped gradient, an extra loss."""

    def __init__(self, schema, *, weight=100.0, **shared):
        self.weight = weight
        super().__init__(schema, **shared)

    def logits(self, x):
        second = keras.layers.Flatten()(x.embeddings_of("second", dim=2))
        second = keras.ops.stop_gradient(second)
        deep = x.output(x.mlp(second, (3,), name="tower"))
        x.keep("deep", deep)
        return [x.linear(), deep]

    def extra_loss(self, y, probabilities, kept, sample_weight=None):
        loss = keras.losses.binary_crossentropy(
            y, keras.ops.sigmoid(kept["deep"])
        )
        return self.weight * keras.ops.mean(loss)


def fitted(weight):
    model = set_weights(Kept(PLAIN, weight=weight))
    model.compile(
        CowClip(1e-3), "binary_crossentropy", metrics=["binary_accuracy"]
    )
    x = {name: inputs()[name] for name in ("dense", "ids")}
    y = labels()["click"]
    loss = model.fit(x, y, verbose=0).history["loss"][0]
    return model, x, y, loss


# Keras speaks of the table behind the stopped gradient.
no_gradient = pytest.mark.filterwarnings("ignore:Gradients do not exist")


@no_gradient
def test_an_extra_loss_is_trained_on_and_not_predicted():
    model, x, y, loss = fitted(weight=100.0)
    _, _, _, without = fitted(weight=0.0)
    assert loss > 10 * without
    assert model.predict(x, verbose=0).shape == (32, 1)
    assert model(x).shape == (32, 1)
    # Evaluation is by the usual loss alone.
    assert model.evaluate(x, y, verbose=0)[0] < 2 * without
    assert model.get_config()["weight"] == 100.0
    second = model.get_layer("second")
    assert tuple(second.embeddings.shape) == (12, 2)
    again = Kept.from_config(json.loads(json.dumps(model.get_config())))
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]


@no_gradient
def test_a_stopped_gradient_leaves_the_table():
    model = set_weights(Kept(PLAIN))
    before = keras.ops.convert_to_numpy(model.get_layer("second").embeddings)
    model.compile(CowClip(1e-2, embedding_l2=0.0), "binary_crossentropy")
    x = {name: inputs()[name] for name in ("dense", "ids")}
    model.fit(x, labels()["click"], verbose=0)
    after = keras.ops.convert_to_numpy(model.get_layer("second").embeddings)
    np.testing.assert_array_equal(after, before)


def test_a_layer_may_go_without_a_name():
    class Unnamed(zoo.CTRModel):
        def logits(self, x):
            return keras.layers.Dense(1)(keras.layers.Dense(3)(x.flat))

    keras.backend.clear_session()
    assert Unnamed(PLAIN).output_shape == (None, 1)


def test_a_network_without_logits_says_so():
    with pytest.raises(NotImplementedError, match="`Empty` must define `log"):
        type("Empty", (zoo.CTRModel,), {})(PLAIN)


@pytest.mark.trained_often
@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
@pytest.mark.parametrize("activation", ["relu", "tanh", "dice", "prelu", None])
def test_hidden_layers_have_the_activation_asked_for(normalization, activation):
    model = build(
        "wide_deep", PLAIN, activation=activation, normalization=normalization
    )
    kinds = [type(layer).__name__ for layer in model.layers]
    assert ("Dice" in kinds) == (activation == "dice")
    assert ("UnitPReLU" in kinds) == (activation == "prelu")
    norms = {"batch": "BatchNormalization", "layer": "LayerNormalization"}
    assert {*kinds} & {*norms.values()} == (
        {norms[normalization]} if normalization else set()
    )
    x = {name: inputs()[name] for name in ("dense", "ids")}
    assert np.isfinite(model.predict(x, verbose=0)).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"dense": "field"}, "`dense` must be one of.*'embed'"),
        ({"activation": "rleu"}, "Did you mean 'relu'.*activation='rleu'"),
        ({"activation": 3}, "`activation` must be.*activation=3"),
        ({"normalization": "bach"}, "Did you mean 'batch'"),
    ],
)
def test_shared_arguments_out_of_range_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        build("wide_deep", PLAIN, **arguments)


class KeptUnderLabels(zoo.CTRModel):
    """Keeps a tensor and has labels that are called as its outputs are."""

    def logits(self, x):
        deep = x.mlp(units=(4,))
        x.keep("deep", deep)
        return x.output(deep)

    def extra_loss(self, y, probabilities, kept, sample_weight=None):
        assert {*y} == {*probabilities} == {*sample_weight} == {"kept", "click"}
        return keras.ops.mean(keras.ops.square(kept["deep"]))


@pytest.mark.trained_often
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_an_extra_loss_in_16_bits_beside_a_label_of_any_name(policy):
    schema = zoo.FeatureSchema(
        ["price", "age"], {"item": 7, "hour": 5}, labels=("kept", "click")
    )
    model = KeptUnderLabels(schema, dtype=policy)
    model.compile(CowClip(), "binary_crossentropy")
    x = {name: inputs()[name] for name in ("dense", "ids")}
    y = {"kept": labels()["click"], "click": labels()["purchase"]}
    weights = {name: np.ones(32, "float32") for name in y}
    loss = model.fit(x, y, sample_weight=weights, verbose=0).history["loss"]
    assert np.isfinite(loss).all()
    assert {*model.predict(x, verbose=0)} == {"kept", "click"}
    # As a layer of another model, it gives what it predicts.
    tensors = {
        name: keras.Input((width,), dtype=dtype, name=name)
        for name, (width, dtype) in schema.inputs().items()
    }
    assert {*model(tensors)} == {"kept", "click"}


def test_a_sequence_may_be_called_as_a_layer_is():
    names = ("linear", "embeddings", "logit", "click", "features", "hidden_1")
    schema = zoo.FeatureSchema(
        [],
        {"item": 7},
        sequences={name: zoo.Sequence("item", max_length=2) for name in names},
    )
    model = build("deepfm", schema)
    x = {
        name: np.zeros((3, width), dtype)
        for name, (width, dtype) in schema.inputs().items()
    }
    assert model.predict(x, verbose=0).shape == (3, 1)


@pytest.mark.trained_often
@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`")
def test_a_quantized_network_reads_histories():
    model = build("wide_deep")
    before = model.predict(inputs(), verbose=0)["click"]
    model.quantize("int8")
    after = model.predict(inputs(), verbose=0)["click"]
    np.testing.assert_allclose(after, before, atol=0.05)


def network(logits, **arguments):
    """Returns a class that has these `logits`."""
    return type("Own", (zoo.CTRModel,), {"logits": logits, **arguments})


def test_fields_and_embeddings_share_the_numeric_vectors():
    own = network(
        lambda self, x: [
            x.output(keras.layers.Flatten()(x.fields), name="first"),
            x.output(x.mlp(units=(3,))),
        ]
    )
    names = [layer.name for layer in own(PLAIN, dense="embed").layers]
    assert names.count("numeric_embeddings") == 1


@pytest.mark.parametrize(
    "logits, message",
    [
        (lambda self, x: x.mlp(units=(5,)), r"Received: shape \(None, 5\)"),
        (lambda self, x: x.embeddings, r"Received: shape \(None, 2, 10\)"),
        (lambda self, x: {"buy": x.linear()}, r"Received: \['buy'\]"),
        (lambda self, x: x.output(x.field("no")), "`field` must be one of"),
        (lambda self, x: x.sequence("no"), "`sequence` must be one of"),
        (
            lambda self, x: [x.fields_of("t", 4), x.embeddings_of("t", 8)],
            "the table 't', 4. Received: dim=8",
        ),
    ],
)
def test_logits_that_cannot_be_are_refused(logits, message):
    with pytest.raises(ValueError, match=message):
        network(logits)(PLAIN)


def test_arguments_of_ones_own_have_names_of_their_own():
    def init(self, schema, *, optimizer=None, **shared):
        zoo.CTRModel.__init__(self, schema, **shared)

    with pytest.raises(ValueError, match="`Own` must.*Received: optimizer"):
        network(None, __init__=init)

    def forgets(self, schema, *, units=3, **shared):
        zoo.CTRModel.__init__(self, schema, **shared)

    with pytest.raises(ValueError, match="must keep its argument `units`"):
        network(None, __init__=forgets)(PLAIN)
    with pytest.raises(ValueError, match="of `WideDeep` must be among"):
        zoo.WideDeep(PLAIN, unit=3)


def test_dropout_may_differ_by_layer():
    model = zoo.WideDeep(PLAIN, hidden_units=(4, 3), dropout=(0.5, 0.0))
    assert model.get_config()["dropout"] == [0.5, 0.0]
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Dropout") == 1
    with pytest.raises(ValueError, match="one for each of the 2 hidden layers"):
        zoo.WideDeep(PLAIN, hidden_units=(4, 3), dropout=(0.5,))
