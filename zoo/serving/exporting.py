"""Exports presets for runtimes that serve them without this package."""

import contextlib
import os
import warnings
from collections.abc import Mapping
from typing import Any

import keras

from zoo.checks import check_boolean
from zoo.feature_schema import FeatureSchema
from zoo.files.whole_output import check_new
from zoo.files.whole_output import new_output
from zoo.registry import is_network
from zoo.registry import network_name
from zoo.serving.export_formats import FORMATS
from zoo.serving.export_formats import Format
from zoo.serving.export_formats import check_format
from zoo.serving.export_formats import check_holds_text
from zoo.serving.export_formats import check_network
from zoo.serving.export_formats import check_suffix
from zoo.serving.float32_model import copy_in_float32
from zoo.serving.float32_model import load_in_float32
from zoo.serving.model_writer import write_model
from zoo.serving.plain_model import make_plain
from zoo.serving.raw_onnx import check_no_hash
from zoo.serving.raw_onnx import put_encoder_into_onnx
from zoo.serving.raw_saved_model import put_encoder_into_saved_model
from zoo.serving.text_ids import TextIds
from zoo.serving.text_ids import read_text_ids

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
    `schema.labels`. It computes in float32, whatever policy the preset was
    trained with. Ids are those of `ClickEncoder.encode` and are not checked.

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
    up by its text as well: if the vocabulary was learned from a table of
    integers, `7` is known and `007` is not. Rows are not checked, and neither
    are the lengths of parallel lists. ONNX has no hash, so that `num_buckets`
    needs `tf_saved_model`. In a signature of TensorFlow names have letters,
    digits and `_` alone: the column `item id` is `item_id` there, and `serve`
    takes it under its own name.

    Args:
        preset: as `zoo.from_preset` takes it; or a `keras.Model`, of which a
            copy is exported.
        output: path of the file or folder to write, which must not exist yet.
            It appears once it is whole.
        format: string, one of `zoo.serving.export_formats.FORMATS`, which
            says which backend can write it.
        raw: boolean. Whether the model takes raw rows, which `onnx` and
            `tf_saved_model` can. The preset must have an encoder. Defaults to
            `False`.
        schema: `zoo.FeatureSchema`, the columns of a model of yours. Defaults
            to `None`, that of the preset or of a model of the zoo.
        **hub: as `zoo.from_preset` takes them.

    Raises:
        ValueError: for a format that this backend can't write; an output that
            exists or has another suffix; a model that is too large for the
            format, or of a network that its runtime can't open; raw rows in a
            format without text, or hashed ids in one without a hash.
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
        # A class of a user's own may have no name.
        if is_network(loaded):
            backend = keras.backend.backend()
            check_network(network_name(loaded), format, backend)
        if encoder is not None:
            if format == "onnx":
                check_no_hash(encoder)
            known = read_text_ids(encoder)
        with _quiet():
            model = make_plain(loaded, schema)
        _check_size(model, known, format, chosen)
        with new_output(output) as path, _quiet():
            write_model(model, schema, path, format)
            if encoder is not None:
                _PUT_ENCODER[format](path, encoder, known)


def _check_not_raw(raw: bool) -> None:
    if raw:
        raise ValueError(
            "`raw=True` needs the encoder of a preset: save the model with it "
            "by `zoo.save_to_preset`, and export that. "
            "Received: raw=True, a keras.Model"
        )


# Each puts the encoder into the model of a file.
_PUT_ENCODER = {
    "tf_saved_model": put_encoder_into_saved_model,
    "onnx": put_encoder_into_onnx,
}


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
