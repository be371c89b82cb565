"""Tests that need neither PyTorch nor the original libraries."""

import sys

import numpy as np
import pytest

import zoo
from zoo.interop.fuxictr_features import FuxiCTRFeatures
from zoo.interop.state_dict import StateDict
from zoo.interop.weighted_model import make_network


def test_an_unknown_source_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match="fuxictr.*deepctr_torch.*source='torchrec'"
    ):
        zoo.import_checkpoint(tmp_path, "torchrec", [])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Received.*absent\.model"):
        zoo.import_checkpoint(tmp_path / "absent.model", "fuxictr", {})


def test_a_config_that_is_no_dict_is_refused(tmp_path):
    with pytest.raises(ValueError, match="config.*Received: config='DeepFM'"):
        zoo.import_checkpoint(tmp_path, "fuxictr", {}, config="DeepFM")


def test_without_pytorch_the_error_says_what_to_install(tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    path.write_bytes(b"anything")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="pip install torch"):
        zoo.import_checkpoint(path, "fuxictr", {})


def test_every_tensor_must_be_taken_once():
    weights = {"a.0.w": np.zeros((2, 3)), "a.2.w": np.ones(3), "b": np.ones(1)}
    state = StateDict("model.pt", weights)
    assert state.numbers("a") == [0, 2]
    assert state.take("a.0.w", (None, 3)).shape == (2, 3)
    with pytest.raises(
        ValueError, match=r"model\.pt.*hold `a\.0\.w`.*Received"
    ):
        state.take("a.0.w", (2, 3))
    with pytest.raises(ValueError, match=r"`b` must have shape \(2,\).*\(1,\)"):
        state.take("b", (2,))
    with pytest.raises(ValueError, match=r"shape \(any, 3\).*\(3,\)"):
        state.take("a.2.w", (None, 3))
    with pytest.raises(ValueError, match=r"Received: \['a\.2\.w', 'b'\]"):
        state.check_all_taken()
    state.take("a.2.w", (3,)), state.take("b", (1,))
    state.check_all_taken()


@pytest.mark.parametrize(
    "content, message",
    [
        ("{", r"feature_map\.json: must be JSON"),
        ("[]", r"feature_map\.json: must hold a JSON object.*\[\]"),
        ('{"features": {"a": {}}}', "must be a list.*Received"),
        ('{"features": [{"a": {"vocab_size": 3}}]}', "their `type`.*Received"),
        (
            '{"labels": ["y"], "features": [{"a": {"type": "categorical"}}]}',
            "'a' must have a `vocab_size`",
        ),
        (
            '{"features": [{"a": {"type": "meta"}}, {"a": {"type": "meta"}}]}',
            r"differ.*\['a', 'a'\]",
        ),
    ],
)
def test_a_damaged_feature_map_is_named(content, message, tmp_path):
    path = tmp_path / "feature_map.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        FuxiCTRFeatures.read(path)


def test_a_missing_feature_map_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Received.*absent\.json"):
        FuxiCTRFeatures.read(tmp_path / "absent.json")


def test_weights_that_a_network_has_not_are_refused():
    schema = zoo.FeatureSchema([], {"site": 3})
    arguments = {"schema": schema, "embedding_dim": 2, "hidden_units": ()}
    with pytest.raises(ValueError, match=r"`DeepFM`.*\['hidden_1/kernel'\]"):
        make_network(
            zoo.DeepFM, arguments, {"hidden_1/kernel": np.zeros((2, 2))}
        )
