"""Exports presets for runtimes that serve them without this package."""

import contextlib
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from zoo.checks import check_boolean
from zoo.feature_schema import FeatureSchema
from zoo.files.whole_output import check_new
from zoo.files.whole_output import new_output
from zoo.registry import NETWORKS
from zoo.serving.export_formats import FORMATS
from zoo.serving.export_formats import Format
from zoo.serving.export_formats import check_format
from zoo.serving.export_formats import check_holds_text
from zoo.serving.export_formats import check_network
from zoo.serving.export_formats import check_suffix
from zoo.serving.float32_model import copy_in_float32
from zoo.serving.float32_model import load_in_float32
from zoo.serving.plain_model import make_plain
from zoo.serving.raw_onnx import check_no_hash
from zoo.serving.raw_onnx import put_encoder_into_onnx
from zoo.serving.raw_saved_model import put_encoder_into_saved_model
from zoo.serving.signature_names import name_inputs
from zoo.serving.text_ids import TextIds
from zoo.serving.text_ids import read_text_ids
from zoo.serving.torch_exporter import torch_symbols

MESSAGE_BYTES = 2**31
"""The size limit of a message of Protocol Buffers or FlatBuffers."""


def export(
    preset: str | os.PathLike | keras.Model,
    output: str | os.PathLike,
    format: str,
    raw: bool = False,
    schema: FeatureSchema | None = None,
    **hub: Any,
) -> None:
    """Writes the model of a preset for a runtime that serves it.

    In every format the model takes `dense`, `(batch, num_dense)` float32,
    `ids`, `(batch, num_fields)` int32, and the sequences, each
    `(batch, max_length)` int32 with -1 in front of the first event, under these
    names, for any number of rows. It gives the `(batch, 1)` click probability,
    with several labels a list of one of each, in the order of
    `schema.labels`. It computes in float32
    whatever policy the preset was trained with. Ids are those of
    `ClickEncoder.encode` and are not checked.

    | format | how it is called |
    |---|---|
    | `tf_saved_model` | `model.serve(inputs)`, with `model = \
tf.saved_model.load(output)`; the output of its signatures is `output_0` |
    | `onnx` | `InferenceSession(output).run(None, inputs)[0]` |
    | `torch` | `torch.export.load(output).module()(inputs)` |
    | `openvino` | `core.compile_model(f"{output}/model.xml")(inputs)[0]` |
    | `litert` | `runner(**inputs)["output_0"]`, with `runner = \
Interpreter(output).get_signature_runner()` |

    `inputs` is the dict of all; the output has no name to rely on in ONNX and
    OpenVINO. OpenVINO computes in bfloat16 where the processor can, unless it
    is asked for `{"INFERENCE_PRECISION_HINT": "f32"}`.

    With `raw=True` the encoder is part of the model. `inputs` is then a dict
    from the columns of the log to tensors of `(batch,)`:

    - a dense column: float64, NaN for a missing number;
    - a categorical one: strings, with the text that the log has. `""` and the
      `missing` texts of the `LogFormat` are missing values;
    - a list: strings, each with the tokens of a row and the column's
      `separator` between them.

    It gives what `CTRPredictor` gives for the same text. An integer is looked
    up by its text as well: `7`, where the vocabulary was learned from a table
    of integers, and not `007`. Nothing is checked: no rule of the log, and not
    that parallel lists are equally long. In ONNX there is no hash, so that
    `num_buckets` needs `tf_saved_model`. The signatures of TensorFlow have
    letters, digits and `_` in names: `item_id` for the column `item id`, which
    `serve` takes under its own name.

    Args:
        preset: as `zoo.from_preset` takes it; or a `keras.Model`, of which a
            copy is exported.
        output: path of the file or folder to write, which must not be there
            yet. It appears once it is whole.
        format: string, one of `zoo.serving.export_formats.FORMATS`, which
            says which backend can write it.
        raw: boolean. Whether the model takes raw rows, which `onnx` and
            `tf_saved_model` can. The preset must have an encoder. Defaults to
            `False`.
        schema: `zoo.FeatureSchema`, the columns of a model of yours. Defaults
            to `None`, that of the preset or of a model of the zoo.
        **hub: as `zoo.from_preset` takes them.

    Raises:
        ValueError: for a format that this backend can't write, an output of
            another suffix or that is there, or a model that is too large for
            the format, or of a network that its runtime can't open; for raw
            rows in a format that has no text, or no hash.
        ImportError: if a package is missing; says how to install it.
        FileNotFoundError: if the preset or one of its files is missing.

    Example:

    ```python
    import onnxruntime

    zoo.export("runs/deepfm", "deepfm.onnx", format="onnx")
    session = onnxruntime.InferenceSession("deepfm.onnx")
    encoder = zoo.ClickEncoder.load("runs/deepfm/encoder")
    row = dict.fromkeys(zoo.datasets.CRITEO.used) | {"I1": 3}
    clicks = session.run(None, encoder.encode([row]))[0]

    zoo.export("runs/deepfm", "raw.onnx", format="onnx", raw=True)
    session = onnxruntime.InferenceSession("raw.onnx")
    text = dict.fromkeys(zoo.datasets.CRITEO.categorical, "")
    numbers = dict.fromkeys(zoo.datasets.CRITEO.dense, float("nan")) | {"I1": 3}
    inputs = {name: np.array([x], "object") for name, x in text.items()}
    inputs |= {name: np.array([x], "float64") for name, x in numbers.items()}
    same_clicks = session.run(None, inputs)[0]
    ```
    """
    chosen = check_format(format)
    check_boolean("raw", raw)
    if raw:
        check_holds_text(format)
    check_suffix(output, chosen)
    check_new(output)
    with _portable_device():
        encoder, known = None, dict[str, TextIds]()
        if isinstance(preset, keras.Model):
            _check_not_raw(raw)
            loaded, schema = copy_in_float32(preset, schema, **hub)
        else:
            loaded, schema, encoder = load_in_float32(
                preset, schema, needs_encoder=raw, **hub
            )
        _check_network(loaded, format)
        if encoder is not None:
            if format == "onnx":
                check_no_hash(encoder)
            known = read_text_ids(encoder)
        with _quiet():
            model = make_plain(loaded, schema)
        _check_size(model, known, format, chosen)
        with new_output(output) as path, _quiet():
            _write(model, schema, path, format)
            if encoder is not None:
                _PUT_ENCODER[format](path, encoder, known)


def _check_not_raw(raw: bool) -> None:
    if raw:
        raise ValueError(
            "`raw=True` needs the encoder of a preset: save the model with it "
            "by `zoo.save_to_preset`, and export that. "
            "Received: raw=True, a keras.Model"
        )


# What makes the model in a file one of raw rows.
_PUT_ENCODER = {
    "tf_saved_model": put_encoder_into_saved_model,
    "onnx": put_encoder_into_onnx,
}


def _write(
    model: keras.Model, schema: FeatureSchema, path: Path, format: str
) -> None:
    if format == "openvino":
        # Two files, which only a folder keeps together.
        path.mkdir()
        path = path / "model.xml"
    backend = keras.backend.backend()
    if (format, backend) == ("tf_saved_model", "tensorflow"):
        _save_with_tensorflow(model, schema, path)
        return
    if (format, backend) == ("torch", "torch"):
        _drop_second_copy(model)
    names = {name: name for name in schema.inputs()}
    if format == "tf_saved_model":
        names = name_inputs(names)
    taught = backend == "torch" and format in ("onnx", "openvino")
    with torch_symbols() if taught else contextlib.nullcontext():
        model.export(
            str(path),
            format=format,
            verbose=False,
            input_signature=[
                {
                    name: keras.InputSpec(
                        dtype, (None, columns), name=names[name]
                    )
                    for name, (columns, dtype) in schema.inputs().items()
                }
            ],
            **_options(format, schema),
        )
    if (format, backend) == ("onnx", "jax"):
        _join_files(path)


def _save_with_tensorflow(
    model: keras.Model, schema: FeatureSchema, path: Path
) -> None:
    """Writes every weight once, where `model.export` writes it twice."""
    import tensorflow as tf

    names = name_inputs(schema.inputs())
    inputs = {
        name: tf.TensorSpec((None, columns), dtype, name=names[name])
        for name, (columns, dtype) in schema.inputs().items()
    }
    served = tf.Module()
    served.weights = [variable.value for variable in model.variables]
    served.serve = tf.function(
        lambda inputs: model(inputs, training=False),
        input_signature=[inputs],
        autograph=False,
    )
    signature = served.serve.get_concrete_function()
    tf.saved_model.save(
        served,
        str(path),
        signatures={"serve": signature, "serving_default": signature},
    )


def _drop_second_copy(model: keras.Model) -> None:
    """Removes the parameters of the modules, which no operation reads.

    `torch.export` would write them beside the tensors that the layers read.
    """
    import torch

    for module in list(model.modules()):
        if isinstance(module, keras.layers.Layer):
            module._torch_params = torch.nn.ParameterDict()


def _join_files(path: Path) -> None:
    """Moves large tables into the file; jax2onnx writes them beside it."""
    import onnx

    joined = onnx.load(path)
    path.unlink()
    onnx.save_model(joined, path, save_as_external_data=False)


def _options(format: str, schema: FeatureSchema) -> dict[str, Any]:
    if format == "torch":
        import torch

        rows = {0: torch.export.Dim("batch")}
        return {"dynamic_shapes": [(dict.fromkeys(schema.inputs(), rows),)]}
    if format == "tf_saved_model" and keras.backend.backend() == "jax":
        # The default is a file for this kind of device alone.
        platforms = ("cpu", "cuda", "tpu")
        return {"jax2tf_kwargs": {"native_serialization_platforms": platforms}}
    return {}


def _check_network(model: keras.Model, format: str) -> None:
    names = {cls: name for name, cls in NETWORKS.items()}
    # A class of the user's own may have no name.
    name = names.get(type(model), "")
    check_network(name, format, keras.backend.backend())


def _check_size(
    model: keras.Model,
    known: Mapping[str, TextIds],
    format: str,
    chosen: Format,
) -> None:
    size = 4 * model.count_params()
    size += sum(each.num_bytes for each in known.values())
    if chosen.one_message and size >= MESSAGE_BYTES:
        others = [
            name
            for name, other in FORMATS.items()
            if not other.one_message and (other.holds_text or not known)
        ]
        vocabularies = " with its vocabularies" if known else ""
        raise ValueError(
            f"`format={format!r}` holds less than {MESSAGE_BYTES:,} bytes: "
            f"choose one of {others}. "
            f"Received: a model of {size:,} bytes{vocabularies}"
        )


def _portable_device() -> contextlib.AbstractContextManager:
    """Returns the CPU's scope on PyTorch, whose files depend on the device."""
    if keras.backend.backend() == "torch":
        return keras.device("cpu")
    return contextlib.nullcontext()


@contextlib.contextmanager
def _quiet():
    """Hides the converters' warnings about their own and Keras' code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
