"""Writes what an encoder does as a graph of ONNX."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from zoo.encoding import ClickEncoder
from zoo.encoding.list_ids import PADDING
from zoo.encoding.sql import UNKNOWN_ID
from zoo.serving.onnx_graph import OnnxGraph
from zoo.serving.text_ids import TextIds
from zoo.serving.text_ids import missing_texts

if TYPE_CHECKING:
    import onnx

ML_DOMAIN = "ai.onnx.ml"
ML_VERSION = 2
"""The first with integers by strings."""
SPLITS_TEXT = 20
"""The first ONNX opset that has `StringSplit`."""
IR_VERSION = 9
"""The file's version that came with it."""


def encoding_graph(
    graph: OnnxGraph, encoder: ClickEncoder, known: Mapping[str, TextIds]
) -> "onnx.GraphProto":
    """Returns the graph from raw columns to the inputs of a model.

    Args:
        graph: `OnnxGraph` without nodes.
        encoder: `ClickEncoder`, with vocabularies.
        known: `read_text_ids` of the encoder.
    """
    import onnx

    types, log_format = onnx.TensorProto, encoder.log_format
    splits = {
        name: _split(graph, encoder, name) for name in log_format.sequences
    }
    texts = {name: name for name in log_format.categorical}
    texts |= {name: tokens for name, (tokens, _) in splits.items()}
    ids = _look_up(graph, encoder, texts, known)
    fields = [
        graph.add("Unsqueeze", ids[name], graph.constant([1]))
        for name in log_format.categorical
    ]
    joined = graph.add("Concat", *fields, axis=1)
    made = {
        "dense": (_dense(graph, encoder), types.FLOAT),
        "ids": (graph.add("Cast", joined, to=types.INT32), types.INT32),
    }
    for name, (_, lengths) in splits.items():
        longest = log_format.sequences[name].max_length
        padded = _pad(graph, ids[name], lengths, longest)
        made[name] = (padded, types.INT32)
    for name, (tensor, _) in made.items():
        graph.end(name, tensor)
    describe = onnx.helper.make_tensor_value_info
    return onnx.helper.make_graph(
        graph.nodes,
        "encoder",
        [
            *(describe(n, types.DOUBLE, ["batch"]) for n in log_format.dense),
            *(
                describe(n, types.STRING, ["batch"])
                for n in log_format.token_columns
            ),
        ],
        [
            describe(graph.name_of_output(name), kind, ["batch", None])
            for name, (_, kind) in made.items()
        ],
        graph.constants,
    )


def _dense(graph: OnnxGraph, encoder: ClickEncoder) -> str:
    """Adds the transforms of numbers; NaN is a missing one."""
    import onnx

    log_format = encoder.log_format
    if not log_format.dense:
        rows = graph.add("Shape", log_format.categorical[0])
        shape = graph.add("Concat", rows, graph.constant([0]), axis=0)
        return graph.add("ConstantOfShape", shape)
    columns = [
        graph.add("Unsqueeze", name, graph.constant([1]))
        for name in log_format.dense
    ]
    numbers = graph.add("Concat", *columns, axis=1)
    is_missing = graph.add("IsNaN", numbers)
    zero = graph.constant(0, "float64")
    numbers = graph.add("Where", is_missing, zero, numbers)
    transform = encoder.settings.dense_transform
    if transform == "log":
        size = graph.add("Abs", numbers)
        size = graph.add("Add", size, graph.constant(1, "float64"))
        size = graph.add("Log", size)
        numbers = graph.add("Mul", graph.add("Sign", numbers), size)
    elif transform == "minmax":
        low, high = np.asarray(encoder.dense_ranges).T
        # A column with one value becomes 0 by the numerator.
        span = np.where(high > low, high - low, 1)
        smallest = graph.constant(low, "float64")
        numbers = graph.add("Max", numbers, smallest)
        numbers = graph.add("Min", numbers, graph.constant(high, "float64"))
        numbers = graph.add("Sub", numbers, smallest)
        numbers = graph.add("Div", numbers, graph.constant(span, "float64"))
    return graph.add("Cast", numbers, to=onnx.TensorProto.FLOAT)


def _split(
    graph: OnnxGraph, encoder: ClickEncoder, name: str
) -> tuple[str, str]:
    """Adds the tokens of a list, `(batch, longest)`, and their numbers."""
    missing = missing_texts(encoder, name)
    tokens, lengths = graph.add_several(
        *("StringSplit", 2, name),
        delimiter=encoder.log_format.sequences[name].separator,
    )
    is_present = graph.add(
        *("LabelEncoder", name),
        domain=ML_DOMAIN,
        keys_strings=missing,
        values_int64s=[0] * len(missing),
        default_int64=1,
    )
    return tokens, graph.add("Mul", lengths, is_present)


def _look_up(
    graph: OnnxGraph,
    encoder: ClickEncoder,
    texts: Mapping[str, str],
    known: Mapping[str, TextIds],
) -> dict[str, str]:
    """Adds the ids of texts of any shape.

    A vocabulary is in one node, for the field and the lists that share it, so
    that the file holds it once.
    """
    ids: dict[str, str] = {}
    flat = graph.constant([-1])
    for vocabulary, each in known.items():
        names = [
            name
            for name in texts
            if encoder.log_format.vocabulary_of(name) == vocabulary
        ]
        parts = [graph.add("Reshape", texts[name], flat) for name in names]
        sizes = [graph.add("Shape", part) for part in parts]
        found = graph.add(
            *("LabelEncoder", graph.add("Concat", *parts, axis=0)),
            domain=ML_DOMAIN,
            keys_strings=each.texts,
            values_int64s=each.ids.tolist(),
            default_int64=UNKNOWN_ID,
        )
        pieces = graph.add_several(
            *("Split", len(names), found),
            graph.add("Concat", *sizes, axis=0),
            axis=0,
        )
        for name, piece in zip(names, pieces, strict=True):
            shape = graph.add("Shape", texts[name])
            # A batch without events has a dimension of 0.
            ids[name] = graph.add("Reshape", piece, shape, allowzero=1)
    return ids


def _pad(graph: OnnxGraph, ids: str, lengths: str, longest: int) -> str:
    """Adds the last events of each list, padded in front."""
    import onnx

    widths = graph.constant([0, longest, 0, 0])
    padded = graph.add("Pad", ids, widths, graph.constant(PADDING))
    # They have `longest` of padding in front, so that the last `longest`
    # events of a list begin at the place of its length.
    starts = graph.add("Unsqueeze", lengths, graph.constant([1]))
    places = graph.add("Add", starts, graph.constant(range(longest)))
    last = graph.add("GatherElements", padded, places, axis=1)
    return graph.add("Cast", last, to=onnx.TensorProto.INT32)
