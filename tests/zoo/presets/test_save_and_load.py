import json

import huggingface_hub
import numpy as np
import pytest

import zoo
from tests.zoo.networks import FIRST
from zoo.registry import NETWORKS

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


def test_saving_again_keeps_what_else_is_in_the_folder(preset):
    _, folder = preset
    (folder / "README.md").write_text("A card of ours.")
    newer = zoo.DeepFM(SCHEMA, embedding_dim=4, hidden_units=(8,))
    newer.save_to_preset(folder)
    assert {path.name for path in folder.iterdir()} == {
        *("config.json", "metadata.json", "model.weights.h5", "README.md"),
    }
    np.testing.assert_array_equal(
        zoo.from_preset(folder).predict(INPUTS, verbose=0),
        newer.predict(INPUTS, verbose=0),
    )


def test_an_encoder_is_replaced_by_another_and_never_lost(tmp_path):
    """One of an earlier model would give the rows of this one wrong ids."""
    encoders = []
    for name, rows in (("first", 1000), ("second", 2000)):
        raw = tmp_path / f"{name}.txt"
        zoo.datasets.synthetic.write_raw_log(raw, rows=rows, max_vocabulary=20)
        zoo.prepare(
            zoo.datasets.SYNTHETIC, raw, tmp_path / name, show_progress=False
        )
        encoders.append(zoo.EncodedLog.load(tmp_path / name).encoder)
    first, second = encoders
    models = [
        zoo.DCN(encoder.schema, embedding_dim=2, hidden_units=(4,))
        for encoder in encoders
    ]
    folder = tmp_path / "preset"
    models[0].save_to_preset(folder, first)
    with pytest.raises(ValueError, match="`encoder` must be given.*Received"):
        models[0].save_to_preset(folder)
    assert zoo.CTRPredictor.from_preset(folder).encoder.extends(first)
    models[1].save_to_preset(folder, second)
    kept = zoo.CTRPredictor.from_preset(folder).encoder
    assert kept.extends(second)
    assert not kept.extends(first)
    assert len(list(folder.iterdir())) == 4


def test_what_cannot_be_saved_leaves_everything_as_it_was(preset, tmp_path):
    _, folder = preset
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    newer = zoo.DeepFM(SCHEMA, embedding_dim=4, hidden_units=(8,))
    with pytest.raises(TypeError, match="not JSON serializable"):
        newer.save_to_preset(folder, metadata={"auc": object()})
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    with pytest.raises(TypeError, match="not JSON serializable"):
        newer.save_to_preset(tmp_path / "new", metadata={"auc": object()})
    assert not (tmp_path / "new").exists()


def edit(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("change", ["quantize", "lora"])
def test_a_changed_network_is_refused(preset, change):
    model, folder = preset
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    hidden = model.get_layer("hidden_1")
    if change == "quantize":
        hidden.quantize("int8")
    else:
        hidden.enable_lora(2)
    with pytest.raises(
        ValueError, match="must be as its.*Received: .*hidden_1"
    ):
        zoo.save_to_preset(model, folder, metadata={})
    after = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert after == before


def test_without_weights_the_network_draws_its_own(preset):
    model, folder = preset
    (folder / "model.weights.h5").unlink()
    again = zoo.from_preset(folder, load_weights=False)
    assert again.get_config()["embedding_dim"] == 4
    weights = [np.array(w) for w in again.get_weights()]
    assert any(
        not np.array_equal(new, old)
        for new, old in zip(weights, model.get_weights(), strict=True)
    )


def test_a_dtype_given_comes_before_the_one_saved(preset):
    _, folder = preset
    again = zoo.from_preset(folder, dtype="mixed_bfloat16")
    assert again.get_layer("hidden_1").compute_dtype == "bfloat16"


def test_weights_that_were_changed_are_refused(preset):
    _, folder = preset
    path = folder / "model.weights.h5"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"weights\.h5.*sha256.*Received"):
        zoo.from_preset(folder)


def test_a_newer_format_is_refused(preset):
    _, folder = preset
    edit(folder / "metadata.json", format_version=2)
    with pytest.raises(ValueError, match="upgrade.*Received: format_version=2"):
        zoo.from_preset(folder)


def test_a_preset_of_an_earlier_version_is_read(preset):
    model, folder = preset
    (folder / "metadata.json").unlink()
    np.testing.assert_array_equal(
        zoo.from_preset(folder).predict(INPUTS, verbose=0),
        model.predict(INPUTS, verbose=0),
    )


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_config_is_named(preset, text):
    _, folder = preset
    (folder / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json: must.*Received"):
        zoo.from_preset(folder)


def test_a_config_runs_no_code(preset, tmp_path, monkeypatch):
    _, folder = preset
    (tmp_path / "intruder.py").write_text("raise SystemExit('was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    hostile = {"module": "intruder", "class_name": "Any", "config": {}}
    config = json.loads((folder / "config.json").read_text())
    for name in ("schema", "dtype"):
        arguments = {**config["config"], name: hostile}
        edit(folder / "config.json", config=arguments)
        with pytest.raises(ValueError, match=r"config\.json.*Received"):
            zoo.from_preset(folder)


@pytest.fixture
def hub(preset, monkeypatch):
    """The Hub, with the preset as its one repository."""
    _, folder = preset
    calls = []

    def snapshot_download(repository, **arguments):
        calls.append((repository, arguments))
        if repository != "user/dcn":
            raise huggingface_hub.errors.LocalEntryNotFoundError("offline")
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    return calls


def test_a_preset_comes_from_the_hub(preset, hub):
    model, _ = preset
    again = zoo.from_preset("hf://user/dcn", revision="v1", token="secret")
    np.testing.assert_array_equal(
        again.predict(INPUTS, verbose=0), model.predict(INPUTS, verbose=0)
    )
    repository, arguments = hub[0]
    assert repository == "user/dcn"
    assert (arguments["revision"], arguments["token"]) == ("v1", "secret")
    assert "model.weights.h5" in arguments["allow_patterns"]


def test_an_address_may_name_its_revision(hub):
    zoo.from_preset("hf://user/dcn@v1")
    repository, arguments = hub[0]
    assert (repository, arguments["revision"]) == ("user/dcn", "v1")
    with pytest.raises(ValueError, match="`revision`.*@v1, revision=v2"):
        zoo.from_preset("hf://user/dcn@v1", revision="v2")


def test_weights_that_are_not_asked_for_are_not_fetched(hub):
    zoo.from_preset("hf://user/dcn", load_weights=False)
    assert "model.weights.h5" not in hub[0][1]["allow_patterns"]


def test_without_the_hub_the_error_says_what_to_do(hub):
    with pytest.raises(FileNotFoundError, match=r"Copy.*hf://user/other"):
        zoo.from_preset("hf://user/other")


@pytest.mark.parametrize(
    "preset", ["hf://user", "hf://", "hf://a/b/c", "hf://a/b@", "hf://a@b/c"]
)
def test_an_address_without_a_repository_is_refused(preset):
    with pytest.raises(ValueError, match="hf://user/repository.*Received"):
        zoo.from_preset(preset)


def test_the_hubs_arguments_are_refused_with_a_folder(preset):
    _, folder = preset
    with pytest.raises(ValueError, match="`revision` is for presets on"):
        zoo.from_preset(folder, revision="main")


def test_a_path_that_is_not_there_lists_what_a_preset_may_be(tmp_path):
    with pytest.raises(FileNotFoundError, match="folder.*hf://.*Received"):
        zoo.from_preset(tmp_path / "none")


@pytest.mark.parametrize("name", FIRST)
def test_each_network_saves_and_loads_itself(tmp_path, name):
    cls = NETWORKS[name]
    model = cls(SCHEMA, embedding_dim=4, hidden_units=(8,))
    model.save_to_preset(tmp_path / name)
    again = cls.from_preset(tmp_path / name)
    assert type(again) is cls
    np.testing.assert_array_equal(
        again.predict(INPUTS, verbose=0), model.predict(INPUTS, verbose=0)
    )


def test_a_preset_of_another_network_is_refused(preset):
    _, folder = preset
    with pytest.raises(
        ValueError, match=r"zoo\.DCN\.from_preset.*Received: DeepFM"
    ):
        zoo.DeepFM.from_preset(folder)
