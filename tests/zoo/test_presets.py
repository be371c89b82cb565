import json

import numpy as np
import pytest

import zoo

SCHEMA = zoo.FeatureSchema(["price"], {"site": 10, "hour": 5})
INPUTS = {
    "dense": np.linspace(0, 1, 8, dtype="float32")[:, None],
    "ids": np.stack([np.arange(8) % 10, np.arange(8) % 5], 1).astype("int32"),
}


@pytest.fixture
def preset(tmp_path):
    model = zoo.DCN(SCHEMA, embedding_dim=4, hidden_units=(8,))
    zoo.save_to_preset(model, tmp_path / "preset", metadata={"auc": 0.5})
    return model, tmp_path / "preset"


def test_round_trip_keeps_class_schema_and_predictions(preset):
    model, folder = preset
    again = zoo.from_preset(folder)
    assert type(again) is zoo.DCN
    assert again.schema == SCHEMA
    np.testing.assert_array_equal(
        again.predict(INPUTS, verbose=0), model.predict(INPUTS, verbose=0)
    )
    assert json.loads((folder / "metadata.json").read_text())["auc"] == 0.5


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config\.json.*Received"):
        zoo.from_preset(tmp_path)


def test_missing_weights_are_named(preset):
    _, folder = preset
    (folder / "model.weights.h5").unlink()
    with pytest.raises(FileNotFoundError, match=r"model\.weights\.h5"):
        zoo.from_preset(folder)


def test_a_config_of_something_else_is_refused(preset):
    _, folder = preset
    config = json.loads((folder / "config.json").read_text())
    config["registered_name"] = "other>Network"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="registered_name.*other>Network"):
        zoo.from_preset(folder)


def test_the_optimizer_is_not_saved_and_stays_with_the_model(tmp_path):
    model = zoo.DeepFM(SCHEMA, embedding_dim=4, hidden_units=(256, 256))
    model.compile("adam", "binary_crossentropy")
    model.fit(INPUTS, np.tile([[0.0], [1.0]], (4, 1)), verbose=0)
    zoo.save_to_preset(model, tmp_path)
    saved = (tmp_path / "model.weights.h5").stat().st_size
    assert saved < 4 * model.count_params() * 1.5
    model.fit(INPUTS, np.tile([[0.0], [1.0]], (4, 1)), verbose=0)
    assert model.optimizer.iterations == 2


def test_a_preset_keeps_the_dtype_policy(tmp_path):
    model = zoo.DeepFM(
        SCHEMA, embedding_dim=4, hidden_units=(8,), dtype="mixed_bfloat16"
    )
    zoo.save_to_preset(model, tmp_path / "preset")
    again = zoo.from_preset(tmp_path / "preset")
    assert again.dtype_policy.name == "mixed_bfloat16"
    assert again.get_layer("hidden_1").compute_dtype == "bfloat16"
    np.testing.assert_array_equal(
        again.predict(INPUTS, verbose=0), model.predict(INPUTS, verbose=0)
    )
