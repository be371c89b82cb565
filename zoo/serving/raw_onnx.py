"""Puts an encoder in front of an ONNX model, so that it takes raw rows."""

from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.encoding import ClickEncoder
from zoo.serving.onnx_encoding import IR_VERSION
from zoo.serving.onnx_encoding import ML_DOMAIN
from zoo.serving.onnx_encoding import ML_VERSION
from zoo.serving.onnx_encoding import SPLITS_TEXT
from zoo.serving.onnx_encoding import encoding_graph
from zoo.serving.onnx_graph import OnnxGraph
from zoo.serving.text_ids import TextIds

if TYPE_CHECKING:
    import onnx


def check_no_hash(encoder: ClickEncoder) -> None:
    """Raises a `ValueError` for an encoder that hashes its tokens."""
    if encoder.settings.num_buckets is not None:
        raise ValueError(
            "`format='onnx'` with `raw=True` needs an encoder with "
            "vocabularies: hashed ids are made of the bytes of a text, which "
            "no operation of ONNX reads. Choose `format='tf_saved_model'`. "
            f"Received: num_buckets={encoder.settings.num_buckets}"
        )


def put_encoder_into_onnx(
    path: Path, encoder: ClickEncoder, known: Mapping[str, TextIds]
) -> None:
    """Replaces a model of encoded rows by one of raw rows.

    Args:
        path: path of an ONNX file that `zoo.export` wrote.
        encoder: `ClickEncoder`, with vocabularies.
        known: `read_text_ids` of the encoder.
    """
    import onnx

    model = _at_least(onnx.load(path), SPLITS_TEXT)
    versions = {each.domain: each.version for each in model.opset_import}
    log_format = encoder.log_format
    columns = (*log_format.dense, *log_format.token_columns)
    graph = OnnxGraph(_unlike(columns, "encoder/"))
    encoding = onnx.helper.make_model(
        encoding_graph(graph, encoder, known),
        opset_imports=[
            onnx.helper.make_opsetid("", versions[""]),
            onnx.helper.make_opsetid(
                ML_DOMAIN, versions.get(ML_DOMAIN, ML_VERSION)
            ),
        ],
        ir_version=model.ir_version,
    )
    prefix = _unlike(columns, "model/")
    onnx.compose.add_prefix(model, prefix, inplace=True)
    joined = onnx.compose.merge_models(
        encoding,
        model,
        [
            (graph.name_of_output(name), f"{prefix}{name}")
            for name in encoder.schema.inputs()
        ],
    )
    path.unlink()
    onnx.save_model(joined, path)


def _at_least(model: "onnx.ModelProto", version: int) -> "onnx.ModelProto":
    """Returns the model in an opset that is not older than a version."""
    import onnx

    received = next(each for each in model.opset_import if not each.domain)
    if received.version < version:
        model = onnx.version_converter.convert_version(model, version)
    model.ir_version = max(model.ir_version, IR_VERSION)
    return model


def _unlike(columns: Iterable[str], prefix: str) -> str:
    """Returns a prefix that no column begins with."""
    while any(name.startswith(prefix) for name in columns):
        prefix = f"_{prefix}"
    return prefix
