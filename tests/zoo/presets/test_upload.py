import json
import shutil
import warnings
from importlib import import_module

import huggingface_hub
import numpy as np
import pytest
from huggingface_hub.errors import HTTPError

import zoo
from tests.folder_hub import FolderHub
from zoo.cli import app as cli
from zoo.datasets import CRITEO
from zoo.datasets import SYNTHETIC
from zoo.datasets import synthetic

pytestmark = pytest.mark.one_backend(
    reason="what is uploaded is a preset, which every backend is tested by"
)
# The library behind the Hub's client, which changes between its versions.
httpx = import_module(HTTPError.__module__.partition(".")[0])


class Hub(FolderHub):
    """Keeps what it was asked for, and refuses where it is told to."""

    def __init__(self, root):
        super().__init__(root)
        self.made = {}
        self.commits = []
        self.error = None

    def __call__(self, token=None):
        self.token = token
        return self

    def create_repo(self, repository, private, exist_ok):
        if self.error is not None:
            raise self.error
        assert exist_ok
        self.made.setdefault(repository, private)

    def create_commit(self, repository, operations, commit_message, revision):
        self.commits.append((repository, commit_message, revision))
        return super().create_commit(repository, operations)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    stub = Hub(tmp_path / "hub")
    monkeypatch.setattr(huggingface_hub, "HfApi", stub)
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", stub.snapshot_download
    )
    return stub


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Trained models of a free log and of a licensed one, by their names."""
    folder = tmp_path_factory.mktemp("runs")
    raw = folder / "raw.txt"
    synthetic.write_raw_log(raw, rows=1000, max_vocabulary=5)
    for data in (SYNTHETIC, CRITEO):
        zoo.prepare(
            data, raw, folder / "encoded", split="random", overwrite=True
        )
        zoo.train(
            zoo.EncodedLog.load(folder / "encoded"),
            folder / data.name,
            batch_size=256,
            epochs=1,
            hidden_units=(4,),
            embedding_dim=2,
            verbose=0,
        )
    return folder


@pytest.fixture
def own(tmp_path):
    """A preset without an encoder and of no training."""
    schema = zoo.FeatureSchema(["price"], {"site": 5})
    model = zoo.DCN(schema, embedding_dim=2, hidden_units=(4,))
    model.save_to_preset(tmp_path / "own")
    return tmp_path / "own"


def test_what_is_uploaded_comes_back(runs, hub, tmp_path):
    (runs / "synthetic" / "notes.txt").write_text("private")
    url = zoo.upload_preset(
        runs / "synthetic", "hf://ann/clicks", private=True, token="t"
    )
    assert url == "https://hub/ann/clicks/commit/1"
    assert hub.made == {"ann/clicks": True}
    assert hub.token == "t"
    uploaded = {
        path.relative_to(tmp_path / "hub/ann/clicks").parts[0]
        for path in (tmp_path / "hub/ann/clicks").rglob("*")
    }
    assert uploaded == {
        "config.json", "model.weights.h5", "metadata.json", "encoder",
        "learning_curves.png", "README.md",
    }  # fmt: skip
    rows = [dict.fromkeys(SYNTHETIC.unlabeled().used)]
    np.testing.assert_array_equal(
        zoo.CTRPredictor.from_preset("hf://ann/clicks").predict(rows),
        zoo.CTRPredictor.from_preset(runs / "synthetic").predict(rows),
    )


def test_the_card_tells_metrics_data_recipe_and_how_to_load(
    runs, hub, tmp_path
):
    zoo.upload_preset(runs / "synthetic", "hf://ann/clicks")
    card = huggingface_hub.ModelCard.load(tmp_path / "hub/ann/clicks/README.md")
    report = json.loads((runs / "synthetic/report.json").read_text())
    results = {r.metric_type: r for r in card.data.eval_results}
    assert results["roc_auc"].metric_value == report["auc"]
    assert results["log_loss"].metric_value == report["log_loss"]
    assert results["roc_auc"].dataset_name == "synthetic"
    assert results["roc_auc"].dataset_split == "test"
    assert card.data.library_name == "keras"
    text = card.text
    assert 'CTRPredictor.from_preset("hf://ann/clicks")' in text
    assert f"| calibration | {report['calibration']:.5f} |" in text
    assert "![Learning curves](learning_curves.png)" in text
    assert "| batch_size | 256 |" in text
    rows = report["rows"]["train"]
    assert f"Trained on {rows} rows of the log `synthetic`" in text


def test_the_vocabulary_of_a_licensed_log_stays_here(runs, hub, tmp_path):
    with pytest.warns(UserWarning, match="tokens of criteo.*Received"):
        zoo.upload_preset(runs / "criteo", "hf://ann/criteo")
    assert not (tmp_path / "hub/ann/criteo/encoder").exists()
    card = (tmp_path / "hub/ann/criteo/README.md").read_text()
    assert "vocabulary that turns raw rows into ids is not part" in card
    assert "CTRPredictor" not in card
    model = zoo.from_preset("hf://ann/criteo")
    assert model.schema == zoo.from_preset(runs / "criteo").schema


def test_the_vocabulary_of_a_licensed_log_goes_with_the_flag(
    runs, hub, tmp_path
):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        zoo.upload_preset(
            runs / "criteo", "hf://ann/criteo", licensed_vocabulary=True
        )
    assert (tmp_path / "hub/ann/criteo/encoder/encoder.json").is_file()


def test_a_card_that_is_there_already_is_kept(runs, hub, tmp_path):
    card = tmp_path / "hub/ann/clicks/README.md"
    card.parent.mkdir(parents=True)
    card.write_text("theirs")
    zoo.upload_preset(runs / "synthetic", "hf://ann/clicks")
    assert card.read_text() == "theirs"
    assert (card.parent / "model.weights.h5").is_file()


def test_a_card_of_ones_own_is_uploaded(own, hub, tmp_path):
    (own / "README.md").write_text("mine")
    zoo.upload_preset(own, "hf://ann/own")
    assert (tmp_path / "hub/ann/own/README.md").read_text() == "mine"


def test_a_card_leaves_out_what_a_preset_does_not_say(own):
    card = zoo.model_card(own)
    assert card.data.eval_results is None
    assert "(batch, 1) float32" in card.text
    for section in ("What was measured", "How it was trained", "CTRPredictor"):
        assert section not in card.text


def test_nothing_of_an_earlier_upload_contradicts_a_newer_one(
    runs, hub, tmp_path
):
    zoo.upload_preset(runs / "synthetic", "hf://ann/clicks")
    with pytest.warns(UserWarning, match="tokens of criteo"):
        zoo.upload_preset(runs / "criteo", "hf://ann/clicks")
    assert not (tmp_path / "hub/ann/clicks/encoder").exists()
    card = (tmp_path / "hub/ann/clicks/README.md").read_text()
    assert "of the log `criteo`" in card


def test_an_edited_card_stays_and_that_of_the_folder_comes_first(
    runs, hub, tmp_path
):
    zoo.upload_preset(runs / "synthetic", "hf://ann/clicks")
    card = tmp_path / "hub/ann/clicks/README.md"
    edited = card.read_text().replace("Predicts", "Made by Ann. Predicts")
    card.write_text(edited)
    zoo.upload_preset(runs / "synthetic", "hf://ann/clicks")
    assert card.read_text() == edited
    folder = shutil.copytree(runs / "synthetic", tmp_path / "own")
    (folder / "README.md").write_text("Mine.")
    zoo.upload_preset(folder, "hf://ann/clicks")
    assert card.read_text() == "Mine."


def test_no_path_of_this_machine_is_uploaded(runs, hub, tmp_path):
    zoo.upload_preset(runs / "synthetic", "hf://ann/clicks")
    uploaded = tmp_path / "hub/ann/clicks"
    for name in ("metadata.json", "config.json", "README.md"):
        assert str(runs) not in (uploaded / name).read_text()


def test_damaged_weights_are_not_uploaded(own, hub):
    with (own / "model.weights.h5").open("ab") as file:
        file.write(b"more")
    with pytest.raises(ValueError, match="sha256"):
        zoo.upload_preset(own, "hf://ann/own")
    assert hub.commits == []


@pytest.mark.parametrize("address", ["ann/own", "hf://own", "hf://a/b/c"])
def test_an_address_needs_user_and_repository(hub, tmp_path, address):
    with pytest.raises(
        ValueError, match=rf"hf://user/rep.*Received: {address}"
    ):
        zoo.upload_preset(tmp_path, address)


def test_a_hub_that_refuses_is_told(runs, hub):
    hub.error = huggingface_hub.errors.HfHubHTTPError(
        "401 Unauthorized",
        response=httpx.Response(401, request=httpx.Request("POST", "http://h")),
    )
    with pytest.raises(
        OSError, match=r"log in.*Received: address=hf://a/b.*401"
    ):
        zoo.upload_preset(runs / "synthetic", "hf://a/b")
    hub.error = httpx.ConnectError("no network")
    with pytest.raises(OSError, match="reachable.*no network"):
        zoo.upload_preset(runs / "synthetic", "hf://a/b")


def test_the_command_uploads_and_warns(runs, hub, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(
            ["upload", str(runs / "criteo"), "hf://ann/criteo", "--private"]
        )
    shown = capsys.readouterr()
    assert shown.err.startswith("warning: The encoder is left out")
    assert shown.out == "Uploaded: https://hub/ann/criteo/commit/1\n"
    assert hub.made == {"ann/criteo": True}
