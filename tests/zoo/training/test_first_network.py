"""A run trains a model of the caller as it trains one of the zoo."""

import json

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from keras_cowclip import CowClip
from tests.zoo import own_networks
from tests.zoo.training.interruption import InterruptStep
from zoo.datasets import synthetic
from zoo.models.fit_check import UnclippedTableWarning
from zoo.training.training import REPORT_FILE

BATCH_SIZE, EPOCHS, STEPS_PER_EPOCH = 64, 2, 12
SETTINGS = {
    "batch_size": BATCH_SIZE, "epochs": EPOCHS, "verbose": 0,
    "learning_rate": 1e-2, "embedding_learning_rate": 1e-2, "clip_ratio": 0.01,
    "warmup_epochs": 0.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def log():
    log = synthetic.make_log(rows=1000, max_vocabulary=20)
    assert len(log.split("train")) // BATCH_SIZE == STEPS_PER_EPOCH
    return log


@pytest.fixture(scope="module")
def shop():
    return synthetic.make_log(
        rows=1000, max_vocabulary=30, history=4, purchase=True
    )


@pytest.fixture(scope="module")
def history():
    return synthetic.make_log(rows=1000, max_vocabulary=30, history=4)


def make(log):
    keras.utils.set_random_seed(3)
    return own_networks.functional(log.schema)


def scores(model, log):
    return model.predict(log.split("test").inputs, verbose=0)


def test_a_model_is_trained_as_the_recipe_says(log, tmp_path):
    model = make(log)
    model.compile("sgd", "mse")
    before = scores(model, log)
    report = zoo.train(
        log, tmp_path / "run", model=model, rule="linear", **SETTINGS
    )
    assert report["model"] == "Functional"
    assert report["hyperparameters"]["learning_rate"] == 1e-2 / 16
    assert isinstance(model.optimizer, CowClip)
    assert model.optimizer.iterations == EPOCHS * STEPS_PER_EPOCH
    assert report["history"]["loss"][-1] < report["history"]["loss"][0]
    assert 0 < report["history"]["clipped_share"][0] < 1
    # It stays trained, and the preset is the same model.
    after = scores(model, log)
    assert np.abs(after - before).max() > 0.01
    again = zoo.from_preset(tmp_path / "run")
    np.testing.assert_allclose(scores(again, log), after, atol=1e-6)
    metrics = zoo.evaluate(model, log)
    assert metrics["auc"] == pytest.approx(report["auc"])
    assert not {"embedding_dim", "hidden_units", "network"} & {
        *report["hyperparameters"]
    }


@pytest.mark.trained_often
def test_a_function_makes_the_model_from_the_seed(log, tmp_path):
    reports = [
        zoo.train(
            log,
            tmp_path / str(run),
            model=own_networks.functional,
            seed=seed,
            **SETTINGS,
        )
        for run, seed in enumerate((5, 5, 6))
    ]
    losses = [report["history"]["loss"] for report in reports]
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.trained_often
def test_a_model_of_the_zoo_is_trained_as_it_is(log, tmp_path):
    model = zoo.DCN(
        log.schema, embedding_dim=3, hidden_units=(4,), num_cross_layers=1
    )
    report = zoo.train(log, tmp_path / "run", model=model, **SETTINGS)
    assert report["model"] == "dcn"
    assert report["hyperparameters"]["network"] == {"num_cross_layers": 1}
    assert type(zoo.from_preset(tmp_path / "run")) is zoo.DCN


@pytest.mark.trained_often
def test_a_run_that_is_resumed_ends_as_if_it_had_not_been(log, tmp_path):
    options = {**SETTINGS, "checkpoint_steps": 5, "average": "ema"}
    whole = zoo.train(log, tmp_path / "whole", model=make(log), **options)
    with pytest.raises(KeyboardInterrupt):
        zoo.train(
            log,
            tmp_path / "run",
            model=make(log),
            callbacks=[InterruptStep(STEPS_PER_EPOCH + 7)],
            **options,
        )
    # As in a new process, where Keras' counts of names and seeds are others.
    model = own_networks.functional(log.schema)
    with pytest.raises(ValueError, match="must be resumed.*config="):
        zoo.train(
            log,
            tmp_path / "run",
            model=own_networks.functional(log.schema, output="hard_sigmoid"),
            resume=True,
            **options,
        )
    report = zoo.train(
        log, tmp_path / "run", model=model, resume=True, **options
    )
    assert report["resumed_at"] == [[1, 3]]
    assert report["history"]["loss"] == pytest.approx(whole["history"]["loss"])
    np.testing.assert_array_equal(
        scores(zoo.from_preset(tmp_path / "run"), log),
        scores(zoo.from_preset(tmp_path / "whole"), log),
    )


@pytest.mark.trained_often
def test_several_labels(shop, tmp_path):
    model = own_networks.functional(two_inputs(shop.schema))
    # In a few steps it must learn that most clicks bring no purchase.
    options = {**SETTINGS, "learning_rate": 0.1}
    report = zoo.train(
        shop, tmp_path / "run", model=with_history(model, shop), **options
    )
    assert list(report["labels"]) == ["click", "purchase"]
    found = zoo.evaluate(tmp_path / "run", shop)
    assert found["purchase"]["auc"] == pytest.approx(
        report["labels"]["purchase"]["auc"]
    )


def two_inputs(schema):
    config = {**schema.get_config()}
    del config["sequences"]
    return zoo.FeatureSchema.from_config(config)


def with_history(model, log):
    """The model with inputs that it does not read."""
    inputs = own_networks.inputs_of(log.schema)
    read = {name: inputs[name] for name in ("dense", "ids")}
    return keras.Model(inputs, model(read))


def test_a_subclass_with_a_history(history, tmp_path):
    items = history.schema.vocabularies["item"]
    model = own_networks.HistoryTower(items)
    report = zoo.train(
        history, tmp_path / "run", model=model, patience=2, **SETTINGS
    )
    assert report["model"] == "HistoryTower"
    assert report["history"]["clipped_share"][0] > 0
    again = zoo.from_preset(tmp_path / "run")
    assert (type(again), again.units) == (own_networks.HistoryTower, 8)
    assert zoo.evaluate(again, history)["auc"] == pytest.approx(report["auc"])
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["registered_name"] == "tests>HistoryTower"


@pytest.mark.trained_often
def test_a_run_begins_with_a_preset_of_such_a_model(log, tmp_path):
    model = make(log)
    zoo.save_to_preset(model, tmp_path / "first", schema=log.schema)
    options = {**SETTINGS, "epochs": 1}
    report = zoo.train(
        log, tmp_path / "run", initial_model=tmp_path / "first", **options
    )
    assert report["model"] == "Functional"
    same = zoo.train(log, tmp_path / "same", model=model, **options)
    # Its dropout draws other numbers.
    assert report["history"]["loss"] == pytest.approx(
        same["history"]["loss"], abs=0.05
    )
    larger = synthetic.make_log(rows=1000, max_vocabulary=25)
    with pytest.raises(ValueError, match="do not grow.*CTRModel.*Received"):
        zoo.train(
            larger, tmp_path / "x", initial_model=tmp_path / "first", **options
        )


@pytest.mark.trained_often
def test_a_table_without_clip_is_warned_of(log, tmp_path):
    model = own_networks.functional(log.schema, table=keras.layers.Embedding)
    with (
        pytest.warns(UserWarning, match="nothing to clip"),
        pytest.warns(UnclippedTableWarning, match=r"CowClipEmb.*\['table'\]"),
    ):
        zoo.train(log, tmp_path / "run", model=model, **SETTINGS)
    assert zoo.evaluate(tmp_path / "run", log)["auc"] > 0


@keras.saving.register_keras_serializable("tests")
class Forgetful(keras.layers.Layer):
    """A layer whose config lacks an argument."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(units)

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs):
        return self.dense(inputs)

    def compute_output_shape(self, input_shape):
        return self.dense.compute_output_shape(input_shape)

    def get_config(self):
        return super().get_config()


class Unregistered(Forgetful):
    pass


def with_layer(log, layer):
    inputs = own_networks.inputs_of(log.schema)
    hidden = ops.mean(layer(inputs["dense"]), axis=1, keepdims=True)
    return keras.Model(inputs, ops.sigmoid(hidden))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            lambda log: {"model": 3},
            r"`model` must be the name.*function.*Received: model=3",
        ),
        (
            lambda log: {"model": "deepfn"},
            "`model` must be.*'deepfm'.*Received: model='deepfn'",
        ),
        (
            lambda log: {"model": lambda schema: "deepfm"},
            "`model` must be a `Model`.*Received: model='deepfm'",
        ),
        (
            lambda log: {"model": make(log), "embedding_dim": 4},
            "`embedding_dim` must be left out.*Received: embedding_dim=4",
        ),
        (
            lambda log: {"model": make(log), "dtype": "float32"},
            "`dtype` must be left out.*Received: dtype='float32'",
        ),
        (
            lambda log: {"model": make(log), "initial_model": "preset"},
            "`initial_model` must be left out.*Received: initial_model=preset",
        ),
        (
            lambda log: {"model": with_layer(log, keras.layers.Lambda(abs))},
            "must not hold code.*Received: class_name=Lambda",
        ),
        (
            lambda log: {"model": with_layer(log, Unregistered())},
            "must be Keras' own or registered: put `@keras.saving.*Received: "
            "Unregistered",
        ),
        (
            lambda log: {"model": with_layer(log, Forgetful(5))},
            r"`get_config`.*returns all arguments.*\(13, 5\).*\(13, 3\)",
        ),
        (
            lambda log: {"model": zoo.LR(zoo.FeatureSchema([], {"site": 9}))},
            "made for the schema of the log.*Received: dense",
        ),
        (
            lambda log: {"model": own_networks.functional(log.schema, None)},
            r"must return probabilities, in \[0, 1\].*sigmoid.*Received",
        ),
    ],
)
def test_what_can_not_be_trained_is_refused_at_once(
    log, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.setattr(keras.Model, "fit", lambda *a, **k: pytest.fail())
    given = arguments(log)
    with pytest.raises(ValueError, match=message):
        zoo.train(log, tmp_path / "run", **SETTINGS, **given)
    assert not (tmp_path / "run" / REPORT_FILE).exists()


def test_several_devices_need_a_function(log, tmp_path):
    class Two(zoo.devices.Devices):
        count = 2

    with pytest.raises(ValueError, match="must be a function.*2 devices"):
        zoo.train(
            log, tmp_path / "run", model=make(log), devices=Two(), **SETTINGS
        )
