"""A model that is trained on one day, and on the next with new ids."""

import shutil

import numpy as np
import pytest

import zoo
from zoo.encoding import LogFormat

SHOP = LogFormat(
    name="shop",
    columns=("click", "n", "site"),
    label="click",
    dense=("n",),
    categorical=("site",),
)


def write_day(path, sites, seed):
    random = np.random.default_rng(seed)
    tokens = random.choice(sites, 400)
    lines = [
        f"{int(random.random() < (0.2 if t in 'ace' else 0.8))}\t{i % 9}\t{t}"
        for i, t in enumerate(tokens)
    ]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("first_day")
    source = write_day(folder / "day_1", list("abc"), 1)
    zoo.prepare(SHOP, source, folder / "first", show_progress=False)
    zoo.train(
        zoo.EncodedLog.load(folder / "first"), folder / "model",
        model="dcn", epochs=1, batch_size=64, embedding_dim=4,
        hidden_units=(8,), verbose=0,
    )  # fmt: skip
    return folder


@pytest.fixture
def first(trained, tmp_path):
    """A copy of what was trained on the first day, for one test."""
    return shutil.copytree(trained, tmp_path, dirs_exist_ok=True)


def test_the_next_day_grows_the_model(first):
    source = write_day(first / "day_2", list("bcdef"), 2)
    encoder = zoo.ClickEncoder.load(first / "model" / "encoder")
    zoo.prepare(
        encoder, source, first / "second", grow=True, show_progress=False
    )
    log = zoo.EncodedLog.load(first / "second")
    report = zoo.train(
        log, first / "next", initial_model=first / "model", epochs=2,
        batch_size=64, verbose=0,
    )  # fmt: skip
    assert report["model"] == "dcn"
    assert report["hyperparameters"]["embedding_dim"] == 4
    model = zoo.from_preset(first / "next")
    assert model.schema.vocabulary_sizes == [8]
    assert model.dtype_policy.name == "float32"
    halves = zoo.training.first_network._load_grown(
        first / "model", log, dtype="mixed_bfloat16"
    )
    assert halves.dtype_policy.name == "mixed_bfloat16"
    # What was learned on the first day is there before the second begins.
    start = zoo.training.first_network._load_grown(first / "model", log)
    rows = [{"n": 3, "site": site} for site in "abc"]
    np.testing.assert_allclose(
        start.predict(log.encoder.encode(rows), verbose=0),
        zoo.from_preset(first / "model").predict(
            encoder.encode(rows), verbose=0
        ),
        rtol=1e-6,
    )


def test_another_vocabulary_is_refused(first):
    source = write_day(first / "day_2", list("bcdef"), 2)
    zoo.prepare(SHOP, source, first / "other", show_progress=False)
    with pytest.raises(ValueError, match="must know the ids.*Received: "):
        zoo.train(
            zoo.EncodedLog.load(first / "other"),
            first / "next",
            initial_model=first / "model",
            batch_size=64,
        )
    assert not (first / "next").exists()


def test_a_model_is_not_measured_on_ids_of_another_vocabulary(first):
    """The vocabularies have the same sizes, so that the schemas are equal."""
    source = write_day(first / "day_2", list("xyz"), 2)
    zoo.prepare(SHOP, source, first / "other", show_progress=False)
    other = zoo.EncodedLog.load(first / "other")
    assert other.schema == zoo.from_preset(first / "model").schema
    with pytest.raises(ValueError, match="other ids, or.*Received: log="):
        zoo.evaluate(first / "model", other)


def test_a_run_begins_with_a_preset_of_any_place(tmp_path):
    built_in = zoo.from_preset("deepfm_synthetic")
    log = zoo.datasets.synthetic.make_log(rows=1000, max_vocabulary=300)
    report = zoo.train(
        log, tmp_path / "run", initial_model="deepfm_synthetic", epochs=1,
        batch_size=256, verbose=0,
    )  # fmt: skip
    assert (
        report["hyperparameters"]["embedding_dim"]
        == built_in.get_config()["embedding_dim"]
    )
