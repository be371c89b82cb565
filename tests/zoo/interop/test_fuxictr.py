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

FIELDS = {"site": 11, "hour": 5, "device": 3}
NUMERIC = ("price", "age")
MIXTURE = {
    "use_low_rank_mixture": True,
    "num_cross_layers": 2,
    "low_rank": 3,
    "num_experts": 4,
}
# The network, its settings, whether it has numeric features, the zoo's class.
CASES = {
    "LR": ("LR", {}, False, zoo.WideDeep),
    "LR numeric": ("LR", {}, True, zoo.WideDeep),
    "FM": ("FM", {}, False, zoo.DeepFM),
    "WideDeep": ("WideDeep", {"hidden_units": [16, 8]}, False, zoo.WideDeep),
    "WideDeep numeric": (
        "WideDeep",
        {"hidden_units": [16, 8], "net_dropout": 0.2},
        True,
        zoo.WideDeep,
    ),
    "WideDeep shallow": ("WideDeep", {"hidden_units": []}, True, zoo.WideDeep),
    "DeepFM": ("DeepFM", {"hidden_units": [16, 8]}, False, zoo.DeepFM),
    "DeepFM dropout": (
        "DeepFM",
        {"hidden_units": [16, 8], "net_dropout": 0.1},
        False,
        zoo.DeepFM,
    ),
    "DCN": ("DCN", {"dnn_hidden_units": [16, 8]}, False, zoo.DCN),
    "DCN alone": ("DCN", {"num_cross_layers": 2}, False, zoo.DCN),
    "DCNv2": ("DCNv2", {"parallel_dnn_hidden_units": [16]}, False, zoo.DCNv2),
    "DCNv2 alone": (
        "DCNv2",
        {"model_structure": "crossnet_only"},
        False,
        zoo.DCNv2,
    ),
    "DCNv2 mixture": (
        "DCNv2",
        {"parallel_dnn_hidden_units": [16, 8], **MIXTURE},
        False,
        zoo.DCNv2,
    ),
}


def make_feature_map(folder, numeric):
    """A feature map as FuxiCTR writes it, numeric features in between."""
    feature_map = FeatureMap("clicks", str(folder))
    specs = {"request": {"type": "meta"}}
    for name, size in FIELDS.items():
        specs[name] = {
            "source": "",
            "type": "categorical",
            "padding_idx": 0,
            "oov_idx": size - 1,
            "vocab_size": size,
        }
        if numeric and name != "device":
            number = NUMERIC[name == "hour"]
            specs[number] = {"source": "", "type": "numeric"}
    feature_map.features.update(specs)
    feature_map.labels = ["click"]
    feature_map.num_fields = feature_map.get_num_fields()
    feature_map.default_emb_dim = 4
    feature_map.save(str(folder / "clicks" / "feature_map.json"))
    return feature_map


def rows(numeric, number=500):
    random = np.random.default_rng(1)
    ids = [random.integers(0, size, number) for size in FIELDS.values()]
    dense = random.normal(size=(number, 2 * numeric)).astype("float32")
    inputs = {"dense": dense, "ids": np.stack(ids, axis=1).astype("int32")}
    original = dict(zip(FIELDS, map(torch.from_numpy, ids), strict=True))
    # Not in the order of the feature map, which is what counts.
    for i in reversed(range(2 * numeric)):
        original[NUMERIC[i]] = torch.from_numpy(dense[:, i])
    return inputs, original


@pytest.fixture
def save(tmp_path, randomize):
    """Makes a network, saves it as FuxiCTR does, and returns what is needed."""

    def save(network, settings=None, numeric=False):
        feature_map = make_feature_map(tmp_path, numeric)
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


@pytest.mark.parametrize("case", CASES)
def test_logits_are_those_of_the_original(case, save, logits):
    network, settings, numeric, expected_class = CASES[case]
    original, arguments = save(network, settings, numeric)
    model = zoo.import_checkpoint(**arguments)
    assert type(model) is expected_class
    assert list(model.schema.categorical) == list(FIELDS)
    assert model.schema.dense == (list(NUMERIC) if numeric else [])
    assert model.schema.label == "click"
    inputs, theirs = rows(numeric)
    original.output_activation = torch.nn.Identity()
    with torch.no_grad():
        expected = original(theirs).numpy()
    assert expected.std() > 0.1
    np.testing.assert_allclose(
        logits(model, inputs), expected, rtol=0, atol=1e-5
    )
    click = keras.ops.convert_to_numpy(model(inputs))
    np.testing.assert_allclose(click, 1 / (1 + np.exp(-expected)), atol=1e-5)


def test_an_imported_model_becomes_a_preset(save, logits, tmp_path):
    _, arguments = save("DCNv2", {"model_structure": "crossnet_only"})
    model = zoo.import_checkpoint(**arguments)
    model.save_to_preset(tmp_path / "preset")
    again = zoo.from_preset(tmp_path / "preset")
    inputs, _ = rows(numeric=False)
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
    assert type(zoo.import_checkpoint(**arguments)) is zoo.DeepFM


@pytest.mark.parametrize("network", ["FM", "DeepFM", "DCN", "DCNv2"])
def test_numeric_features_that_interact_are_refused(network, save):
    settings = {"hidden_units": [8]} if network == "DeepFM" else {}
    if network == "DCNv2":
        settings = {"model_structure": "crossnet_only"}
    _, arguments = save(network, settings, numeric=True)
    with pytest.raises(
        ValueError, match=rf"{network} must be categorical.*Received.*price"
    ):
        zoo.import_checkpoint(**arguments)


@pytest.mark.parametrize(
    "network, setting, value, message",
    [
        ("WideDeep", "hidden_activations", "tanh", "ReLU.*Received.*'tanh'"),
        ("WideDeep", "hidden_activations", ["ReLU", None], "ReLU.*None"),
        ("WideDeep", "batch_norm", True, r"\['batch_norm'\].*True"),
        ("WideDeep", "net_dropout", [0.1, 0.2], r"one rate.*\[0\.1, 0\.2\]"),
        ("WideDeep", "net_dropout", 0.5, "3 places apart.*net_dropout=0.5"),
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
        ("WideDeep", "model", "xDeepFM", "LR.*DCNv2.*Received.*xDeepFM"),
        ("WideDeep", "model", "LR", "lr_layer.bias.*Received"),
        ("DCN", "num_cross_layers", 2, r"have 3.*layers'\]=2"),
        ("DCNv2", "model_structure", "stacked", "perceptron.*'stacked'"),
        ("DCNv2", "model_structure", "parallel", "parallel_dnn.*Received"),
        ("DCNv2", "use_low_rank_mixture", True, "U_list.*Received"),
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
    "setting", [{"batch_norm": True}, {"hidden_activations": "prelu"}]
)
def test_weights_of_layers_that_the_config_leaves_out_are_refused(
    setting, save
):
    _, arguments = save("WideDeep", {"hidden_units": [8], **setting})
    arguments["config"] = {"model": "WideDeep"}
    with pytest.raises(ValueError, match=r"dnn\.mlp\.1\.weight.*Received"):
        zoo.import_checkpoint(**arguments)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"type": "sequence", "max_len": 3}, "'hour'.*type='sequence'"),
        ({"type": "embedding"}, "'hour'.*type='embedding'"),
        ({"pretrained_emb": "a.h5"}, "'hour'.*pretrained_emb='a.h5'"),
        ({"share_embedding": "site"}, "'hour'.*share_embedding='site'"),
        ({"feature_encoder": "nn.ReLU()"}, "'hour'.*feature_encoder"),
        ({"embedding_dim": 8}, "one length, 4.*8 of 'hour'"),
        ({"vocab_size": 6}, r"hour.*\(6, 4\).*Received.*\(5, 4\)"),
        ({"type": "numeric"}, "FM must be categorical.*hour"),
        ({"type": "meta"}, r"no place.*Received: .*hour\.weight"),
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
