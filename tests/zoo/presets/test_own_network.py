"""Presets of a user's own models: whole, on any backend, and without code."""

import json

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from tests.zoo import networks
from tests.zoo import own_networks
from zoo.presets.own_network import fingerprint_of
from zoo.runtime.default_policy import dtype_scope

SCHEMA = zoo.FeatureSchema(["price"], {"site": 10, "hour": 5})
SHOP = zoo.FeatureSchema(
    ["price"],
    {"user": 4, "item": 6},
    sequences={"history": zoo.Sequence("item", max_length=3)},
)


@pytest.fixture
def preset(tmp_path):
    model = networks.set_weights(own_networks.functional(SCHEMA))
    zoo.save_to_preset(model, tmp_path / "preset", schema=SCHEMA)
    return model, tmp_path / "preset"


def predict(model, schema=SCHEMA):
    return model.predict(networks.inputs(schema), verbose=0)


def test_a_functional_model(preset):
    model, folder = preset
    again = zoo.from_preset(folder)
    np.testing.assert_array_equal(predict(again), predict(model))
    fresh = zoo.from_preset(folder, load_weights=False)
    assert np.abs(predict(fresh) - predict(model)).max() > 0.01
    assert fingerprint_of(fresh) == fingerprint_of(model)


def test_a_subclass_that_is_registered(tmp_path):
    model = own_networks.HistoryTower(items=6, units=5)
    model(networks.inputs(SHOP))
    networks.set_weights(model)
    zoo.save_to_preset(model, tmp_path, schema=SHOP)
    again = zoo.from_preset(tmp_path)
    assert type(again) is own_networks.HistoryTower
    np.testing.assert_array_equal(predict(again, SHOP), predict(model, SHOP))


def test_every_layer_takes_the_dtype_that_is_asked_for(preset):
    model, folder = preset
    again = zoo.from_preset(folder, dtype="mixed_bfloat16")
    assert again.get_layer("hidden").compute_dtype == "bfloat16"
    before = keras.config.dtype_policy()
    np.testing.assert_allclose(predict(again), predict(model), atol=0.03)
    assert keras.config.dtype_policy() == before


def test_a_subclass_keeps_the_policy_that_it_was_made_with(tmp_path):
    with dtype_scope("mixed_bfloat16"):
        model = own_networks.HistoryTower(items=6)
    model(networks.inputs(SHOP))
    zoo.save_to_preset(model, tmp_path / "mixed", schema=SHOP)
    again = zoo.from_preset(tmp_path / "mixed")
    assert again.hidden.compute_dtype == "bfloat16"
    assert again.hidden.kernel.dtype == "float32"
    # Its layers do not take it, and those of a loaded one would.
    model = own_networks.HistoryTower(items=6, dtype="mixed_bfloat16")
    model(networks.inputs(SHOP))
    with pytest.raises(ValueError, match="keeps the dtype policy.*Received"):
        zoo.save_to_preset(model, tmp_path / "own", schema=SHOP)


@pytest.mark.one_backend(reason="It trains and predicts nothing.")
def test_the_schema_must_be_known(tmp_path):
    model = own_networks.functional(SCHEMA)
    with pytest.raises(ValueError, match="`schema` must say.*Received"):
        zoo.save_to_preset(model, tmp_path)
    assert not [*tmp_path.iterdir()]
    model.schema = SCHEMA
    zoo.save_to_preset(model, tmp_path)
    assert (tmp_path / "config.json").exists()


@pytest.mark.one_backend(reason="It trains and predicts nothing.")
def test_the_card_says_the_class(preset):
    card = str(zoo.model_card(preset[1]))
    assert "The network is a `Functional` of its author." in card
    assert "(batch, 1) float32" in card
    assert "Import the module" not in card
    change(preset[1], registered_name="shop>Tower")
    card = str(zoo.model_card(preset[1]))
    assert "a `Tower` of its author.\n\nImport the module of its cl" in card


def change(folder, **config):
    content = json.loads((folder / "config.json").read_text())
    changed = {**content, **config}
    (folder / "config.json").write_text(json.dumps(changed))


def layer_of(folder, name):
    content = json.loads((folder / "config.json").read_text())
    layers = content["config"]["layers"]
    return content, next(each for each in layers if each["name"] == name)


def write(folder, content):
    (folder / "config.json").write_text(json.dumps(content))


@pytest.mark.one_backend(reason="It is refused before a backend does a thing.")
@pytest.mark.parametrize(
    "config, message",
    [
        (
            {"class_name": "system", "module": "os", "registered_name": None},
            "Keras' own or registered: put.*Received: system, from os",
        ),
        (
            {"class_name": "Lambda", "module": "keras.layers"},
            "must not hold code.*Received: class_name=Lambda",
        ),
        (
            {"class_name": "TFSMLayer", "module": "keras.layers"},
            "must not hold code.*Received: class_name=TFSMLayer",
        ),
        (
            {"class_name": "Net", "module": "shop", "registered_name": "s>Net"},
            "import it before.*Received: s>Net, from shop",
        ),
        (
            {"class_name": "get_file", "module": "keras.utils"},
            "that Keras can make a model of. Received",
        ),
    ],
)
def test_a_preset_runs_no_code(preset, config, message):
    _, folder = preset
    content, hidden = layer_of(folder, "hidden")
    hidden.update(config)
    write(folder, content)
    with pytest.raises(ValueError, match=r"config\.json.*" + message):
        zoo.from_preset(folder)


@pytest.mark.one_backend(reason="It is refused before a backend does a thing.")
@pytest.mark.parametrize("kind", ["__lambda__", "function"])
def test_a_function_must_be_known(preset, kind):
    _, folder = preset
    content, hidden = layer_of(folder, "hidden")
    hidden["config"]["activation"] = {
        "class_name": kind,
        "config": "system",
        "module": "os",
        "registered_name": "system",
    }
    write(folder, content)
    with pytest.raises(ValueError, match=r"config\.json.*Received.*"):
        zoo.from_preset(folder)


@pytest.mark.one_backend(reason="It is refused before a backend does a thing.")
def test_a_damaged_config_is_named(preset):
    _, folder = preset
    change(folder, schema={"categorical": [["site", 3]]})
    with pytest.raises(ValueError, match=r"config\.json: must hold the schem"):
        zoo.from_preset(folder)


def test_other_weights_are_refused(preset):
    _, folder = preset
    weights = folder / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="sha256"):
        zoo.from_preset(folder)


@pytest.mark.one_backend(reason="It trains and predicts nothing.")
def test_another_activation_is_another_fingerprint():
    first, same = (
        own_networks.functional(SCHEMA),
        own_networks.functional(SCHEMA),
    )
    other = own_networks.functional(SCHEMA, output="hard_sigmoid")
    assert fingerprint_of(first) == fingerprint_of(same)
    assert fingerprint_of(first) != fingerprint_of(other)


class NoConfig(keras.Model):
    def __init__(self, table):
        super().__init__()
        self.table = table
        self.dense = keras.layers.Dense(1, "sigmoid")

    def call(self, inputs):
        return self.dense(inputs["dense"] * ops.mean(self.table))


@pytest.mark.one_backend(reason="It trains and predicts nothing.")
def test_a_model_without_a_config_is_refused_before_anything_is_written(
    tmp_path,
):
    model = NoConfig(np.ones(3, "float32"))
    model(networks.inputs(SCHEMA))
    with pytest.raises(
        ValueError, match=r"`get_config` of `NoConfig`.*Received"
    ):
        zoo.save_to_preset(model, tmp_path / "preset", schema=SCHEMA)
    assert not (tmp_path / "preset" / "config.json").exists()
