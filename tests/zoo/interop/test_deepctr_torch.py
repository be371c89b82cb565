"""DeepCTR-Torch's own networks, and the zoo's with their weights."""

from collections import namedtuple
from unittest import mock

import keras
import numpy as np
import pytest
import sklearn.metrics  # noqa: F401 - before the threads are mocked

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed: see `nox -s interop`"
)
# It asks PyPI for its newest version, in a thread, whenever it is imported.
with mock.patch("threading.Thread"):
    models = pytest.importorskip(
        "deepctr_torch.models",
        reason="DeepCTR-Torch is not installed: see `nox -s interop`",
        exc_type=ModuleNotFoundError,
    )
    from deepctr_torch import inputs as columns

import zoo  # noqa: E402

FIELDS = {"site": 11, "hour": 5, "device": 3}
UNITS = {"dnn_hidden_units": (16, 8)}
FEATURES = [
    columns.SparseFeat("site", 11, 4),
    columns.DenseFeat("price", 1),
    columns.SparseFeat("hour", 5, 4),
    columns.DenseFeat("vector", 2),
    columns.SparseFeat("device", 3, 4),
]
SPARSE = [column for column in FEATURES if hasattr(column, "embedding_dim")]
# The network, its arguments, its columns, the zoo's class.
CASES = {
    "WDL": ("WDL", UNITS, FEATURES, zoo.WideDeep),
    "WDL wide alone": ("WDL", {"dnn_hidden_units": ()}, SPARSE, zoo.WideDeep),
    "DeepFM": ("DeepFM", {**UNITS, "dnn_dropout": 0.2}, FEATURES, zoo.DeepFM),
    "DeepFM sparse": ("DeepFM", UNITS, SPARSE, zoo.DeepFM),
    "DeepFM FM alone": (
        "DeepFM",
        {"dnn_hidden_units": ()},
        FEATURES,
        zoo.DeepFM,
    ),
    "DCN": ("DCN", {**UNITS, "cross_num": 3}, FEATURES, zoo.DCN),
    "DCN matrix": (
        "DCN",
        {**UNITS, "cross_parameterization": "matrix"},
        FEATURES,
        zoo.DCNv2,
    ),
    "DCNMix": (
        "DCNMix",
        {**UNITS, "low_rank": 3, "num_experts": 2},
        FEATURES,
        zoo.DCNv2,
    ),
}


def rows(features, number=500):
    """Inputs of the zoo, and the one matrix that the original reads."""
    random = np.random.default_rng(1)
    ids = [random.integers(0, size, number) for size in FIELDS.values()]
    width = 3 if features is FEATURES else 0
    dense = random.normal(size=(number, width)).astype("float32")
    inputs = {"dense": dense, "ids": np.stack(ids, axis=1).astype("int32")}
    parts = (ids[0], dense[:, :1], ids[1], dense[:, 1:], ids[2])
    matrix = [part.reshape(number, -1) for part in parts]
    return inputs, torch.from_numpy(np.concatenate(matrix, 1)).float()


@pytest.fixture
def save(tmp_path, randomize):
    def save(network, config=UNITS, features=FEATURES):
        original = getattr(models, network)(features, features, **config)
        randomize(original)
        path = tmp_path / f"{network}.pt"
        torch.save(original.state_dict(), path)
        return original.eval(), {
            "path": path,
            "source": "deepctr_torch",
            "features": features,
            "model": network,
            "config": config,
        }

    return save


@pytest.mark.parametrize("case", CASES)
def test_logits_are_those_of_the_original(case, save, logits):
    network, config, features, expected_class = CASES[case]
    original, arguments = save(network, config, features)
    model = zoo.import_checkpoint(**arguments)
    assert type(model) is expected_class
    assert list(model.schema.categorical) == list(FIELDS)
    if features is FEATURES:
        assert model.schema.dense == ["price", "vector_0", "vector_1"]
    inputs, matrix = rows(features)
    # Leaves its sigmoid out.
    original.out.task = "regression"
    with torch.no_grad():
        expected = original(matrix).numpy()
    assert expected.std() > 0.1
    np.testing.assert_allclose(
        logits(model, inputs), expected, rtol=0, atol=1e-5
    )
    click = keras.ops.convert_to_numpy(model(inputs))
    np.testing.assert_allclose(click, 1 / (1 + np.exp(-expected)), atol=1e-5)


def test_the_config_may_be_left_out(save):
    _, arguments = save("WDL")
    del arguments["config"]
    model = zoo.import_checkpoint(**arguments)
    assert model.get_config()["hidden_units"] == [16, 8]


def test_columns_are_known_by_their_attributes(save):
    _, arguments = save("WDL", features=SPARSE)
    sparse = namedtuple("Sparse", "name vocabulary_size embedding_dim")
    arguments["features"] = [sparse(name, n, 4) for name, n in FIELDS.items()]
    assert zoo.import_checkpoint(**arguments).schema.categorical == FIELDS


def test_an_original_with_batch_norm_is_refused_with_or_without_its_config(
    save,
):
    _, arguments = save("WDL", {**UNITS, "dnn_use_bn": True})
    with pytest.raises(ValueError, match="dnn_use_bn.*must be False"):
        zoo.import_checkpoint(**arguments)
    del arguments["config"]
    with pytest.raises(ValueError, match=r"no place.*dnn\.bn\.0\.bias"):
        zoo.import_checkpoint(**arguments)


@pytest.mark.parametrize(
    "network, setting, value, message",
    [
        ("WDL", "dnn_activation", "sigmoid", "ReLU.*'sigmoid'"),
        ("WDL", "dnn_hidden_units", (8, 16), r"\[16, 8\].*\(8, 16\)"),
        ("WDL", "task", "regression", "'binary'.*'regression'"),
        ("WDL", "cross_num", 2, r"`WDL`.*Received: \['cross_num'\]"),
        ("DeepFM", "use_fm", False, "model='WDL'.*False"),
        ("DCN", "cross_num", 3, r"have 2.*cross_num'\]=3"),
        ("DCN", "cross_parameterization", "matrix", r"kernels.*\(2, 15, 1\)"),
        ("DCN", "cross_parameterization", "low", "'vector' or.*'low'"),
        ("DCNMix", "low_rank", 5, r"have 32.*low_rank'\]=5"),
        ("DCNMix", "num_experts", 5, r"have 4.*num_experts'\]=5"),
    ],
)
def test_settings_that_the_zoo_has_not_are_refused(
    network, setting, value, message, save
):
    _, arguments = save(network)
    arguments["config"] = {**arguments["config"], setting: value}
    with pytest.raises(ValueError, match=message):
        zoo.import_checkpoint(**arguments)


def test_a_network_without_cross_layers_is_refused(save):
    _, arguments = save("DCN", {**UNITS, "cross_num": 0})
    with pytest.raises(ValueError, match="cross layer.*cross_num=0"):
        zoo.import_checkpoint(**arguments)


def test_another_network_is_refused(save):
    _, arguments = save("WDL")
    for model in ("xDeepFM", None):
        arguments["model"] = model
        with pytest.raises(ValueError, match=f"WDL.*Received: model={model!r}"):
            zoo.import_checkpoint(**arguments)
    arguments["model"] = "DCN"
    with pytest.raises(ValueError, match=r"must hold `crossnet\.kernels`"):
        zoo.import_checkpoint(**arguments)


@pytest.mark.parametrize(
    "place, column, message",
    [
        (0, columns.SparseFeat("site", 11, 8), "one length, 8.*'hour'"),
        (0, columns.SparseFeat("site", 12, 4), r"site.*\(12, 4\).*\(11, 4\)"),
        (0, columns.SparseFeat("hour", 11, 4), "differ.*'hour', 'price'"),
        (0, columns.SparseFeat("page", 11, 4), r"must hold .*page\.weight"),
        (
            0,
            columns.SparseFeat("site", 11, 4, embedding_name="hour"),
            "'site'.*own.*embedding_name='hour'",
        ),
        (
            0,
            columns.VarLenSparseFeat(columns.SparseFeat("site", 11, 4), 3),
            "no sequences.*VarLenSparseFeat",
        ),
        (
            3,
            columns.DenseFeat("vector", 3),
            r"linear_model.*\(4, 1\).*\(3, 1\)",
        ),
    ],
)
def test_columns_that_the_zoo_has_not_are_refused(place, column, message, save):
    _, arguments = save("WDL")
    features = list(FEATURES)
    features[place] = column
    with pytest.raises(ValueError, match=message):
        zoo.import_checkpoint(**{**arguments, "features": features})


@pytest.mark.parametrize("features", [None, [], "site", {"site": 3}])
def test_features_must_be_columns(features, save):
    _, arguments = save("WDL")
    with pytest.raises(ValueError, match="must be the list.*Received"):
        zoo.import_checkpoint(**{**arguments, "features": features})


def test_dense_columns_alone_are_refused(save):
    _, arguments = save("WDL")
    with pytest.raises(ValueError, match="SparseFeat.*Received"):
        zoo.import_checkpoint(**{**arguments, "features": FEATURES[1:2]})
