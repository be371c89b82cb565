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

# The names of inputs are not those of their tensors where there are sequences.
pytestmark = pytest.mark.filterwarnings("ignore:When providing `inputs` as a")

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
LENGTH = 4
# `visited` shares the table of `site`, `words` has one of its own.
SEQUENCES = [
    columns.VarLenSparseFeat(
        columns.SparseFeat("visited", 11, 4, embedding_name="site"), LENGTH
    ),
    *FEATURES,
    columns.VarLenSparseFeat(columns.SparseFeat("words", 7, 4), LENGTH),
]
# The network, its arguments, its columns, the zoo's class and its arguments.
CASES = {
    "WDL": ("WDL", UNITS, FEATURES, zoo.WideDeep, {"hidden_units": [16, 8]}),
    "WDL wide alone": ("WDL", {"dnn_hidden_units": ()}, FEATURES, zoo.LR, {}),
    "WDL batch norm": (
        "WDL",
        {**UNITS, "dnn_use_bn": True, "dnn_activation": "prelu"},
        FEATURES,
        zoo.WideDeep,
        {"normalization": "batch", "activation": "prelu"},
    ),
    "DeepFM": (
        "DeepFM",
        {**UNITS, "dnn_dropout": 0.2},
        FEATURES,
        zoo.DeepFM,
        {"dropout": 0.2},
    ),
    "DeepFM sparse": (
        "DeepFM",
        {**UNITS, "dnn_activation": "sigmoid"},
        SPARSE,
        zoo.DeepFM,
        {"activation": "sigmoid"},
    ),
    "DeepFM sequences": (
        "DeepFM",
        {**UNITS, "dnn_activation": "linear"},
        SEQUENCES,
        zoo.DeepFM,
        {"activation": None},
    ),
    "DeepFM FM alone": (
        "DeepFM",
        {"dnn_hidden_units": ()},
        SPARSE,
        zoo.FM,
        {},
    ),
    "xDeepFM without its CIN": (
        "xDeepFM",
        {**UNITS, "cin_layer_size": ()},
        FEATURES,
        zoo.WideDeep,
        {},
    ),
    "DCN": (
        "DCN",
        {**UNITS, "cross_num": 3},
        SEQUENCES,
        zoo.DCN,
        {"num_cross_layers": 3},
    ),
    "DCN matrix": (
        "DCN",
        {**UNITS, "cross_parameterization": "matrix"},
        FEATURES,
        zoo.DCNv2,
        {"mixture": False},
    ),
    "DCNMix": (
        "DCNMix",
        {**UNITS, "low_rank": 3, "num_experts": 2},
        FEATURES,
        zoo.DCNv2,
        {"low_rank": 3, "num_experts": 2},
    ),
}


def rows(features, number=500):
    """Inputs of the zoo, and the one matrix that the original reads."""
    random = np.random.default_rng(1)
    inputs, parts, ids = {}, [], []
    dense = [np.zeros((number, 0))]
    for column in features:
        if hasattr(column, "dimension"):
            parts.append(random.normal(size=(number, column.dimension)))
            dense.append(parts[-1])
        elif hasattr(column, "maxlen"):
            events = random.integers(
                1, column.vocabulary_size, (number, LENGTH)
            )
            lengths = random.integers(1, LENGTH + 1, (number, 1))
            parts.append(np.where(np.arange(LENGTH) < lengths, events, 0))
            padded = np.where(parts[-1] == 0, -1, parts[-1])
            inputs[column.name] = padded.astype("int32")
        else:
            size = column.vocabulary_size
            parts.append(random.integers(0, size, (number, 1)))
            ids.append(parts[-1])
    inputs["dense"] = np.concatenate(dense, axis=1).astype("float32")
    inputs["ids"] = np.concatenate(ids, axis=1).astype("int32")
    return inputs, torch.from_numpy(np.concatenate(parts, 1)).float()


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
    network, config, features, expected_class, expected = CASES[case]
    original, arguments = save(network, config, features)
    model = zoo.import_checkpoint(**arguments)
    assert type(model) is expected_class
    received = model.get_config()
    assert {name: received[name] for name in expected} == expected
    assert list(model.schema.categorical) == list(FIELDS)
    if features is not SPARSE:
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


def test_a_sequence_shares_the_table_of_a_field(save):
    _, arguments = save("DeepFM", features=SEQUENCES)
    model = zoo.import_checkpoint(**arguments)
    assert model.schema.sequences["visited"].field == "site"
    assert list(model.schema.vocabularies) == [*FIELDS, "words"]
    assert model.get_layer("embeddings").get_weights()[0].shape == (26, 4)


def test_an_imported_model_becomes_a_preset(save, logits, tmp_path):
    config = CASES["WDL batch norm"][1]
    _, arguments = save("WDL", config, SEQUENCES)
    model = zoo.import_checkpoint(**arguments)
    model.save_to_preset(tmp_path / "preset")
    again = zoo.from_preset(tmp_path / "preset")
    inputs, _ = rows(SEQUENCES)
    np.testing.assert_array_equal(logits(again, inputs), logits(model, inputs))


def test_a_batch_norm_that_the_config_leaves_out_is_missed(save):
    _, arguments = save("WDL", {**UNITS, "dnn_use_bn": True})
    del arguments["config"]
    with pytest.raises(ValueError, match=r"no place.*dnn\.bn\.0\.bias"):
        zoo.import_checkpoint(**arguments)


@pytest.mark.parametrize(
    "network, setting, value, message",
    [
        (
            "WDL",
            "dnn_activation",
            "sigmoidd",
            r"activations.*mean 'sigmoid'.*dnn_activation'\]='sigmoidd'",
        ),
        ("WDL", "dnn_activation", ["relu", "tanh"], r"\['relu', 'tanh'\]"),
        ("WDL", "dnn_activation", "prelu", r"activation_layers\.0\.weight"),
        (
            "WDL",
            "dnn_use_bn",
            True,
            r"`dnn\.bn\.0\.weight`.*`dnn` with \['linears'\]",
        ),
        ("WDL", "dnn_dropout", "a", r"must be a rate.*dnn_dropout'\]='a'"),
        ("WDL", "embedding_dim", 8, r"have 4.*embedding_dim'\]=8"),
        ("WDL", "dnn_hidden_units", (8, 16), r"\[16, 8\].*\(8, 16\)"),
        ("WDL", "task", "regression", "'binary'.*'regression'"),
        ("WDL", "cross_num", 2, r"`WDL`.*Received: \['cross_num'\]"),
        ("DeepFM", "use_fm", False, "model='WDL'.*False"),
        ("DCN", "cross_num", 3, r"have 2.*cross_num'\]=3"),
        ("DCN", "cross_parameterization", "matrix", r"kernels.*\(2, 15, 1\)"),
        ("DCN", "cross_parameterization", "low", "one of.*'vector'.*'low'"),
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
    for model in ("Wide", None):
        arguments["model"] = model
        with pytest.raises(ValueError, match=f"WDL.*Received: model={model!r}"):
            zoo.import_checkpoint(**arguments)
    arguments["model"] = "DCN"
    with pytest.raises(
        ValueError, match=r"must hold `crossnet\.kernels`.*'dnn'"
    ):
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
            columns.VarLenSparseFeat(
                columns.SparseFeat("site", 11, 4), 3, combiner="sum"
            ),
            "`combiner` of 'site' must be 'mean'.*combiner='sum'",
        ),
        (
            0,
            columns.VarLenSparseFeat(
                columns.SparseFeat("site", 11, 4, embedding_name="page"), 3
            ),
            "'site'.*list that of a field.*embedding_name='page'",
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
