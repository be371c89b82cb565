import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from keras_cowclip import CowClip
from tests.zoo.models.forward import click_probability
from tests.zoo.networks import FIRST
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import build
from tests.zoo.networks import inputs
from tests.zoo.networks import set_weights
from zoo.registry import NETWORKS

GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())
NO_DENSE = zoo.FeatureSchema(dense=[], categorical={"site": 7, "hour": 5})


def test_every_network_is_public():
    networks = {
        value
        for value in vars(zoo).values()
        if isinstance(value, type) and issubclass(value, keras.Model)
    }
    assert networks - {zoo.CTRModel, zoo.HistoryModel} == set(NETWORKS.values())


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("schema", [SCHEMA, NO_DENSE], ids=["dense", "none"])
def test_network_is_the_published_one(name, schema):
    model = set_weights(build(name, schema))
    x = inputs(schema)
    np.testing.assert_allclose(
        model.predict(x, verbose=0),
        click_probability(model, x["dense"], x["ids"]),
        rtol=1e-5,
        atol=1e-6,
    )


def test_dcn_v2_without_a_mixture_has_matrix_cross_layers():
    model = set_weights(build("dcn_v2", mixture=False))
    x = inputs()
    np.testing.assert_allclose(
        model.predict(x, verbose=0),
        click_probability(model, x["dense"], x["ids"]),
        rtol=1e-5,
        atol=1e-6,
    )
    assert len(model.losses) == 3
    again = zoo.DCNv2.from_config(model.get_config())
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]


@pytest.mark.parametrize("name", FIRST)
def test_golden_numbers_hold_on_every_backend(name):
    model = set_weights(build(name))
    click = model.predict(inputs(), verbose=0)[:, 0]
    np.testing.assert_allclose(click, GOLDEN[name], rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    "name",
    [
        "dcn_v2",
        *(
            pytest.param(name, marks=pytest.mark.trained_often)
            for name in FIRST
            if name != "dcn_v2"
        ),
    ],
)
def test_fit_lowers_the_loss_and_keras_file_keeps_everything(name, tmp_path):
    model = set_weights(build(name))
    x = inputs(rows=256)
    y = (x["ids"][:, :1] % 2).astype("float32")
    model.compile(
        CowClip(learning_rate=1e-2, embedding_learning_rate=1e-2),
        "binary_crossentropy",
    )
    losses = model.fit(x, y, batch_size=64, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        again.predict(x, verbose=0), model.predict(x, verbose=0)
    )
    # Both continue alike only if the optimizer's state came back too.
    for each in (model, again):
        each.fit(x, y, batch_size=64, shuffle=False, verbose=0)
    np.testing.assert_allclose(
        again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6
    )


def test_keras_file_loads_in_a_new_process_without_custom_objects(tmp_path):
    model = set_weights(build("dcn_v2"))
    model.save(tmp_path / "model.keras")
    script = (
        "import keras, zoo, numpy as np\n"
        f"model = keras.saving.load_model({str(tmp_path / 'model.keras')!r})\n"
        "x = {'dense': np.ones((1, 2), 'float32'),"
        " 'ids': np.ones((1, 3), 'int32')}\n"
        "print(repr(float(model.predict(x, verbose=0)[0, 0])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
    )
    x = {"dense": np.ones((1, 2), "float32"), "ids": np.ones((1, 3), "int32")}
    expected = float(model.predict(x, verbose=0)[0, 0])
    assert float(done.stdout.split()[-1]) == pytest.approx(expected, rel=1e-6)


def test_linear_part_follows_the_recipe():
    model = build("deepfm", linear_l2=1e-3)
    wide = model.get_layer("linear_embeddings")
    assert wide.clip is False
    assert not wide.embeddings.numpy().any()
    assert model.get_layer("embeddings").clip is True
    kernel = model.get_layer("linear_dense").kernel.numpy()
    [penalty] = model.losses
    assert float(keras.ops.convert_to_numpy(penalty)) == pytest.approx(
        1e-3 * np.square(kernel).sum()
    )


def test_cross_l2_is_on_the_kernels_alone():
    for name, parts in (("dcn", 3), ("dcn_v2", 9)):
        model = build(name)
        assert len(model.losses) == parts
        assert not build(name, cross_l2=0.0).losses


def test_mixed_precision_keeps_tables_and_output_in_float32():
    model = build("deepfm", dtype="mixed_bfloat16")
    assert model.get_layer("embeddings").embeddings.dtype == "float32"
    assert model.get_layer("hidden_1").compute_dtype == "bfloat16"
    assert model.predict(inputs(), verbose=0).dtype == "float32"


def call(model, x):
    return model(x)


def fit(model, x):
    return model.fit(x, np.zeros((16, 1)), verbose=0)


def evaluate(model, x):
    return model.evaluate(x, np.zeros((16, 1)), verbose=0)


def predict(model, x):
    return model.predict(x, verbose=0)


def train_on_batch(model, x):
    return model.train_on_batch(x, np.zeros((16, 1)))


@pytest.mark.parametrize("use", [call, fit, evaluate, predict, train_on_batch])
def test_bad_inputs_are_refused_by_name(use):
    model = build("wide_deep")
    model.compile(CowClip(), "binary_crossentropy")
    x = inputs()
    x["ids"][5, 1] = 5
    with pytest.raises(
        ValueError, match=r"'hour' must be in \[0, 5\).*id 5 in row 5"
    ):
        use(model, x)
    x = inputs()
    x["dense"][3, 1] = np.nan
    with pytest.raises(ValueError, match="'age' must be finite.*in row 3"):
        use(model, x)
