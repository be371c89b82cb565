"""Networks made of FuxiCTR's own layers, and the zoo's with their weights."""

import json

import keras
import numpy as np
import pytest

pytest.importorskip(
    "fuxictr", reason="FuxiCTR is not installed: see `nox -s interop`"
)

import torch
from fuxictr.features import FeatureMap

import zoo
from tests.zoo.interop import fuxictr_networks

# The names of inputs are not those of their tensors where there are sequences.
pytestmark = pytest.mark.filterwarnings("ignore:When providing `inputs` as a")

FIELDS = {"site": 11, "hour": 5, "device": 3}
NUMERIC = ("price", "age")
LENGTH = 4
MEAN = "layers.MaskedAveragePooling()"
# The columns of a feature map, in its order.
PLAIN = ("site", "hour", "device")
BETWEEN = ("site", "price", "hour", "age", "device")
# `visited` shares the table of `site`, `words` has one of its own.
SEQUENCES = ("price", "site", "words", "hour", "visited", "device")
MIXTURE = {
    "use_low_rank_mixture": True,
    "num_cross_layers": 2,
    "low_rank": 3,
    "num_experts": 4,
}
DEEP = {"parallel_dnn_hidden_units": [16, 8]}
# The network, its settings, its columns, the zoo's class and its arguments.
CASES = {
    "LR": ("LR", {}, BETWEEN, zoo.LR, {}),
    "LR sequences": ("LR", {}, SEQUENCES, zoo.LR, {}),
    "FM": ("FM", {}, BETWEEN, zoo.FM, {}),
    "WideDeep without hidden layers": (
        "WideDeep",
        {"hidden_units": []},
        BETWEEN,
        zoo.WideDeep,
        {"hidden_units": []},
    ),
    "WideDeep dropout": (
        "WideDeep",
        {"hidden_units": [16, 8], "net_dropout": 0.2},
        PLAIN,
        zoo.WideDeep,
        {"dropout": 0.2, "activation": "relu"},
    ),
    "WideDeep activations": (
        "WideDeep",
        {
            "hidden_units": [16, 12, 10, 8],
            "hidden_activations": ["PReLU", "Identity", "GELU", "Dice"],
        },
        PLAIN,
        zoo.WideDeep,
        {"activation": ["prelu", None, "gelu", "dice"]},
    ),
    "WideDeep linear": (
        "WideDeep",
        {"hidden_units": [16, 8], "hidden_activations": None},
        PLAIN,
        zoo.WideDeep,
        {"activation": None},
    ),
    "DeepFM batch norm": (
        "DeepFM",
        {"hidden_units": [16, 8], "batch_norm": True},
        BETWEEN,
        zoo.DeepFM,
        {"normalization": "batch"},
    ),
    "DeepFM dropouts": (
        "DeepFM",
        {
            "hidden_units": [16, 12, 8],
            "net_dropout": [0.1, 0, 0.3],
            "hidden_activations": ["Tanh", "PReLU", None],
            "batch_norm": True,
        },
        SEQUENCES,
        zoo.DeepFM,
        {
            "dropout": [0.1, 0.0, 0.3],
            "activation": ["tanh", "prelu", None],
            "normalization": "batch",
        },
    ),
    "DCN": (
        "DCN",
        {"dnn_hidden_units": [16, 8], "dnn_activations": "Sigmoid"},
        BETWEEN,
        zoo.DCN,
        {"hidden_units": [16, 8], "activation": "sigmoid", "linear": False},
    ),
    "DCN alone": (
        "DCN",
        {"num_cross_layers": 2},
        SEQUENCES,
        zoo.DCN,
        {"hidden_units": [], "num_cross_layers": 2, "linear": False},
    ),
    "DCNv2 parallel": (
        "DCNv2",
        {**DEEP, "batch_norm": True},
        BETWEEN,
        zoo.DCNv2,
        {"structure": "parallel", "hidden_units": [16, 8], "mixture": False},
    ),
    "DCNv2 alone": (
        "DCNv2",
        {"model_structure": "crossnet_only"},
        PLAIN,
        zoo.DCNv2,
        {"structure": "crossnet_only", "linear": False},
    ),
    "DCNv2 stacked": (
        "DCNv2",
        {
            "model_structure": "stacked",
            "stacked_dnn_hidden_units": [16, 8],
            "net_dropout": 0.1,
        },
        SEQUENCES,
        zoo.DCNv2,
        {"structure": "stacked", "hidden_units": [16, 8], "dropout": 0.1},
    ),
    "DCNv2 mixture": (
        "DCNv2",
        {
            "model_structure": "stacked_parallel",
            "stacked_dnn_hidden_units": [8],
            **DEEP,
            **MIXTURE,
        },
        PLAIN,
        zoo.DCNv2,
        {"stacked_units": [8], "hidden_units": [16, 8], "low_rank": 3},
    ),
}


def spec(name):
    """A column as FuxiCTR's feature map describes it."""
    if name in NUMERIC:
        return {"source": "", "type": "numeric"}
    if name in FIELDS:
        size, more = FIELDS[name], {"type": "categorical"}
    else:
        size = FIELDS["site"] if name == "visited" else 7
        more = {"type": "sequence", "max_len": LENGTH, "feature_encoder": MEAN}
        if name == "visited":
            more["share_embedding"] = "site"
    return {
        "source": "",
        **more,
        "padding_idx": 0,
        "oov_idx": size - 1,
        "vocab_size": size,
    }


def make_feature_map(folder, names):
    """A feature map as FuxiCTR writes it."""
    feature_map = FeatureMap("clicks", str(folder))
    specs = {name: spec(name) for name in names}
    feature_map.features.update({"request": {"type": "meta"}, **specs})
    feature_map.labels = ["click"]
    feature_map.num_fields = feature_map.get_num_fields()
    feature_map.default_emb_dim = 4
    feature_map.save(str(folder / "clicks" / "feature_map.json"))
    return feature_map


def rows(names, number=500):
    """Inputs of the zoo, and of the original."""
    random = np.random.default_rng(1)
    theirs, inputs = {}, {}
    for name in names:
        if name in NUMERIC:
            theirs[name] = random.normal(size=number).astype("float32")
        elif name in FIELDS:
            theirs[name] = random.integers(0, FIELDS[name], number)
        else:
            size = spec(name)["vocab_size"]
            ids = random.integers(1, size, (number, LENGTH))
            lengths = random.integers(0, LENGTH + 1, (number, 1))
            theirs[name] = np.where(np.arange(LENGTH) < lengths, ids, 0)
            padded = np.where(theirs[name] == 0, -1, theirs[name])
            inputs[name] = padded.astype("int32")
    dense = [theirs[name] for name in names if name in NUMERIC]
    ids = [theirs[name] for name in names if name in FIELDS]
    none = np.zeros((0, number))
    inputs["dense"] = np.stack([*none, *dense], 1) if dense else none.T
    inputs["dense"] = inputs["dense"].astype("float32")
    inputs["ids"] = np.stack(ids, axis=1).astype("int32")
    # Not in the order of the feature map, which is what counts.
    reversed_names = reversed(list(names))
    return inputs, {n: torch.from_numpy(theirs[n]) for n in reversed_names}


@pytest.fixture
def save(tmp_path, randomize):
    """Makes a network, saves it as FuxiCTR does, and returns what is needed."""

    def save(network, settings=None, names=PLAIN):
        feature_map = make_feature_map(tmp_path, names)
        settings = {"embedding_dim": 4, **(settings or {})}
        original = getattr(fuxictr_networks, network)(
            feature_map, tmp_path, **settings
        )
        randomize(original)
        original.save_weights(original.checkpoint)
        return original.eval(), {
            "path": original.checkpoint,
            "source": "fuxictr",
            "features": tmp_path / "clicks" / "feature_map.json",
            "config": {"model": network, **settings},
        }

    return save


@pytest.fixture
def compare(logits):
    """Compares what an imported model and its original compute."""

    def compare(model, original, names):
        inputs, theirs = rows(names)
        original.output_activation = torch.nn.Identity()
        with torch.no_grad():
            expected = original(theirs).numpy()
        assert expected.std() > 0.1
        np.testing.assert_allclose(
            logits(model, inputs), expected, rtol=0, atol=1e-5
        )
        click = keras.ops.convert_to_numpy(model(inputs))
        expected = 1 / (1 + np.exp(-expected))
        np.testing.assert_allclose(click, expected, atol=1e-5)

    return compare


@pytest.mark.parametrize("case", CASES)
def test_logits_are_those_of_the_original(case, save, compare):
    network, settings, names, expected_class, expected = CASES[case]
    original, arguments = save(network, settings, names)
    model = zoo.import_checkpoint(**arguments)
    assert type(model) is expected_class
    config = model.get_config()
    assert {name: config[name] for name in expected} == expected
    assert list(model.schema.categorical) == list(FIELDS)
    assert model.schema.dense == [n for n in names if n in NUMERIC]
    assert model.schema.label == "click"
    compare(model, original, names)


def test_a_sequence_shares_the_table_of_a_field(save):
    _, arguments = save("FM", names=SEQUENCES)
    model = zoo.import_checkpoint(**arguments)
    assert model.schema.sequences["visited"].field == "site"
    assert list(model.schema.vocabularies) == [*FIELDS, "words"]
    assert model.get_config()["field_order"] == list(SEQUENCES)
    rows = sum(model.schema.vocabularies.values())
    assert model.get_layer("embeddings").get_weights()[0].shape == (rows, 4)


def test_a_sequence_before_its_field_has_a_table_of_its_own(save, compare):
    # As in the original, which shares what it has made before.
    names = ("visited", "site", "hour", "device")
    original, arguments = save("DeepFM", {"hidden_units": [8]}, names)
    model = zoo.import_checkpoint(**arguments)
    assert model.schema.sequences["visited"].field is None
    compare(model, original, names)


def test_a_shared_table_of_two_contents_is_refused(save):
    _, arguments = save("FM", names=SEQUENCES)
    weights = torch.load(arguments["path"])
    tables = "embedding_layer.embedding_layer.embedding_layers"
    weights[f"{tables}.visited.weight"] = torch.ones(11, 4)
    torch.save(weights, arguments["path"])
    with pytest.raises(ValueError, match=r"visited\.weight.*'site'.*Received"):
        zoo.import_checkpoint(**arguments)


def test_an_imported_model_becomes_a_preset(save, logits, tmp_path):
    _, settings, names, *_ = CASES["DeepFM dropouts"]
    _, arguments = save("DeepFM", settings, names)
    model = zoo.import_checkpoint(**arguments)
    model.save_to_preset(tmp_path / "preset")
    again = zoo.from_preset(tmp_path / "preset")
    inputs, _ = rows(names)
    np.testing.assert_array_equal(logits(again, inputs), logits(model, inputs))


def test_settings_that_only_training_needs_are_not_looked_at(save):
    _, arguments = save("FM")
    arguments["config"] = {
        "model": "FM",
        "optimizer": "adam",
        "embedding_regularizer": 1e-5,
        "batch_size": 4096,
    }
    zoo.import_checkpoint(**arguments)


def test_the_padding_row_stays_zero_and_rows_stay_in_place(save):
    original, arguments = save("DeepFM", {"hidden_units": [8]})
    model = zoo.import_checkpoint(**arguments)
    start = 0
    table = model.get_layer("embeddings").get_weights()[0]
    for name, size in FIELDS.items():
        layer = original.embedding_layer.embedding_layer.embedding_layers[name]
        theirs = layer.weight.detach().numpy()
        assert not theirs[0].any() and theirs[1:].any(axis=1).all()
        np.testing.assert_array_equal(table[start : start + size], theirs)
        start += size


def test_the_feature_map_may_be_its_content(save):
    _, arguments = save("FM")
    arguments["features"] = json.loads(arguments["features"].read_text())
    assert type(zoo.import_checkpoint(**arguments)) is zoo.FM


@pytest.mark.parametrize(
    "network, setting, value, message",
    [
        (
            "WideDeep",
            "hidden_activations",
            "SELUU",
            r"activations that the zoo has.*mean 'selu'.*'SELUU'",
        ),
        (
            "WideDeep",
            "hidden_activations",
            ["ReLU"],
            r"one value.*2 layers.*\['ReLU'\]",
        ),
        (
            "WideDeep",
            "hidden_activations",
            ["ReLU", None],
            r"`dnn\.mlp`.*\[0, 2, 3\].*'hidden_activations'.*"
            r"\[0, 2, 4\].*hidden_activations=\['ReLU', None\]",
        ),
        (
            "WideDeep",
            "batch_norm",
            True,
            r"\[0, 1, 3, 4, 6\].*\[0, 2, 4\].*batch_norm=True",
        ),
        (
            "WideDeep",
            "net_dropout",
            0.5,
            r"\[0, 3, 6\].*\[0, 2, 4\].*net_dropout=0.5",
        ),
        ("WideDeep", "net_dropout", [0.1], r"one value.*2 layers.*\[0\.1\]"),
        ("WideDeep", "net_dropout", "0.1", "be a rate.*net_dropout.*'0.1'"),
        (
            "WideDeep",
            "hidden_units",
            [16, 4],
            r"\[16, 8\].*Received.*\[16, 4\]",
        ),
        ("WideDeep", "embedding_dim", 5, r"have 4.*embedding_dim'\]=5"),
        ("WideDeep", "task", "regression", "task.*'regression'"),
        ("WideDeep", "use_features", ["site"], "use_features.*site"),
        ("WideDeep", "feature_specs", [{"name": "a"}], "feature_specs.*'a'"),
        ("WideDeep", "model", "WideDepp", "mean 'WideDeep'.*'WideDepp'"),
        (
            "WideDeep",
            "model",
            "xDeepFM",
            r"`cin\.fc\.weight`.*'dnn', 'embedding_layer', 'lr_layer'\]",
        ),
        (
            "WideDeep",
            "model",
            "LR",
            r"`lr_layer\.bias`.*`lr_layer` with \['embedding_layer'\]",
        ),
        ("DCN", "num_cross_layers", 2, r"have 3.*layers'\]=2"),
        ("DCNv2", "model_structure", "deep", "one of.*'parallel'.*'deep'"),
        ("DCNv2", "model_structure", "stacked", "`stacked_dnn`.*'stacked'"),
        ("DCNv2", "model_structure", "parallel", "`parallel_dnn`.*'parallel'"),
        (
            "DCNv2",
            "use_low_rank_mixture",
            True,
            r"`crossnet\.U_list\.0`.*`crossnet` with \['cross_layers'\]",
        ),
    ],
)
def test_settings_that_the_zoo_has_not_are_refused(
    network, setting, value, message, save
):
    settings = {
        "WideDeep": {"hidden_units": [16, 8]},
        "DCN": {},
        "DCNv2": {"model_structure": "crossnet_only"},
    }[network]
    _, arguments = save(network, settings)
    arguments["config"] = {**arguments["config"], setting: value}
    with pytest.raises(ValueError, match=message):
        zoo.import_checkpoint(**arguments)


@pytest.mark.parametrize(
    "setting, places",
    [
        ({"batch_norm": True}, "0, 1, 3"),
        ({"hidden_activations": "prelu"}, "0, 1, 2"),
        ({"net_dropout": 0.1}, "0, 3"),
    ],
)
def test_settings_that_the_config_leaves_out_are_missed(setting, places, save):
    _, arguments = save("WideDeep", {"hidden_units": [8], **setting})
    arguments["config"] = {"model": "WideDeep"}
    message = rf"`dnn\.mlp`.*\[0, 2\], which.*Received.*\[{places}\]"
    with pytest.raises(ValueError, match=message):
        zoo.import_checkpoint(**arguments)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"type": "embedding"}, "'hour'.*type='embedding'"),
        ({"pretrained_emb": "a.h5"}, "'hour'.*pretrained_emb='a.h5'"),
        ({"share_embedding": "site"}, "'hour'.*share_embedding='site'"),
        ({"feature_encoder": "nn.ReLU()"}, "'hour'.*feature_encoder"),
        ({"embedding_dim": 8}, "one length, 4.*8 of 'hour'"),
        ({"vocab_size": 6}, r"hour.*\(6, 4\).*Received.*\(5, 4\)"),
        ({"type": "numeric"}, r"hour.*\(4, 1\).*Received.*\(5, 4\)"),
        ({"type": "meta"}, r"no place.*Received: .*hour\.weight"),
        ({"type": "sequence"}, "'hour' must have a `max_len`.*Received"),
        (
            {
                "type": "sequence",
                "feature_encoder": "layers.MaskedSumPooling()",
            },
            "'hour'.*MaskedAveragePooling.*Received.*MaskedSumPooling",
        ),
        (
            {"type": "sequence", "max_len": 3, "share_embedding": "page"},
            "'hour'.*categorical.*share_embedding='page'",
        ),
    ],
)
def test_features_that_the_zoo_has_not_are_refused(change, message, save):
    _, arguments = save("FM")
    content = json.loads(arguments["features"].read_text())
    [hour] = [f["hour"] for f in content["features"] if "hour" in f]
    hour.update(change)
    arguments["features"] = content
    with pytest.raises(ValueError, match=message):
        zoo.import_checkpoint(**arguments)


@pytest.mark.parametrize(
    "features, message",
    [
        (None, "features` must be a list.*Received: features=None"),
        ([{"site": {"vocab_size": 3}}], "`type`.*Received"),
        ([{"site": {"type": "categorical"}}], "'site'.*vocab_size.*Received"),
        ([{"price": {"type": "numeric"}}], "Received"),
        ([{"a": {"type": "meta"}}, {"a": {"type": "meta"}}], "differ.*'a'"),
    ],
)
def test_a_feature_map_with_bad_content_is_refused(features, message, save):
    _, arguments = save("FM")
    arguments["features"] = {"labels": ["click"], "features": features}
    with pytest.raises(ValueError, match=message):
        zoo.import_checkpoint(**arguments)


def test_other_labels_than_one_are_refused(save):
    _, arguments = save("FM")
    content = json.loads(arguments["features"].read_text())
    arguments["features"] = {**content, "labels": ["click", "like"]}
    with pytest.raises(ValueError, match="one label.*'like'"):
        zoo.import_checkpoint(**arguments)


def test_a_weight_too_many_is_refused_by_name(save):
    _, arguments = save("FM")
    weights = torch.load(arguments["path"])
    weights["gate.weight"] = torch.zeros(3)
    torch.save(weights, arguments["path"])
    with pytest.raises(ValueError, match=r"no place.*\['gate\.weight'\]"):
        zoo.import_checkpoint(**arguments)


def test_a_weight_too_few_is_refused_by_name(save):
    _, arguments = save("FM")
    weights = torch.load(arguments["path"])
    del weights["fm.lr_layer.bias"]
    torch.save(weights, arguments["path"])
    with pytest.raises(ValueError, match=r"must hold `fm\.lr_layer\.bias`"):
        zoo.import_checkpoint(**arguments)
