"""Each network of the zoo is made, trained, saved and grown alike."""

import json

import keras
import numpy as np
import pytest
from keras import tree

import zoo
from keras_cowclip import CowClip
from tests.zoo.networks import EAGERLY
from tests.zoo.networks import build
from tests.zoo.networks import clicks
from tests.zoo.networks import each_network
from tests.zoo.networks import inputs
from tests.zoo.networks import set_weights
from zoo.registry import NETWORKS

NO_DENSE = zoo.FeatureSchema([], {"site": 7, "hour": 5, "device": 3})
TWO_LABELS = zoo.FeatureSchema(
    ["price", "age"],
    {"site": 7, "hour": 5, "device": 3},
    labels=("click", "buy"),
    sequences={"history": zoo.Sequence("site", max_length=3)},
)
RATES = {"learning_rate": 1e-2, "embedding_learning_rate": 1e-2}
# A network without embeddings has nothing to clip.
pytestmark = [
    pytest.mark.filterwarnings("ignore:There is nothing to clip"),
    # The sessions of DSIN have one place here.
    pytest.mark.filterwarnings("ignore:You are using a softmax over axis"),
]
bfloat16 = pytest.mark.filterwarnings(
    "ignore::zoo.runtime.bfloat16.SlowBFloat16Warning"
)


def rows(model, count=32):
    x = inputs(model.schema, count)
    return x, clicks(model, x)


def compiled(model, **settings):
    model.compile(CowClip(**RATES), "binary_crossentropy", **settings)
    return model


@pytest.mark.parametrize("name", NETWORKS)
def test_a_config_makes_the_same_network(name):
    model = build(name, dropout=0.1, linear_l2=1e-4, normalization="batch")
    config = json.loads(json.dumps(model.get_config()))
    again = type(model).from_config(config)
    assert again.get_config() == model.get_config()
    assert again.schema == model.schema
    assert [w.path for w in again.weights] == [w.path for w in model.weights]
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_moves_every_part(name):
    model = set_weights(build(name), deviation=0.3)
    compiled(model, run_eagerly=EAGERLY)
    x, y = rows(model)
    before = [np.array(w) for w in model.get_weights()]
    assert np.isfinite(model.train_on_batch(x, y)).all()
    still = [
        variable.path
        for variable, old in zip(model.weights, before, strict=True)
        if variable.trainable
        and not variable.path.endswith("id_counts")
        and np.array_equal(keras.ops.convert_to_numpy(variable.value), old)
    ]
    assert not still


@pytest.mark.one_backend(reason="a check looks at no tensor")
@pytest.mark.parametrize("name", NETWORKS)
def test_its_own_arguments_are_checked(name):
    own = set(NETWORKS[name].argument_defaults())
    for argument in own - set(zoo.CTRModel.argument_defaults()):
        with pytest.raises(ValueError, match=rf"{argument}.*Received"):
            build(name, **{argument: object()})


@pytest.mark.parametrize("schema", [NO_DENSE, TWO_LABELS], ids=["ids", "full"])
@pytest.mark.parametrize("name", each_network("deepfm"))
def test_other_logs(name, schema):
    model = build(name, schema)
    x, y = rows(model)
    compiled(model).fit(x, y, batch_size=16, verbose=0)
    predicted = model.predict(x, verbose=0)
    for values in tree.flatten(predicted):
        assert values.shape == (32, 1)
        assert np.isfinite(values).all()


@bfloat16
@pytest.mark.parametrize("dtype", [None, "mixed_bfloat16"])
@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("name", each_network())
def test_it_learns(name, lazy, dtype):
    model = build(name, dtype=dtype, embedding_deviation=0.3)
    model.compile(
        CowClip(**RATES, lazy=lazy), "binary_crossentropy", jit_compile="auto"
    )
    x, y = rows(model, count=256)
    history = model.fit(x, y, batch_size=32, epochs=8, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.parametrize("name", each_network())
def test_files_and_growth_keep_it(name, tmp_path):
    model = set_weights(build(name), deviation=0.2)
    x, _ = rows(model)
    expected = model.predict(x, verbose=0)
    model.save(tmp_path / "model.keras")
    model.save_to_preset(tmp_path / "preset")
    larger = {**model.schema.get_config()}
    larger["categorical"] = [[n, s + 3] for n, s in larger["categorical"]]
    for again in (
        keras.saving.load_model(tmp_path / "model.keras"),
        zoo.from_preset(tmp_path / "preset"),
        zoo.grow(model, zoo.FeatureSchema.from_config(larger)),
    ):
        assert type(again) is type(model)
        received = again.predict(x, verbose=0)
        tree.map_structure(np.testing.assert_array_equal, received, expected)
