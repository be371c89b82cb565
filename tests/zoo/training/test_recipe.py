import math

import keras
import pytest

from zoo.feature_schema import FeatureSchema
from zoo.training.recipe import Recipe
from zoo.training.recipe import make_recipe

SCHEMA = FeatureSchema(["price"], {"site": 4, "hour": 3})


def rate(value, step):
    return float(value(step)) if callable(value) else float(value)


def rates(steps_per_epoch=10, **recipe):
    """The two learning rates of every step, and one after the last."""
    recipe = Recipe(learning_rate=1e-3, **recipe)
    config = recipe.make_optimizer(steps_per_epoch, SCHEMA).get_config()
    found = []
    for name in ("learning_rate", "embedding_learning_rate"):
        value = config[name]
        if isinstance(value, dict):
            value = keras.saving.deserialize_keras_object(value)
        steps = range(recipe.epochs * steps_per_epoch + 1)
        found.append([rate(value, step) for step in steps])
    return found


def test_by_default_the_dense_rate_warms_up_and_both_stay():
    dense, embedding = rates(epochs=3)
    assert dense[0] == pytest.approx(1e-8, rel=0.01)
    assert dense[5] == pytest.approx(5e-4, rel=1e-3)
    assert dense[10:] == pytest.approx([1e-3] * 21)
    assert embedding == pytest.approx([1e-4] * 31)


def test_without_a_warm_up_both_are_constant():
    dense, _ = rates(epochs=2, warmup_epochs=0)
    assert dense == pytest.approx([1e-3] * 21)


@pytest.mark.parametrize(
    "name, expected",
    [("avazu", 1e-4), ("avazu_x4", 1e-4), ("criteo_x1", 8e-4), (None, 8e-4)],
)
def test_the_rate_is_that_of_the_data_set_however_encoded(name, expected):
    assert Recipe().for_data(name).learning_rate == expected


def test_cosine_ends_at_a_tenth():
    dense, embedding = rates(epochs=3, decay="cosine")
    assert dense[5] == pytest.approx(5e-4, rel=1e-3)
    assert dense[10] == pytest.approx(1e-3)
    assert dense[20] == pytest.approx(1e-3 * (0.9 * 0.5 + 0.1))
    assert dense[30] == pytest.approx(1e-4)
    for step in (0, 10, 30):
        expected = 0.9 * (1 + math.cos(math.pi * step / 30)) / 2 + 0.1
        assert embedding[step] == pytest.approx(1e-4 * expected)


def test_a_warm_up_longer_than_the_run_leaves_nothing_to_decay():
    dense, _ = rates(epochs=2, warmup_epochs=5, decay="cosine")
    assert dense[20] == pytest.approx(4e-4, rel=1e-3)


def test_the_rule_of_frequencies_brings_its_own_clip_ratio():
    recipe = Recipe(rule="frequency", batch_size=8192)
    optimizer = recipe.make_optimizer(10, SCHEMA)
    assert optimizer.clip_ratio is None
    assert optimizer.frequency_scale == 8.0
    assert recipe.hyperparameters()["clip_ratio"] is None


def test_an_unknown_setting_is_refused_by_its_name():
    with pytest.raises(ValueError) as error:
        make_recipe(epochs=2, num_cross_layers=4)
    assert "must be among ['model', 'batch_size'" in str(error.value)
    assert str(error.value).endswith("Received: num_cross_layers=4")
    assert make_recipe(epochs=2) == Recipe(epochs=2)


def test_the_rule_of_frequencies_is_not_lazy_but_at_its_own_batch():
    with pytest.raises(ValueError, match="Received: lazy=True, rule='freq"):
        Recipe(rule="frequency", batch_size=8192, lazy=True)
    assert Recipe(rule="frequency", lazy=True).make_optimizer(10, SCHEMA).lazy


def test_the_dtype_is_the_networks_and_that_of_its_tables_stays():
    recipe = Recipe(dtype="mixed_bfloat16", hidden_units=(4,))
    network = recipe.make_network(SCHEMA)
    assert network.get_layer("hidden_1").compute_dtype == "bfloat16"
    assert network.get_layer("embeddings").variable_dtype == "float32"
    assert Recipe().for_network(network).dtype == "mixed_bfloat16"


def test_hyperparameters_name_the_dtype_that_keras_has():
    assert Recipe().hyperparameters()["dtype"] == "float32"
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert Recipe().hyperparameters()["dtype"] == "mixed_bfloat16"
    finally:
        keras.config.set_dtype_policy("float32")


def test_two_batch_sizes_scale_each_its_weights():
    recipe = Recipe(
        batch_size=8192, embedding_batch_size=65_536, rule="frequency"
    )
    optimizer = recipe.make_optimizer(10, SCHEMA)
    assert optimizer.embedding_accumulation_steps == 8
    assert optimizer.frequency_scale == 64.0
    assert optimizer.embedding_beta_1 == 0.0
    assert optimizer.beta_1 == pytest.approx(0.2)


def test_the_l2_of_dense_linear_weights_is_by_their_own_batch():
    recipe = Recipe(batch_size=2048, embedding_batch_size=8192)
    assert recipe.scaled()["embedding_l2"] == pytest.approx(8e-5)
    network = recipe.make_network(SCHEMA)
    assert network.get_config()["linear_l2"] == pytest.approx(2e-5)


def test_the_average_reaches_back_by_epochs():
    for epochs, steps in ((0.5, 50), (2.0, 200)):
        recipe = Recipe(average="ema", average_epochs=epochs)
        optimizer = recipe.make_optimizer(100, SCHEMA)
        assert optimizer.use_ema
        assert optimizer.ema_momentum**steps == pytest.approx(math.exp(-1))


def test_settings_at_their_defaults_are_not_in_reports():
    """So that runs of before there were these settings stay the same runs."""
    new = {"embedding_batch_size", "average", "average_epochs"}
    assert not new & set(Recipe().hyperparameters())
    used = Recipe(embedding_batch_size=2048, average="ema")
    assert new <= set(used.hyperparameters())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("embedding_batch_size", 1000),
        ("embedding_batch_size", "2048"),
        ("average", "swa"),
        ("average_epochs", 0),
        ("average_epochs", math.inf),
    ],
)
def test_wrong_batches_and_averages_are_refused(name, value):
    with pytest.raises(ValueError, match=f"Received: {name}={value!r}"):
        Recipe(**{name: value})


def test_a_networks_own_arguments_reach_it():
    recipe = Recipe(
        model="dcn",
        network={"num_cross_layers": 1, "activation": "dice", "cross_l2": 1e-5},
    )
    # The default of `cross_l2` is left out, so that equal recipes are equal.
    assert recipe.network == {"num_cross_layers": 1, "activation": "dice"}
    network = recipe.make_network(FeatureSchema([], {"site": 5}))
    config = network.get_config()
    assert config["num_cross_layers"] == 1
    assert config["activation"] == "dice"
    assert recipe.for_network(network).network == recipe.network
    assert recipe.hyperparameters()["network"] == recipe.network
    assert "network" not in Recipe(model="dcn").hyperparameters()


@pytest.mark.parametrize(
    "network, message",
    [
        ({"num_cross_layer": 2}, "of `DCN`.*Did you mean 'num_cross_layers'"),
        ({"low_rank": 2}, "of `DCN`,.*Received: low_rank=2"),
        ({"embedding_dim": 4}, "Received: embedding_dim=4"),
        ([("num_cross_layers", 2)], "`network` must be a `dict`"),
    ],
)
def test_arguments_that_the_network_lacks_are_named(network, message):
    with pytest.raises(ValueError, match=message):
        Recipe(model="dcn", network=network)
