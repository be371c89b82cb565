"""Exported models give in their own runtimes what `model.predict` gives."""

import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import tree

import zoo
from tests.zoo import networks
from tests.zoo import own_networks
from tests.zoo.networks import FIRST
from tests.zoo.networks import each_network
from tests.zoo.serving.runtimes import OPEN
from zoo.cli import app as cli
from zoo.serving import export_formats
from zoo.serving import exporting
from zoo.serving import model_writer
from zoo.serving.export_formats import BACKENDS
from zoo.serving.export_formats import FORMATS
from zoo.serving.export_formats import check_network

BACKEND = keras.backend.backend()
WRITTEN = [name for name in FORMATS if BACKEND in FORMATS[name].writers]
REFUSED = [name for name in FORMATS if name not in WRITTEN]
SCHEMA = zoo.FeatureSchema(["price", "age"], {"site": 50, "ad": 300, "hour": 7})
GUIDE = Path(__file__).parents[3] / "docs" / "export.md"


def make_model(name="deepfm", schema=SCHEMA, dtype=None):
    """A model whose probabilities span (0, 1), so that errors would show."""
    model = networks.build(name, schema, hidden_units=(16, 8), dtype=dtype)
    return networks.set_weights(model, deviation=0.3)


def draw(rows, schema=SCHEMA):
    return networks.inputs(schema, rows, seed=rows)


def output_of(folder, format):
    return folder / f"exported{FORMATS[format].suffix}"


def bytes_in(path):
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files)


# The errors of Keras and the converters.
REASONS = {
    "tf_saved_model": "'dict' object has no attribute 'shape'",
    "torch": "Torch|torch",
    "openvino": "XlaCallModule",
    "litert": "requires TensorFlow or PyTorch|litert-torch",
}


def probabilities(model, inputs):
    """What `model.predict` gives, as a list in the order of the labels."""
    predicted = model.predict(inputs, verbose=0)
    if isinstance(predicted, dict):
        predicted = [predicted[label] for label in model.schema.labels]
    return tree.flatten(predicted)


def assert_gives(path, format, model, rows=(1, 7, 300), spread=0.05):
    predict = OPEN[format](path)
    inputs = draw(max(rows), model.schema)
    wanted = probabilities(model, inputs)
    assert min(expected.std() for expected in wanted) > spread
    for count in rows:
        answers = predict({name: x[:count] for name, x in inputs.items()})
        # OpenVINO adds outputs behind them to some models of TensorFlow.
        assert len(answers) == len(wanted) or format == "openvino"
        for received, expected in zip(answers, wanted, strict=False):
            assert received.shape == (count, 1)
            assert received.dtype == "float32"
            np.testing.assert_allclose(
                received, expected[:count], rtol=0, atol=1e-5
            )


@pytest.mark.export
@pytest.mark.parametrize("network", FIRST)
@pytest.mark.parametrize("format", WRITTEN)
def test_its_runtime_gives_the_same_probabilities(tmp_path, format, network):
    model = make_model(network)
    model.save_to_preset(tmp_path / "preset")
    output = output_of(tmp_path / "new", format)
    zoo.export(tmp_path / "preset", output, format)
    assert_gives(output, format, model)
    assert [path.name for path in output.parent.iterdir()] == [output.name]


@pytest.mark.export
@pytest.mark.parametrize("network", each_network("ccpm", "din"))
@pytest.mark.parametrize("format", WRITTEN)
def test_each_network_is_exported(tmp_path, format, network):
    if (network, format, BACKEND) in export_formats.REFUSED:
        pytest.skip(export_formats.REFUSED[network, format, BACKEND])
    # Larger weights take all probabilities of FGCNN to 0.
    deviation = 0.15 if network == "fgcnn" else 0.3
    model = networks.set_weights(networks.build(network), deviation=deviation)
    model.save_to_preset(tmp_path / "preset")
    output = output_of(tmp_path, format)
    zoo.export(tmp_path / "preset", output, format)
    assert_gives(output, format, model, rows=(1, 7), spread=5e-5)


SHOP = zoo.FeatureSchema(
    ["price"],
    {"user": 50, "item": 300},
    sequences={"history": zoo.Sequence("item", max_length=3)},
)


def own_model(kind):
    """A model of a user's own class, with its schema."""
    if kind == "subclass":
        model, schema = own_networks.HistoryTower(items=300), SHOP
        model(draw(1, schema))
    else:
        labels = ("click", "buy") if kind == "labels" else None
        schema = zoo.FeatureSchema(
            ["price"], {"site": 50, "ad": 300}, labels=labels
        )
        model = own_networks.functional(schema)
    return networks.set_weights(model), schema


@pytest.mark.export
@pytest.mark.parametrize("kind", ["functional", "subclass", "labels"])
@pytest.mark.parametrize("format", WRITTEN)
def test_a_model_of_a_user_is_exported(tmp_path, format, kind):
    model, schema = own_model(kind)
    zoo.save_to_preset(model, tmp_path / "preset", schema=schema)
    output = output_of(tmp_path / "new", format)
    zoo.export(tmp_path / "preset", output, format)
    model.schema = schema
    assert_gives(output, format, model)


@pytest.mark.export
@pytest.mark.parametrize("kind", ["functional", "subclass", "zoo"])
def test_a_model_is_exported_without_a_preset_and_stays(tmp_path, kind):
    if kind == "zoo":
        model = make_model(dtype="mixed_bfloat16")
        schema = None
    else:
        model, schema = own_model(kind)
    format = WRITTEN[0]
    before = model.predict(draw(9, schema or SCHEMA), verbose=0)
    zoo.export(model, output_of(tmp_path, format), format, schema=schema)
    after = model.predict(draw(9, schema or SCHEMA), verbose=0)
    np.testing.assert_array_equal(after, before)
    counts = [v for v in model.variables if v.path.endswith("id_counts")]
    assert counts and all(v.trainable for v in counts)
    model.schema = schema or SCHEMA
    predict = OPEN[format](output_of(tmp_path, format))
    (received,) = predict(draw(9, model.schema))
    np.testing.assert_allclose(received, before, atol=0.02)


@pytest.mark.one_backend(reason="it is refused before a model is asked")
def test_what_says_nothing_of_its_columns_is_not_exported(tmp_path):
    model, schema = own_model("functional")
    format = "torch"  # It needs no package.
    with pytest.raises(ValueError, match="`schema` must say.*Received"):
        zoo.export(model, output_of(tmp_path, format), format)
    with pytest.raises(ValueError, match="`schema` must be left out.*Receiv"):
        zoo.export(
            "deepfm_synthetic",
            output_of(tmp_path, format),
            format,
            schema=schema,
        )
    with pytest.raises(ValueError, match="left out beside a model.*revision"):
        zoo.export(
            model,
            output_of(tmp_path, format),
            format,
            schema=schema,
            revision="main",
        )
    assert not [*tmp_path.iterdir()]


@pytest.mark.one_backend(reason="the message is looked at, no file is written")
def test_a_network_that_a_format_can_t_hold_is_named():
    with pytest.raises(ValueError, match="can't hold 'dien'.*tf_saved_model"):
        check_network("dien", "litert", "tensorflow")
    check_network("dien", "onnx", "torch")


@pytest.mark.export
@pytest.mark.parametrize("format", WRITTEN)
def test_several_labels_are_outputs_in_their_order(tmp_path, format):
    columns = {"site": 50, "ad": 300}
    labels = ("click", "buy", "another")
    model = make_model(schema=zoo.FeatureSchema([], columns, labels=labels))
    model.save_to_preset(tmp_path / "preset")
    output = output_of(tmp_path, format)
    zoo.export(tmp_path / "preset", output, format)
    assert_gives(output, format, model)


@pytest.mark.export
@pytest.mark.parametrize("format", WRITTEN)
def test_a_mixed_policy_is_exported_in_float32(tmp_path, format):
    model = make_model("dcn_v2", dtype="mixed_bfloat16")
    model.save_to_preset(tmp_path / "preset")
    zoo.export(tmp_path / "preset", output_of(tmp_path, format), format)
    exact = zoo.from_preset(tmp_path / "preset", dtype="float32")
    assert_gives(output_of(tmp_path, format), format, exact)


@pytest.mark.export
@pytest.mark.parametrize("format", WRITTEN)
def test_a_log_without_dense_columns_is_exported(tmp_path, format):
    model = make_model(schema=zoo.FeatureSchema([], {"site": 50, "ad": 300}))
    model.save_to_preset(tmp_path / "preset")
    zoo.export(tmp_path / "preset", output_of(tmp_path, format), format)
    assert_gives(output_of(tmp_path, format), format, model)


@pytest.mark.export
@pytest.mark.parametrize("format", WRITTEN)
def test_the_counts_weigh_nothing(tmp_path, format):
    """With them each table would take 4 bytes an id more: 1.2 MB of 4.4."""
    schema = zoo.FeatureSchema(["price"], {"site": 100_000})
    model = make_model(schema=schema)
    model.save_to_preset(tmp_path / "preset")
    zoo.export(tmp_path / "preset", output_of(tmp_path, format), format)
    parameters = 100_000 * (4 + 1) * 4
    size = bytes_in(output_of(tmp_path, format))
    assert parameters <= size < 1.15 * parameters


@pytest.mark.export
# OpenVINO starts a process that counts its users.
@pytest.mark.filterwarnings(r"ignore:os\.fork\(\) was called:RuntimeWarning")
@pytest.mark.parametrize("format", REFUSED)
def test_keras_can_not_write_what_the_table_refuses(tmp_path, format):
    """Fails when Keras has learned it: the table then says too little."""
    path = output_of(tmp_path, format)
    with exporting._quiet(), pytest.raises(Exception, match=REASONS[format]):
        model_writer.write_model(make_model(), SCHEMA, path, format)


@pytest.mark.export
@pytest.mark.parametrize("format", ["tf_saved_model", "torch"])
def test_the_command_exports(tmp_path, format, capsys, monkeypatch):
    if format not in WRITTEN:
        format = "onnx"
    model = make_model()
    model.save_to_preset(tmp_path / "preset")
    output = output_of(tmp_path, format)
    monkeypatch.setenv("COLUMNS", "200")
    arguments = ["--format", format, "--output", str(output)]
    with pytest.raises(SystemExit, match="0"):
        cli.main(["export", str(tmp_path / "preset"), *arguments])
    assert f"Exported: {output}" in capsys.readouterr().out
    assert_gives(output, format, model)


@pytest.mark.parametrize("format", REFUSED)
def test_another_backend_is_named_before_any_work(tmp_path, format):
    with pytest.raises(ValueError) as error:
        zoo.export(tmp_path / "no preset", tmp_path / "new" / "out", format)
    message = str(error.value)
    backend = next(iter(FORMATS[format].writers))
    assert f"set KERAS_BACKEND={backend} and run the same" in message
    assert getattr(FORMATS[format], BACKEND) in message
    assert "Received: " in message
    assert not list(tmp_path.iterdir())


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"one of \['tf_saved.*format='keras'"):
        zoo.export(tmp_path / "no preset", tmp_path / "out", "keras")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    package = FORMATS["onnx"].writers[BACKEND][0]
    with pytest.raises(ImportError, match=f"run `pip install {package}`"):
        zoo.export(tmp_path / "no preset", tmp_path / "out.onnx", "onnx")


@pytest.fixture
def written(monkeypatch):
    """Replaces what Keras writes, so that no package is needed."""

    def write(self, path, **kwargs):
        Path(path).write_text("model")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(keras.Model, "export", write)


def test_an_output_of_another_suffix_is_refused(tmp_path, written):
    with pytest.raises(ValueError, match=r"`output` must end in \.onnx.*\.pb"):
        zoo.export(tmp_path / "no preset", tmp_path / "out.pb", "onnx")


def test_an_output_that_is_there_is_left_alone(tmp_path, written):
    (tmp_path / "out.onnx").write_text("earlier")
    with pytest.raises(ValueError, match="not replaced: remove.*Received"):
        zoo.export(tmp_path / "no preset", tmp_path / "out.onnx", "onnx")
    assert (tmp_path / "out.onnx").read_text() == "earlier"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_failed_export_leaves_nothing(tmp_path, written, monkeypatch, error):
    def fail(self, path, **kwargs):
        Path(path).write_text("half a model")
        raise error

    make_model().save_to_preset(tmp_path / "preset")
    monkeypatch.setattr(keras.Model, "export", fail)
    with pytest.raises(error):
        zoo.export(tmp_path / "preset", tmp_path / "a" / "b.onnx", "onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["preset"]


def test_an_output_that_appears_meanwhile_is_left_alone(
    tmp_path, written, monkeypatch
):
    def write(self, path, **kwargs):
        Path(path).write_text("model")
        (tmp_path / "out.onnx").write_text("another")

    make_model().save_to_preset(tmp_path / "preset")
    monkeypatch.setattr(keras.Model, "export", write)
    # The file is no ONNX model, and the library may be absent.
    monkeypatch.setattr(model_writer, "_join_files", lambda path: None)
    with pytest.raises(ValueError, match="not replaced"):
        zoo.export(tmp_path / "preset", tmp_path / "out.onnx", "onnx")
    assert (tmp_path / "out.onnx").read_text() == "another"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_model_beyond_one_message_is_refused(tmp_path, written, monkeypatch):
    monkeypatch.setattr(exporting, "MESSAGE_BYTES", 1000)
    make_model().save_to_preset(tmp_path / "preset")
    with pytest.raises(ValueError, match="less than 1,000 bytes: choose one"):
        zoo.export(tmp_path / "preset", tmp_path / "out.onnx", "onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_a_missing_preset_is_named(tmp_path, written):
    with pytest.raises(FileNotFoundError, match="no preset"):
        zoo.export(tmp_path / "no preset", tmp_path / "a" / "o.onnx", "onnx")
    assert not list(tmp_path.iterdir())


def test_every_format_has_a_backend():
    assert list(BACKENDS) == ["tensorflow", "jax", "torch"]
    assert all(chosen.writers for chosen in FORMATS.values())
    assert set(OPEN) == set(FORMATS)


def test_the_guide_has_the_table():
    assert export_formats.formats_table() in GUIDE.read_text()


def test_the_help_has_the_table(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "2000")
    with pytest.raises(SystemExit, match="0"):
        cli.main(["export", "--help"])
    assert export_formats.formats_help() in capsys.readouterr().out
