"""A log with lists, two labels and weights, from raw text to predictions."""

import json

import keras
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

import zoo
from zoo.cli import app as cli
from zoo.serving.gap_check import UnknownIdsWarning

SHOP = zoo.LogFormat(
    "shop",
    labels=("click", "purchase"),
    weight="importance",
    dense=("price",),
    categorical=("user", "item"),
    delimiter=",",
    header=True,
    sequences={
        "history": zoo.ListColumn(shares="item", max_length=5),
        "tags": zoo.ListColumn(max_length=3),
    },
    roles={"item": "item"},
)
ROWS = 1500


def raw_rows(rows=ROWS):
    """A user clicks what is in the history; a tenth of purchases is unknown."""
    random = np.random.default_rng(0)
    items = random.integers(0, 20, rows)
    history = [
        random.integers(0, 20, length).tolist()
        for length in random.integers(0, 8, rows)
    ]
    known = [i in h[-5:] for i, h in zip(items, history, strict=True)]
    click = (random.random(rows) < np.where(known, 0.8, 0.2)).astype("int8")
    purchase = click & (random.random(rows) < 0.5)
    return pa.table(
        {
            "click": click,
            "purchase": pa.array(purchase, mask=random.random(rows) < 0.1),
            "price": random.integers(0, 100, rows),
            "user": [f"u{user}" for user in random.integers(0, 30, rows)],
            "item": [f"i{item}" for item in items],
            "history": [[f"i{item}" for item in h] for h in history],
            "tags": [["new"] if i % 3 else ["old", "red"] for i in items],
            "importance": random.choice([0.5, 1.0, 2.0], rows),
        }
    )


def as_text(table):
    """Lists as text with a bar between two entries."""
    for name in SHOP.sequences:
        joined = ["|".join(values) for values in table[name].to_pylist()]
        place = table.column_names.index(name)
        table = table.set_column(place, name, [joined])
    return table


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The raw file, the encoded log and a trained model in one folder."""
    folder = tmp_path_factory.mktemp("full")
    text = as_text(raw_rows()).to_pandas().astype({"purchase": "Int8"})
    text.to_csv(folder / "raw.csv", index=False)
    zoo.prepare(
        SHOP,
        folder / "raw.csv",
        folder / "encoded",
        split="sequential",
        validation_fraction=0.1,
        show_progress=False,
    )
    report = zoo.train(
        zoo.EncodedLog.load(folder / "encoded"),
        folder / "run",
        model="deepfm",
        batch_size=128,
        epochs=4,
        warmup_epochs=0,
        hidden_units=(8,),
        embedding_dim=4,
        group_by="user",
        learning_rate=5e-2,
        verbose=0,
    )
    assert set(report["labels"]) == {"click", "purchase"}
    return folder


@pytest.fixture(scope="module")
def predictor(folder):
    return zoo.CTRPredictor.from_preset(folder / "run")


def test_rows_in_memory_are_predicted_as_the_files_are(folder, predictor):
    from_file = predictor.predict(folder / "raw.csv")
    assert set(from_file) == {"click", "purchase"}
    assert from_file["click"].shape == (ROWS,)
    table = raw_rows()
    for rows in (table, table.to_pylist(), as_text(table).to_pandas()):
        for label, scores in predictor.predict(rows).items():
            np.testing.assert_allclose(scores, from_file[label], rtol=1e-6)
    split = zoo.EncodedLog.load(folder / "encoded").split("train")
    model = zoo.from_preset(folder / "run")
    for label, scores in model.predict(split.inputs, verbose=0).items():
        np.testing.assert_allclose(
            scores[:, 0], from_file[label][: len(split)], rtol=1e-5
        )


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_of_scores_has_a_column_a_label(
    folder, predictor, tmp_path, suffix
):
    output = tmp_path / f"scores{suffix}"
    assert predictor.predict_file(folder / "raw.csv", output) == ROWS
    read = pa.csv.read_csv if suffix == ".csv" else pa.parquet.read_table
    table = read(output)
    assert table.column_names == ["click", "purchase"]
    expected = predictor.predict(folder / "raw.csv")
    for label in table.column_names:
        np.testing.assert_allclose(table[label], expected[label], rtol=1e-6)


def test_unknown_events_are_told(predictor):
    rows = raw_rows().to_pylist()
    for row in rows:
        row["history"] = ["nothing", *row["history"]]
    with pytest.warns(UnknownIdsWarning, match="'history' is unknown in .*eve"):
        predictor.predict(rows)
    with pytest.raises(ValueError, match="column 'history' has a larger share"):
        predictor.predict(rows, max_unknown=0.01)


def test_a_model_with_another_history_is_refused(predictor):
    schema = predictor.encoder.schema
    other = zoo.FeatureSchema(
        schema.dense,
        schema.categorical,
        labels=schema.labels,
        sequences={**schema.sequences, "history": zoo.Sequence("item")},
    )
    with pytest.raises(ValueError, match="of `encoder`, sequences"):
        zoo.CTRPredictor(zoo.DeepFM(other), predictor.encoder)
    plain = zoo.FeatureSchema(schema.dense, schema.categorical)
    with pytest.raises(ValueError, match="of `encoder`, sequences"):
        zoo.CTRPredictor(zoo.DeepFM(plain), predictor.encoder)


def test_an_explanation_shuffles_a_history_as_a_whole(folder, tmp_path):
    log = zoo.EncodedLog.load(folder / "encoded")
    explained = zoo.explain(
        folder / "run", log, tmp_path / "explained", "train", label="purchase"
    )
    kinds = {f["column"]: f["kind"] for f in explained["importance"]}
    assert kinds == {
        "price": "dense",
        "user": "categorical",
        "item": "categorical",
        "history": "sequence",
        "tags": "sequence",
    }
    labels = log.split("train").labels
    assert explained["rows"] == (labels[:, 1] >= 0).sum()
    assert explained["label"] == "purchase"
    assert (tmp_path / "explained" / "explanation.png").is_file()
    with pytest.raises(ValueError, match="`label` must be one of.*'buy'"):
        zoo.explain(folder / "run", log, label="buy")


def test_weights_reach_the_loss(folder):
    """A run with other weights is another one."""
    log = zoo.EncodedLog.load(folder / "encoded")
    batch = zoo.ClickBatches(log.split("train"), 64)[0]
    assert len(batch) == 3
    inputs, labels, weights = batch
    assert inputs["history"].shape == (64, 5)
    assert set(labels) == set(weights) == {"click", "purchase"}
    assert {*np.unique(weights["click"])} == {0.5, 1.0, 2.0}
    assert {*np.unique(weights["purchase"])} == {0.0, 0.5, 1.0, 2.0}


def test_evaluation_groups_by_a_field(folder, capsys):
    data = ["--data", str(folder / "encoded"), "--group-by", "user"]
    with pytest.raises(SystemExit) as ended:
        cli.main(["evaluate", str(folder / "run"), *data])
    assert not ended.value.code
    assert "gauc by user" in capsys.readouterr().out


def test_a_run_resumes_where_it_was_broken_off(folder, tmp_path, monkeypatch):
    log = zoo.EncodedLog.load(folder / "encoded")
    recipe = {
        "model": "dcn", "batch_size": 128, "epochs": 4, "hidden_units": (8,),
        "network": {"num_cross_layers": 1}, "embedding_dim": 4, "verbose": 0,
        "learning_rate": 5e-2, "warmup_epochs": 0,
    }  # fmt: skip
    whole = zoo.train(log, tmp_path / "whole", **recipe)
    assert whole["hyperparameters"]["network"] == {"num_cross_layers": 1}

    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr("zoo.training.run.Run.report", stop)
        with pytest.raises(KeyboardInterrupt):
            zoo.train(log, tmp_path / "parts", **recipe)
    parts = zoo.train(log, tmp_path / "parts", resume=True, **recipe)
    assert parts["labels"] == whole["labels"]
    config = json.loads((tmp_path / "parts" / "config.json").read_text())
    assert config["config"]["num_cross_layers"] == 1


def test_an_exported_model_takes_the_sequences(folder, tmp_path):
    if keras.backend.backend() == "jax":
        pytest.skip("its exporters need other packages")
    inputs, *_ = (
        zoo.EncodedLog.load(folder / "encoded").split("test").read(0, 9)
    )
    expected = zoo.from_preset(folder / "run").predict(inputs, verbose=0)
    inputs = {name: np.array(array) for name, array in inputs.items()}
    if keras.backend.backend() == "torch":
        import torch

        zoo.export(folder / "run", tmp_path / "model.pt2", "torch")
        module = torch.export.load(tmp_path / "model.pt2").module()
        tensors = {n: torch.from_numpy(array) for n, array in inputs.items()}
        outputs = [output.detach().numpy() for output in module(tensors)]
    else:
        import tensorflow as tf

        zoo.export(folder / "run", tmp_path / "model", "tf_saved_model")
        served = tf.saved_model.load(tmp_path / "model")
        outputs = [output.numpy() for output in served.serve(inputs)]
    for label, output in zip(SHOP.labels, outputs, strict=True):
        np.testing.assert_allclose(output, expected[label], rtol=1e-5)
