"""Raw rows in, probabilities out: the same ones as in evaluation."""

import copy
import gzip
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

import zoo
from tests.zoo import networks
from tests.zoo import own_networks
from zoo.cli import app as cli
from zoo.encoding import open_source
from zoo.serving.gap_check import UnknownIdsWarning

SHOP = zoo.LogFormat(
    name="shop",
    columns=("click", "price", "site", "hour"),
    label="click",
    dense=("price",),
    categorical=("site", "hour"),
    delimiter="\t",
)
ROWS = 2_000


def raw_rows():
    random = np.random.default_rng(0)
    sites = random.zipf(1.5, ROWS) % 30
    prices = random.integers(0, 100, ROWS)
    return pa.table(
        {
            "click": (random.random(ROWS) < 1 / (1 + sites)).astype("int8"),
            "price": pa.array(prices, mask=prices > 90),
            "site": [f"s{site}" if site else None for site in sites],
            "hour": [f"{hour:02d}" for hour in random.integers(0, 24, ROWS)],
        }
    )


def write_text(table, path, header=False):
    options = pa.csv.WriteOptions(
        include_header=header, delimiter="\t", quoting_style="none"
    )
    with (
        gzip.open(path, "wb")
        if path.suffix == ".gz"
        else open(path, "wb") as file
    ):
        pa.csv.write_csv(table, file, options)
    return path


@pytest.fixture(scope="module")
def rows():
    return raw_rows()


@pytest.fixture(scope="module")
def encoded(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("predictor") / "encoded"
    zoo.prepare(SHOP, rows, folder, split="sequential", show_progress=False)
    return zoo.EncodedLog.load(folder)


@pytest.fixture(scope="module")
def preset(encoded, tmp_path_factory):
    folder = tmp_path_factory.mktemp("predictor") / "run"
    zoo.train(
        encoded,
        folder,
        batch_size=128,
        epochs=2,
        embedding_dim=4,
        hidden_units=(8,),
        embedding_learning_rate=1e-2,
        verbose=0,
    )
    return folder


@pytest.fixture(scope="module")
def predictor(preset):
    return zoo.CTRPredictor.from_preset(preset)


@pytest.fixture(scope="module")
def expected(encoded, preset):
    """The predictions of the training pipeline, in the order of the log."""
    model = zoo.from_preset(preset)
    parts = [
        model.predict(zoo.ClickBatches(encoded.split(name), 512), verbose=0)
        for name in ("train", "test")
    ]
    return np.concatenate(parts)[:, 0]


FORMS = {
    "dicts": lambda rows, folder: rows.to_pylist(),
    "data frame": lambda rows, folder: rows.to_pandas(),
    "arrow": lambda rows, folder: rows,
    "without labels": lambda rows, folder: rows.drop_columns("click"),
    "text": lambda rows, folder: write_text(rows, folder / "rows.tsv"),
    "gzip": lambda rows, folder: write_text(rows, folder / "rows.tsv.gz"),
    "unlabeled text": lambda rows, folder: write_text(
        rows.drop_columns("click"), folder / "rows.tsv"
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_rows_get_the_scores_of_the_pipeline(
    rows, predictor, expected, tmp_path, form
):
    scores = predictor.predict(FORMS[form](rows, tmp_path))
    assert scores.dtype == "float32"
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-6)


def test_a_parquet_file_gets_the_scores_of_the_pipeline(
    rows, predictor, expected, tmp_path
):
    pa.parquet.write_table(rows.drop_columns("click"), tmp_path / "r.parquet")
    np.testing.assert_allclose(
        predictor.predict(tmp_path / "r.parquet"), expected, rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("batch_size", [1, 7, 512])
def test_the_batch_size_changes_nothing(rows, predictor, expected, batch_size):
    few = rows.slice(0, 20 if batch_size == 1 else ROWS)
    np.testing.assert_allclose(
        predictor.predict(few, batch_size=batch_size),
        expected[: few.num_rows],
        rtol=0,
        atol=1e-6,
    )


@pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="PyTorch compiles nothing"
)
def test_a_warm_predictor_compiles_nothing(preset, rows, monkeypatch):
    predictor = zoo.CTRPredictor.from_preset(preset)
    predictor.warm_up(max_rows=50, batch_size=40)
    # Python runs it only while a size is compiled.
    monkeypatch.setattr(predictor.model, "call", None)
    for size in (1, 2, 3, 16, 17, 40, 50, 90):
        assert len(predictor.predict(rows[:size], batch_size=40)) == size


def test_encoded_rows_of_several_requests_are_scored(predictor, rows):
    encode = predictor.encoder.encode
    requests = [encode(rows[:3]), encode(rows[3:4])]
    joined = {
        name: np.concatenate([request[name] for request in requests])
        for name in requests[0]
    }
    np.testing.assert_allclose(
        predictor.predict_encoded(joined),
        predictor.predict(rows[:4]),
        rtol=1e-6,
    )


def test_no_rows_have_no_scores(rows, predictor):
    assert predictor.predict(rows.slice(0, 0)).shape == (0,)


def test_unseen_tokens_and_missing_values_are_scored(predictor):
    known = {"price": 3, "site": "s1", "hour": "07"}
    others = [{**known, "site": "never seen"}, dict.fromkeys(known)]
    assert np.isfinite(predictor.predict([known, *others])).all()
    unseen = predictor.encoder.encode(others)["ids"]
    assert unseen[0, 0] == 1
    assert unseen[1].tolist() == [0, 0]


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_file_is_scored_in_order(rows, predictor, expected, tmp_path, suffix):
    source = write_text(rows, tmp_path / "rows.tsv")
    output = tmp_path / "new" / f"scores{suffix}"
    assert predictor.predict_file(source, output) == ROWS
    read = pd.read_parquet if suffix == ".parquet" else pd.read_csv
    scores = read(output)
    assert list(scores.columns) == ["probability"]
    np.testing.assert_allclose(
        scores["probability"], expected, rtol=1e-6, atol=1e-6
    )
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_a_file_of_several_pieces_is_read_piece_by_piece(
    rows, predictor, expected, monkeypatch
):
    """No piece is longer than asked for, which bounds the memory."""
    monkeypatch.setattr("zoo.raw.tables._BATCH_ROWS", 300)
    source = open_source(rows, SHOP.unlabeled())
    pieces = list(predictor.encoder.encode_source(source))
    lengths = [len(inputs["ids"]) for inputs, _ in pieces]
    assert lengths == [300] * 6 + [200]
    assert [amount for _, amount in pieces][-1] == ROWS == source.size
    joined = predictor.model.predict(
        {
            name: np.concatenate([inputs[name] for inputs, _ in pieces])
            for name in ("dense", "ids")
        },
        verbose=0,
    )
    np.testing.assert_allclose(joined[:, 0], expected, rtol=0, atol=1e-6)


def test_a_bad_line_is_named_and_leaves_nothing(rows, predictor, tmp_path):
    source = write_text(rows, tmp_path / "rows.tsv")
    lines = source.read_text().splitlines()
    lines[1233] = "0\tcheap\ts1\t07"
    source.write_text("\n".join(lines) + "\n")
    output = tmp_path / "scores.parquet"
    output.write_bytes(b"earlier scores")
    with pytest.raises(ValueError, match=r"line 1234.*'price'.*'cheap'"):
        predictor.predict_file(source, output)
    assert output.read_bytes() == b"earlier scores"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("bad_rows", "message"),
    [
        ([{"price": 1, "site": "s1"}], r"`rows` must have a value for 'hour'"),
        ([{"price": "x", "site": "s", "hour": "1"}], r"'price', and row 0"),
        (
            [{"price": 1, "site": "a\ud800", "hour": "1"}],
            r"in Unicode.* column 'site' of row 0",
        ),
        (pa.table({"price": [1], "site": ["s"]}), r"column 'hour' once"),
        ("none.tsv", r"no such file"),
    ],
)
def test_bad_rows_follow_the_encoders_rules(predictor, bad_rows, message):
    error = FileNotFoundError if bad_rows == "none.tsv" else ValueError
    with pytest.raises(error, match=f"{message}.*Received"):
        predictor.predict(bad_rows)


def test_an_empty_file_is_refused(predictor, tmp_path):
    (tmp_path / "rows.tsv").touch()
    with pytest.raises(ValueError, match="at least one row.*Received"):
        predictor.predict(tmp_path / "rows.tsv")


def test_a_line_with_too_few_columns_is_named(predictor, tmp_path):
    (tmp_path / "rows.tsv").write_text("1\ts1\n")
    with pytest.raises(ValueError, match=r"line 1: .*4 columns.*there are 2"):
        predictor.predict(tmp_path / "rows.tsv")


def test_a_preset_without_encoder_is_refused(predictor, tmp_path):
    predictor.model.save_to_preset(tmp_path / "ids_only")
    with pytest.raises(FileNotFoundError, match="must have an encoder"):
        zoo.CTRPredictor.from_preset(tmp_path / "ids_only")


def test_a_folder_is_scored_whole_and_in_order(
    rows, predictor, expected, tmp_path
):
    """Names that tell of splits where a log is trained on mean nothing."""
    for name, part in (
        ("extra.tsv", rows.slice(0, 700)),
        ("train.tsv", rows.slice(700, 900)),
        ("valid.tsv", rows.slice(1600)),
    ):
        write_text(part.drop_columns("click"), tmp_path / name)
    np.testing.assert_allclose(
        predictor.predict(tmp_path), expected, rtol=0, atol=1e-6
    )


def test_what_is_scored_is_not_written_over(rows, predictor, tmp_path):
    path = tmp_path / "rows.parquet"
    pa.parquet.write_table(rows, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="`output` must be another file"):
        predictor.predict_file(path, tmp_path / "x" / ".." / "rows.parquet")
    assert path.read_bytes() == before


def test_a_model_with_the_columns_in_another_order_is_refused(predictor):
    sizes = predictor.encoder.schema.categorical
    turned = zoo.FeatureSchema(["price"], dict(reversed(sizes.items())))
    other = zoo.DeepFM(turned, embedding_dim=4, hidden_units=(8,))
    with pytest.raises(ValueError, match="must have the columns"):
        zoo.CTRPredictor(other, predictor.encoder)


def test_a_model_of_other_columns_is_refused(predictor):
    schema = zoo.FeatureSchema(["price"], {"site": 5, "hour": 26})
    other = zoo.DeepFM(schema, embedding_dim=4, hidden_units=(8,))
    with pytest.raises(ValueError, match="vocabulary sizes of `encoder`"):
        zoo.CTRPredictor(other, predictor.encoder)


def test_rows_without_labels_cannot_be_prepared(rows, tmp_path):
    with pytest.raises(ValueError, match="must have labels"):
        zoo.prepare(SHOP.unlabeled(), rows, tmp_path / "encoded")


# Peak memory after half of a file and after all of it, in KiB.
PEAKS = """
import pathlib, re, sys, zoo, zoo.raw.text_log
# Pieces of 4 MB, of which the first half of a file has many.
zoo.raw.text_log.BLOCK_BYTES = 1 << 22
predictor = zoo.CTRPredictor.from_preset(sys.argv[1])
for rows in sys.argv[2:]:
    scored = predictor.predict_file(rows, rows + ".parquet")
    # Not ru_maxrss, which a process inherits from the one that started it.
    status = pathlib.Path("/proc/self/status").read_text()
    print(scored, re.search(r"VmHWM:\\s+([0-9]+)", status)[1])
"""


@pytest.mark.large
@pytest.mark.one_backend(reason="rows are read and written without it")
@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peak memory is Linux's"
)
def test_a_million_rows_need_no_more_memory_than_half_of_them(
    rows, preset, tmp_path
):
    # Long values, so that rows kept in memory would show: 140 MB of text.
    long = pa.array(
        ["x" * 120 + site for site in rows["site"].fill_null("").to_pylist()]
    )
    wide = rows.set_column(2, "site", long)
    text = write_text(wide, tmp_path / "piece.tsv").read_bytes()
    half, whole = tmp_path / "half.tsv", tmp_path / "whole.tsv"
    half.write_bytes(text * 250)
    whole.write_bytes(text * 500)
    done = subprocess.run(
        [sys.executable, "-c", PEAKS, preset, half, whole],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (few, before), (many, after) = (
        map(int, line.split()) for line in done.stdout.splitlines()
    )
    assert (few, many) == (500_000, 1_000_000)
    assert after - before < 50_000


def test_the_command_scores_a_file(
    rows, preset, expected, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "200")
    source = write_text(rows, tmp_path / "rows.tsv")
    output = tmp_path / "scores.parquet"
    arguments = ["--input", str(source), "--output", str(output)]
    with pytest.raises(SystemExit, match="0"):
        cli.main(["predict", str(preset), *arguments])
    assert "2,000 rows scored" in capsys.readouterr().out
    np.testing.assert_allclose(
        pd.read_parquet(output)["probability"], expected, rtol=0, atol=1e-6
    )


def test_threads_may_share_a_predictor(predictor, rows):
    expected = predictor.predict(rows.slice(0, 100))
    with ThreadPoolExecutor(8) as threads:
        parts = threads.map(
            lambda i: predictor.predict(rows.slice(i, 1)), range(100)
        )
        received = np.concatenate(list(parts))
    np.testing.assert_allclose(received, expected, rtol=1e-5)


def test_a_predictor_can_be_copied_and_outlives_its_folder(
    preset, rows, tmp_path
):
    folder = shutil.copytree(preset, tmp_path / "preset")
    predictor = zoo.CTRPredictor.from_preset(folder)
    shutil.rmtree(folder)
    rows = rows.slice(0, 50)
    expected = predictor.predict(rows)
    for copied in (
        pickle.loads(pickle.dumps(predictor)),
        copy.deepcopy(predictor),
    ):
        np.testing.assert_array_equal(copied.predict(rows), expected)
        again = pickle.loads(pickle.dumps(copied))
        np.testing.assert_array_equal(again.predict(rows), expected)


def test_a_column_that_is_unknown_is_told_of(predictor, rows, tmp_path):
    strange = rows.set_column(2, "site", [["elsewhere"] * len(rows)])
    message = r"'site' is unknown in 100\.0% of the rows"
    with pytest.warns(UnknownIdsWarning, match=message):
        predictor.predict(strange)
    with pytest.warns(UnknownIdsWarning, match=message):
        predictor.predict_file(strange, tmp_path / "scores.csv")
    missing = rows.set_column(2, "site", [pa.nulls(len(rows), pa.string())])
    with pytest.warns(UnknownIdsWarning, match=r"'site' is missing in 100"):
        predictor.predict(missing)
    # A single row says nothing of the others.
    predictor.predict(strange.slice(0, 1))


def test_more_unknown_values_than_allowed_are_refused(
    predictor, rows, tmp_path
):
    sites = ["elsewhere"] * 50 + rows["site"].to_pylist()[50:]
    some = rows.set_column(2, "site", [sites])
    output = tmp_path / "scores.csv"
    assert predictor.predict_file(some, output, max_unknown=0.1) == ROWS
    output.unlink()
    for way in (
        lambda: predictor.predict(some, max_unknown=0.01),
        lambda: predictor.predict_file(some, output, max_unknown=0.01),
    ):
        with pytest.raises(ValueError, match="'site'.*Received: 0.025"):
            way()
    assert not output.exists()


@pytest.fixture(scope="module")
def own(encoded, tmp_path_factory):
    """A model of a user's own, and its preset."""
    model = networks.set_weights(own_networks.functional(encoded.schema))
    folder = tmp_path_factory.mktemp("own") / "preset"
    # The schema is the encoder's.
    zoo.save_to_preset(model, folder, encoded.encoder)
    return model, folder


def test_a_model_of_a_user_scores_raw_rows(own, encoded, rows, tmp_path):
    model, folder = own
    test = rows.slice(len(rows) - len(encoded.split("test")))
    expected = model.predict(encoded.split("test").inputs, verbose=0)[:, 0]
    predictor = zoo.CTRPredictor.from_preset(folder)
    for each in (predictor, zoo.CTRPredictor(model, encoded.encoder)):
        np.testing.assert_allclose(each.predict(test), expected, atol=1e-6)
    source = write_text(test, tmp_path / "rows.tsv")
    with pytest.raises(SystemExit) as exit:
        cli.main(
            ["predict", str(folder), "--input", str(source),
             "--output", str(tmp_path / "scores.parquet")]
        )  # fmt: skip
    assert exit.value.code == 0
    scores = pa.parquet.read_table(tmp_path / "scores.parquet")
    np.testing.assert_allclose(
        scores["probability"].to_numpy(), expected, atol=1e-6
    )


def test_a_model_that_does_not_fit_the_encoder_is_refused(own, encoded):
    schema = zoo.FeatureSchema(["price"], {"site": 3, "hour": 3})
    with pytest.raises(ValueError, match="row for each id.*Received: id"):
        zoo.CTRPredictor(own_networks.functional(schema), encoded.encoder)
