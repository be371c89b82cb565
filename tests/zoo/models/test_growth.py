import keras
import numpy as np
import pytest

import zoo
from keras_cowclip import CowClip
from tests.zoo import networks
from tests.zoo.networks import FIRST
from zoo.models import grow
from zoo.models.ctr_model import CTRModel

TABLES = ("embeddings", "linear_embeddings")


def schema(site=7, hour=5, device=3):
    return zoo.FeatureSchema(
        dense=["price", "age"],
        categorical={"site": site, "hour": hour, "device": device},
    )


OLD = schema()
NEW = schema(site=207, hour=5, device=103)


def build(network, columns=OLD, **kwargs):
    """A model with all weights away from their initial values."""
    return networks.set_weights(networks.build(network, columns, **kwargs))


def inputs(columns=OLD):
    return networks.inputs(columns, rows=64)


def predict(model, x):
    return model.predict(x, verbose=0)


def table(model, name):
    variable = model.get_layer(name).embeddings
    return keras.ops.convert_to_numpy(variable.value)


def fields(rows, columns):
    """A table's rows field by field."""
    return np.split(rows, np.cumsum(columns.vocabulary_sizes)[:-1])


def compile_for_cowclip(model):
    model.compile(
        CowClip(learning_rate=1e-2, embedding_learning_rate=1e-2),
        "binary_crossentropy",
        metrics=["AUC"],
    )
    return model


@pytest.mark.parametrize(
    "name, columns",
    [
        *((name, NEW) for name in FIRST),
        ("deepfm", schema(site=8)),
        ("deepfm", schema(hour=50)),
        ("deepfm", schema(device=4)),
        ("deepfm", schema(site=8, hour=6, device=4)),
        ("deepfm", schema()),
    ],
    ids=[*FIRST, "first", "middle", "last", "all", "none"],
)
def test_old_ids_keep_their_rows_and_predictions(name, columns):
    model, x = build(name), inputs()
    before = predict(model, x)
    grown = grow(model, columns)
    assert type(grown) is type(model)
    assert grown.schema == columns
    np.testing.assert_array_equal(predict(grown, x), before)
    for each in TABLES:
        old_fields = fields(table(model, each), OLD)
        new_fields = fields(table(grown, each), columns)
        for old, new in zip(old_fields, new_fields, strict=True):
            np.testing.assert_array_equal(new[: len(old)], old)


@pytest.mark.parametrize("name", FIRST)
def test_new_rows_are_drawn_by_the_initializer(name):
    model = build(name)
    grown = grow(model, NEW)
    sizes = OLD.vocabulary_sizes
    embeddings, linear = (
        np.concatenate(
            [
                rows[size:]
                for rows, size in zip(
                    fields(table(grown, each), NEW), sizes, strict=True
                )
            ]
        )
        for each in TABLES
    )
    assert len(embeddings) == 300
    assert len(np.unique(embeddings[:, 0])) == 300
    assert embeddings.std() == pytest.approx(1e-2, rel=0.2)
    assert abs(embeddings.mean()) < 2e-3
    assert not linear.any()


@pytest.mark.parametrize(
    "name",
    [
        "deepfm",
        *(
            pytest.param(name, marks=pytest.mark.large)
            for name in FIRST
            if name != "deepfm"
        ),
    ],
)
def test_training_goes_on_and_leaves_the_old_model_alone(name):
    model = compile_for_cowclip(build(name, dropout=0.1))
    x, new_x = inputs(), inputs(NEW)
    model.fit(x, x["ids"][:, :1] % 2, batch_size=32, verbose=0)
    before = predict(model, x)
    config, weights = model.get_config(), model.get_weights()
    grown = grow(model, NEW)
    assert not grown.compiled
    assert model.compiled
    moved = {each: table(grown, each) for each in TABLES}
    # All old ids, and new ones.
    both = {key: np.concatenate([x[key], new_x[key]]) for key in x}
    losses = (
        compile_for_cowclip(grown)
        .fit(both, both["ids"][:, :1] % 2, batch_size=32, epochs=3, verbose=0)
        .history["loss"]
    )
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    for each in TABLES:
        old_rows = fields(table(grown, each) != moved[each], NEW)
        for rows, size in zip(old_rows, OLD.vocabulary_sizes, strict=True):
            assert rows[:size].any(axis=1).all()
    np.testing.assert_array_equal(predict(model, x), before)
    assert model.get_config() == config
    for weight, kept in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(weight, kept)
    # The old one trains on, too, whatever the new one did to its arrays.
    model.fit(x, x["ids"][:, :1] % 2, verbose=0)


@pytest.mark.parametrize(
    "name, dtype",
    [*((name, "mixed_bfloat16") for name in FIRST), ("deepfm", "bfloat16")],
)
def test_dtype_policy_is_kept(name, dtype):
    model, x = build(name, dtype=dtype), inputs()
    grown = grow(model, NEW)
    assert grown.dtype_policy == model.dtype_policy
    for old, new in zip(model.layers, grown.layers, strict=True):
        assert new.dtype_policy == old.dtype_policy
    np.testing.assert_array_equal(predict(grown, x), predict(model, x))


def test_global_dtype_policy_of_the_old_model_is_kept():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = build("deepfm")
    finally:
        keras.config.set_dtype_policy(policy)
    grown = grow(model, NEW)
    assert grown.get_layer("hidden_1").compute_dtype == "bfloat16"
    np.testing.assert_array_equal(
        predict(grown, inputs()), predict(model, inputs())
    )


@pytest.mark.parametrize("name", FIRST)
def test_arguments_and_name_are_kept(name):
    model = build(name, dropout=0.2, linear_l2=1e-4, name="monday")
    grown = grow(model, NEW)
    assert grown.name == "monday"
    expected = {**model.get_config(), "schema": None}
    assert {**grown.get_config(), "schema": None} == expected


def test_frozen_layers_stay_frozen():
    model = build("dcn")
    model.get_layer("embeddings").trainable = False
    model.get_layer("hidden_2").trainable = False
    grown = grow(model, NEW)
    assert grown.trainable
    assert [layer.trainable for layer in grown.layers] == [
        layer.trainable for layer in model.layers
    ]
    assert len(grown.trainable_weights) == len(model.trainable_weights)
    model.trainable = False
    model.get_layer("hidden_1").trainable = True
    grown = grow(model, NEW)
    assert not grown.trainable
    assert grown.get_layer("hidden_1").trainable
    assert not grown.get_layer("hidden_2").trainable


@pytest.mark.parametrize("name", FIRST)
def test_preset_of_a_grown_model(name, tmp_path):
    grown = grow(build(name), NEW)
    zoo.save_to_preset(grown, tmp_path)
    again = zoo.from_preset(tmp_path)
    assert again.schema == NEW
    x = inputs(NEW)
    np.testing.assert_array_equal(predict(again, x), predict(grown, x))
    # And grows once more.
    later = grow(again, schema(site=300, hour=6, device=103))
    np.testing.assert_array_equal(predict(later, x), predict(grown, x))


def test_a_model_without_dense_columns_grows():
    model = build("deepfm", zoo.FeatureSchema([], {"site": 7, "hour": 5}))
    grown = grow(model, zoo.FeatureSchema([], {"site": 9, "hour": 6}))
    x = inputs(model.schema)
    np.testing.assert_array_equal(predict(grown, x), predict(model, x))


def test_a_model_of_the_same_sizes_shares_nothing():
    model = build("deepfm")
    grown = grow(model, schema())
    for variable in grown.weights:
        variable.assign(np.zeros(variable.shape))
    assert table(model, "embeddings").all()


SIZES = {"site": 7, "hour": 5, "device": 3}


@pytest.mark.parametrize(
    "columns, message",
    [
        ({"site": 9}, "`schema` must be a `FeatureSchema`.*Received: schema={"),
        (
            zoo.FeatureSchema(["age", "price"], SIZES),
            r"dense columns.*\['price', 'age'\]. Received: \['age', 'price'\]",
        ),
        (
            zoo.FeatureSchema(["price"], SIZES),
            r"dense columns.*Received: \['price'\]",
        ),
        (
            zoo.FeatureSchema(["price", "age"], {**SIZES, "day": 9}),
            r"`schema` must have the fields.*Received: .*'day'\]",
        ),
        (
            zoo.FeatureSchema(
                ["price", "age"], {"hour": 7, "site": 7, "device": 3}
            ),
            r"the fields.*\['site', 'hour'.*Received: \['hour', 'site'",
        ),
        (
            zoo.FeatureSchema(["price", "age"], SIZES, label="sale"),
            "the label.*: label. Received: sale",
        ),
        (
            schema(site=100, hour=4),
            "at least the 5 ids of the model in field 'hour'. Received: 4",
        ),
    ],
)
def test_another_schema_is_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        grow(build("wide_deep"), columns)


def test_a_model_from_elsewhere_is_refused():
    with pytest.raises(ValueError, match="`model` must be.*Received: model="):
        grow(keras.Sequential(), NEW)


class TableOfOneField(CTRModel):
    """Its table has the rows of the first field, not those of all."""

    def logits(self, x):
        table = keras.layers.Embedding(self.schema.vocabulary_sizes[0], 1)
        return keras.layers.Flatten()(table(x.inputs["ids"][:, :1]))


def test_a_table_of_another_layout_is_refused():
    model = TableOfOneField(OLD)
    x = inputs()
    grown = grow(model, schema(hour=50))
    np.testing.assert_array_equal(predict(grown, x), predict(model, x))
    with pytest.raises(
        ValueError, match=r"all 15 ids. Received: .*\(7, 1\).*\(207, 1\)"
    ):
        grow(model, NEW)


def test_a_model_with_weights_of_its_own_is_refused():
    model = build("wide_deep")
    model.get_layer("hidden_1").enable_lora(2)
    with pytest.raises(ValueError, match="must have the weights that its"):
        grow(model, NEW)
