"""Exported models with their encoder give what `CTRPredictor` gives."""

import csv
import hashlib
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies

import zoo
from tests.wrong_values import NO_BOOLEANS
from tests.wrong_values import check_refused
from tests.wrong_values import each
from tests.zoo import networks
from tests.zoo.serving.runtimes import OPEN
from zoo.cli import app as cli
from zoo.encoding import vocabulary_file
from zoo.encoding.encoder_settings import EncoderSettings
from zoo.encoding.vocabularies import Vocabularies
from zoo.serving import exporting
from zoo.serving import onnx_encoding
from zoo.serving.export_formats import FORMATS
from zoo.serving.export_formats import raw_formats
from zoo.serving.onnx_graph import OnnxGraph
from zoo.serving.signature_names import name_inputs
from zoo.serving.text_ids import read_text_ids

# Rows to be scored have tokens that training has not seen, on purpose.
pytestmark = pytest.mark.filterwarnings(
    "ignore::zoo.serving.gap_check.UnknownIdsWarning"
)
BACKEND = keras.backend.backend()
WRITTEN = [name for name in FORMATS if BACKEND in FORMATS[name].writers]
RAW = [name for name in WRITTEN if name in raw_formats()]
# Names that a language or a runtime could stumble over.
SHOP = zoo.LogFormat(
    "shop",
    dense=("price", "age", "self", "encoder/"),
    dense_type="float",
    categorical=("item", "item id", "ids"),
    missing=("-", "NULL"),
    sequences={
        "history": zoo.ListColumn("item", max_length=3),
        "my list": zoo.ListColumn(max_length=2, separator="·"),
    },
)
ITEMS = ["a", "b", "c\nd", "é", '"q"', "x\\n", "t\tb", " a", "-", "", "NULL"]
SAMPLES = {
    "criteo_kaggle_10k/train.txt": zoo.datasets.CRITEO,
    "criteo_1tb_10k/day_0": zoo.datasets.CRITEO,
    "avazu_10k/train": zoo.datasets.AVAZU,
    "avazu_15k/train.csv": zoo.LogFormat(
        "avazu_15k",
        label="click",
        categorical=("hour", "C1", "site_id", "device_model", "C17", "C21"),
        delimiter=",",
        header=True,
    ),
    "gowalla/valid.parquet": zoo.LogFormat(
        "gowalla", label="label", categorical=("user", "item")
    ),
}


def shop_rows(rows, seed, items=ITEMS):
    random = np.random.default_rng(seed)

    def lists(separator):
        return [
            separator.join(random.choice(items, random.integers(7)))
            for _ in range(rows)
        ]

    return pa.table(
        {
            "label": random.integers(0, 2, rows),
            "price": random.choice(["1.5", "-3", "", "NULL", "1e3"], rows),
            "age": random.choice(["7", "0", "", "nan"], rows),
            "self": random.choice(["0.25", "-", f"{seed}"], rows),
            "encoder/": ["3"] * rows,
            "item": random.choice(items, rows),
            "item id": random.choice(items[:4], rows),
            "ids": random.choice(["1", "2", f"new {seed}"], rows),
            "history": lists("|"),
            "my list": lists("·"),
        }
    )


def shop_encoder(folder, log_format=SHOP, **settings):
    rows = shop_rows(300, seed=1)
    if log_format.labels:
        label = rows["label"]
        rows = rows.append_column("click", label).append_column("buy", label)
    options = {"split": "sequential", "show_progress": False}
    zoo.prepare(log_format, rows, folder, **options, **settings)
    return zoo.EncodedLog.load(folder).encoder


def save_preset(encoder, folder):
    """Saves a model whose probabilities tell ids apart."""
    model = networks.build("deepfm", encoder.schema)
    networks.set_weights(model, deviation=0.2)
    zoo.save_to_preset(model, folder, encoder)


def inputs_of(rows, log_format):
    """Returns a client's columns: numbers, and text as it is in the log."""
    sent = {}
    for name in log_format.dense:
        missing = ("", None, *log_format.missing_in(name))
        sent[name] = np.array(
            [np.nan if x in missing else float(x) for x in rows[name]],
            "float64",
        )
    for name in log_format.token_columns:
        sent[name] = np.array([x or "" for x in rows[name]], "object")
    return sent


def export_raw(folder, format):
    output = folder / f"exported{FORMATS[format].suffix}"
    zoo.export(folder / "preset", output, format, raw=True)
    return output


def assert_gives(output, format, predictor, rows, counts, spread=0.01):
    """The served model gives the probabilities that the predictor gives."""
    predict = OPEN[format](output)
    wanted = predictor.predict(rows)
    if not isinstance(wanted, dict):
        wanted = {"label": wanted}
    assert min(each.std() for each in wanted.values()) > spread
    sent = inputs_of(rows.to_pydict(), predictor.encoder.log_format)
    for count in counts:
        answers = predict({name: x[:count] for name, x in sent.items()})
        assert len(answers) == len(wanted)
        for received, expected in zip(answers, wanted.values(), strict=True):
            assert received.dtype == "float32"
            np.testing.assert_allclose(
                received, expected[:count, None], rtol=0, atol=1e-5
            )


@pytest.mark.export
@pytest.mark.parametrize("transform", ["minmax", "log", "none"])
@pytest.mark.parametrize("format", RAW)
def test_raw_rows_get_the_same_probabilities(tmp_path, format, transform):
    encoder = shop_encoder(tmp_path / "log", dense_transform=transform)
    save_preset(encoder, tmp_path / "preset")
    output = export_raw(tmp_path, format)
    predictor = zoo.CTRPredictor.from_preset(tmp_path / "preset")
    rows = shop_rows(200, seed=2, items=[*ITEMS, "new"])
    assert_gives(output, format, predictor, rows, counts=(1, 7, 200))
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"log", "preset", output.name}


@pytest.mark.export
@pytest.mark.parametrize("format", RAW)
def test_several_labels_are_outputs_in_their_order(tmp_path, format):
    log_format = zoo.LogFormat(
        "shop", categorical=("item",), labels=("click", "buy")
    )
    encoder = shop_encoder(tmp_path / "log", log_format)
    save_preset(encoder, tmp_path / "preset")
    predictor = zoo.CTRPredictor.from_preset(tmp_path / "preset")
    output = export_raw(tmp_path, format)
    rows = shop_rows(50, seed=2)
    assert_gives(output, format, predictor, rows, counts=(1, 50))


@pytest.mark.export
@pytest.mark.skipif(
    "tf_saved_model" not in RAW, reason="this backend writes no SavedModel"
)
def test_hashed_ids_are_the_same(tmp_path):
    encoder = shop_encoder(tmp_path / "log", num_buckets=50)
    save_preset(encoder, tmp_path / "preset")
    predictor = zoo.CTRPredictor.from_preset(tmp_path / "preset")
    output = export_raw(tmp_path, "tf_saved_model")
    rows = shop_rows(200, seed=2, items=[*ITEMS, "x" * 200])
    assert_gives(output, "tf_saved_model", predictor, rows, counts=(1, 200))


@pytest.mark.export
@pytest.mark.parametrize("format", RAW)
@pytest.mark.parametrize("name", SAMPLES)
def test_all_rows_of_a_sample_get_the_same(tmp_path, sample, name, format):
    source, log_format = sample(name), SAMPLES[name]
    if name.startswith("avazu_10k"):
        # A file of another name is no split.
        (tmp_path / "rows.csv").symlink_to(source)
        source = tmp_path / "rows.csv"
    zoo.prepare(
        *(log_format, source, tmp_path / "log"),
        split="random",
        min_count=2,
        show_progress=False,
    )
    encoder = zoo.EncodedLog.load(tmp_path / "log").encoder
    save_preset(encoder, tmp_path / "preset")
    predictor = zoo.CTRPredictor.from_preset(tmp_path / "preset")
    predict = OPEN[format](export_raw(tmp_path, format))
    [received] = predict(inputs_of(read_text(source, log_format), log_format))
    expected = predictor.predict(source)
    assert expected.std() > 0.02
    np.testing.assert_allclose(received[:, 0], expected, rtol=0, atol=1e-5)


def read_text(source, log_format):
    if source.suffix == ".parquet":
        rows = pa.parquet.read_table(source).to_pydict()
        return {n: list(map(str, x)) for n, x in rows.items()}
    with source.open(newline="") as file:
        names = None if log_format.header else log_format.columns
        rows = csv.DictReader(
            file, names, delimiter=log_format.delimiter, quoting=csv.QUOTE_NONE
        )
        rows = list(rows)
    return {name: [row[name] for row in rows] for name in rows[0]}


# Nothing of this project, and no Keras, is there to be imported.
ALONE = """
import importlib.util, json, sys
from importlib.machinery import PathFinder
import numpy as np

hidden = ("zoo", "keras", "keras_cowclip")

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] not in hidden:
            return super().find_spec(name, path, target)

sys.meta_path = [Finder if f is PathFinder else f for f in sys.meta_path]
for name in hidden:
    assert importlib.util.find_spec(name) is None, name
format, path, sent = sys.argv[1:]
inputs = {n: np.array(x, t) for n, (x, t) in json.loads(sent).items()}
if format == "onnx":
    import onnxruntime
    answer = onnxruntime.InferenceSession(path).run(None, inputs)[0]
else:
    import tensorflow as tf
    model = tf.saved_model.load(path)
    answer = model.serve({n: tf.constant(x) for n, x in inputs.items()})
    answer = np.array(tf.nest.flatten(answer)[0])
print(json.dumps(answer.ravel().tolist()))
"""


@pytest.mark.export
@pytest.mark.parametrize("format", RAW)
def test_its_runtime_needs_neither_zoo_nor_keras(tmp_path, format):
    save_preset(shop_encoder(tmp_path / "log"), tmp_path / "preset")
    output = export_raw(tmp_path, format)
    rows = shop_rows(20, seed=2)
    sent = inputs_of(rows.to_pydict(), SHOP)
    text = json.dumps({n: (x.tolist(), str(x.dtype)) for n, x in sent.items()})
    done = subprocess.run(
        [sys.executable, "-c", ALONE, format, output, text],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    predictor = zoo.CTRPredictor.from_preset(tmp_path / "preset")
    np.testing.assert_allclose(
        json.loads(done.stdout), predictor.predict(rows), rtol=0, atol=1e-5
    )


def make_encoder(folder, tokens, missing=(), num_buckets=None):
    """An encoder of these tokens, in a field and in a list that shares it."""
    log_format = zoo.LogFormat(
        "odd",
        categorical=("item",),
        missing=missing,
        sequences={"history": zoo.ListColumn("item", max_length=3)},
    )
    names = ("item",) if num_buckets is None else ()
    if names:
        path = vocabulary_file.path_of(folder, "item")
        path.parent.mkdir(parents=True)
        columns = [tokens, range(2, len(tokens) + 2), [1] * len(tokens)]
        table = pa.table(columns, schema=vocabulary_file.SCHEMA)
        pa.parquet.write_table(table, path)
    return zoo.ClickEncoder(
        EncoderSettings(log_format, num_buckets=num_buckets),
        [],
        [len(tokens) if num_buckets is None else num_buckets],
        Vocabularies.written(folder, names),
    )


def encode_with_onnx(encoder, inputs, folder):
    import onnx
    import onnxruntime

    graph = OnnxGraph("")
    model = onnx.helper.make_model(
        onnx_encoding.encoding_graph(graph, encoder, read_text_ids(encoder)),
        opset_imports=[
            onnx.helper.make_opsetid("", onnx_encoding.SPLITS_TEXT),
            onnx.helper.make_opsetid(
                onnx_encoding.ML_DOMAIN, onnx_encoding.ML_VERSION
            ),
        ],
        ir_version=onnx_encoding.IR_VERSION,
    )
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [graph.name_of_output(name) for name in encoder.schema.inputs()]
    answers = session.run(names, inputs)
    return dict(zip(encoder.schema.inputs(), answers, strict=True))


def encode_with_tensorflow(encoder, inputs, folder):
    import tensorflow as tf

    from zoo.serving import raw_saved_model

    tables = {
        name: raw_saved_model._table(known, folder / "table.txt")
        for name, known in read_text_ids(encoder).items()
    }
    inputs = {name: tf.constant(texts) for name, texts in inputs.items()}
    encoded = raw_saved_model._encode(inputs, encoder, tables)
    return {name: array.numpy() for name, array in encoded.items()}


ENCODE = {"onnx": encode_with_onnx, "tf_saved_model": encode_with_tensorflow}
TOKENS = strategies.text(
    strategies.characters(exclude_categories=["Cs"])
    | strategies.sampled_from('\0\t\n\r\\"|,\ufeff'),
    max_size=6,
) | strategies.sampled_from(["x" * 2000, "x" * 2001, "NULL", "-", "é"])


@pytest.mark.export
@pytest.mark.parametrize("format", ENCODE)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],
)
@given(
    known=strategies.lists(TOKENS, max_size=6, unique=True),
    missing=strategies.lists(TOKENS, max_size=2),
    others=strategies.lists(TOKENS, max_size=4),
    hashed=strategies.booleans(),
)
def test_odd_texts_have_the_ids_of_the_encoder(
    format, known, missing, others, hashed
):
    tokens = [text for text in known if text not in ("", *missing)]
    num_buckets = 7 if hashed and format == "tf_saved_model" else None
    texts = [*known, *missing, *others, "", "new"]
    lists = ["|".join(texts[i : i + 5]) for i in range(len(texts))]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        encoder = make_encoder(folder, tokens, tuple(missing), num_buckets)
        rows = pa.table({"item": texts, "history": lists})
        expected = encoder.encode(rows)
        sent = {"item": texts, "history": lists}
        inputs = {n: np.array(x, "object") for n, x in sent.items()}
        received = ENCODE[format](encoder, inputs, folder)
    assert received.keys() == expected.keys()
    for name, ids in expected.items():
        assert received[name].dtype == ids.dtype
        np.testing.assert_array_equal(received[name], ids, name)


@pytest.mark.export
@pytest.mark.parametrize("format", ENCODE)
def test_rows_without_events_are_padding_alone(tmp_path, format):
    encoder = make_encoder(tmp_path, ["a"], missing=("-",))
    texts = np.array(["", "-"], "object")
    inputs = {"item": texts, "history": texts}
    received = ENCODE[format](encoder, inputs, tmp_path)
    np.testing.assert_array_equal(received["history"], np.full((2, 3), -1))
    np.testing.assert_array_equal(received["ids"], [[0], [0]])


@pytest.mark.export
def test_hashes_are_those_of_md5():
    import tensorflow as tf

    from zoo.serving.tensorflow_md5 import hash_text

    texts = [b"\xff\x00" * (i // 2) + b"x" * (i % 2) for i in range(200)]
    expected = [int(hashlib.md5(text).hexdigest()[:15], 16) for text in texts]
    assert hash_text(tf.constant(texts)).numpy().tolist() == expected
    assert hash_text(tf.constant([], tf.string)).shape == (0,)


@pytest.mark.export
def test_a_shared_vocabulary_is_in_the_file_once(tmp_path):
    import onnx

    save_preset(make_encoder(tmp_path, ["needle"]), tmp_path / "preset")
    if "onnx" in RAW:
        path = export_raw(tmp_path, "onnx")
        onnx.checker.check_model(onnx.load(path), full_check=True)
        assert path.read_bytes().count(b"needle") == 1


@pytest.mark.export
@pytest.mark.parametrize("format", RAW)
def test_the_command_exports(tmp_path, format, capsys, monkeypatch):
    encoder = make_encoder(tmp_path, ["a", "b"])
    save_preset(encoder, tmp_path / "preset")
    output = tmp_path / f"exported{FORMATS[format].suffix}"
    monkeypatch.setenv("COLUMNS", "200")
    arguments = ["--raw", "--format", format, "--output", str(output)]
    with pytest.raises(SystemExit, match="0"):
        cli.main(["export", str(tmp_path / "preset"), *arguments])
    assert f"Exported: {output}" in capsys.readouterr().out
    rows = pa.table({"item": ["a", "b"], "history": ["a|b", ""]})
    predictor = zoo.CTRPredictor.from_preset(tmp_path / "preset")
    assert_gives(output, format, predictor, rows, (2,), spread=1e-3)


@pytest.fixture
def written(monkeypatch):
    """Replaces what Keras writes, so that no package is needed."""

    def write(model, schema, path, format):
        Path(path).write_text("model")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(exporting, "write_model", write)


@pytest.mark.parametrize("name, value", each({"raw": NO_BOOLEANS}))
def test_what_is_no_boolean_is_refused(tmp_path, written, name, value):
    def call(raw):
        zoo.export(tmp_path / "no preset", tmp_path / "o.onnx", "onnx", raw=raw)

    check_refused(name, value, call)


@pytest.mark.parametrize("format", sorted({*FORMATS} - {*raw_formats()}))
def test_a_format_without_text_is_refused(tmp_path, monkeypatch, format):
    # As if each backend could write it.
    monkeypatch.setattr(exporting, "check_format", FORMATS.get)
    output = tmp_path / f"exported{FORMATS[format].suffix}"
    with pytest.raises(ValueError, match=r"\['tf_saved_model', 'onnx'\].*raw="):
        zoo.export(tmp_path / "no preset", output, format, raw=True)
    assert not list(tmp_path.iterdir())


def test_a_hash_is_refused_where_there_is_none(tmp_path, written):
    encoder = make_encoder(tmp_path, [], num_buckets=9)
    save_preset(encoder, tmp_path / "preset")
    with pytest.raises(ValueError, match="tf_saved_model.*num_buckets=9"):
        zoo.export(tmp_path / "preset", tmp_path / "a" / "o.onnx", "onnx", True)
    assert [path.name for path in tmp_path.iterdir()] == ["preset"]


def test_a_preset_without_encoder_is_refused(tmp_path, written):
    model = networks.build("deepfm", zoo.FeatureSchema([], {"item": 3}))
    model.save_to_preset(tmp_path / "preset")
    with pytest.raises(FileNotFoundError, match="must have an encoder"):
        zoo.export(tmp_path / "preset", tmp_path / "o.onnx", "onnx", raw=True)
    assert [path.name for path in tmp_path.iterdir()] == ["preset"]


def test_the_encoder_of_another_model_is_refused(tmp_path, written):
    encoder = make_encoder(tmp_path, ["a", "b"])
    schema = zoo.FeatureSchema([], {"item": 3})
    model = networks.build("deepfm", schema)
    zoo.save_to_preset(model, tmp_path / "preset", encoder)
    with pytest.raises(ValueError, match="must have the columns and vocab"):
        zoo.export(tmp_path / "preset", tmp_path / "o.onnx", "onnx", raw=True)
    assert not (tmp_path / "o.onnx").exists()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failed_export_leaves_nothing(tmp_path, written, monkeypatch, error):
    def fail(path, encoder, known):
        path.write_text("half a model")
        raise error

    save_preset(make_encoder(tmp_path / "e", ["a"]), tmp_path / "preset")
    monkeypatch.setitem(exporting._PUT_ENCODER, "onnx", fail)
    with pytest.raises(error):
        zoo.export(tmp_path / "preset", tmp_path / "a" / "o.onnx", "onnx", True)
    assert {path.name for path in tmp_path.iterdir()} == {"e", "preset"}


def test_the_size_counts_the_vocabulary(tmp_path, written, monkeypatch):
    encoder = make_encoder(tmp_path / "e", ["x" * 100_000])
    save_preset(encoder, tmp_path / "preset")
    monkeypatch.setattr(exporting, "MESSAGE_BYTES", 100_000)
    with pytest.raises(ValueError, match="of.*tf_saved_model.*vocabularies"):
        zoo.export(tmp_path / "preset", tmp_path / "o.onnx", "onnx", raw=True)
    zoo.export(tmp_path / "preset", tmp_path / "o.onnx", "onnx")


def test_names_in_signatures_differ():
    columns = ["a", "A", "self", "a b", "a.b", "1", "é", "", "a_b"]
    names = name_inputs(columns)
    assert names["a_b"] == "a_b"
    assert len({name.lower() for name in names.values()}) == len(columns)
    assert "self" not in names.values()
