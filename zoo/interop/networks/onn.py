import numpy as np

from zoo.interop.networks.ffm import take_one_table
from zoo.interop.networks.ffm import take_side_by_side
from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import ONN


@fuxictr("ONN")
def from_fuxictr(original):
    dim = take_side_by_side(original, original.fields)
    return _take_deep(original, dim)


@fuxictr("ONNv2")
def from_fuxictr_v2(original):
    columns = original.columns
    for name, sequence in columns.sequences.items():
        if sequence.field is not None:
            raise ValueError(
                "`features` must give each column a table of its own: two "
                "columns of FuxiCTR's ONNv2 read one row differently. "
                f"Received: share_embedding={sequence.field!r} of '{name}'"
            )
    dim = take_one_table(original, original.fields)
    sizes = columns.schema.vocabularies
    _put_own_first(original, "embeddings/embeddings", sizes)
    if columns.dense:
        sizes = dict.fromkeys(columns.dense, 1)
        _put_own_first(original, "numeric_embeddings/embeddings", sizes)
    return _take_deep(original, dim)


def _put_own_first(original, table, sizes):
    """Moves the vector of a column that faces itself before the others."""
    rows, fields = original.weights[table], original.fields
    parts = np.split(rows, np.cumsum(list(sizes.values()))[:-1])
    moved = []
    for name, part in zip(sizes, parts, strict=True):
        place = original.columns.order.index(name)
        order = [place, *(i for i in range(fields) if i != place)]
        vectors = part.reshape(len(part), fields, -1)[:, order]
        moved.append(vectors.reshape(part.shape))
    original.put(table, np.concatenate(moved))


def _take_deep(original, dim):
    inputs = dim * original.fields + original.pairs
    original.arguments.update(original.perceptron("dnn", inputs))
    return ONN


@deepctr_torch("ONN")
def from_deepctr_torch(original):
    columns = original.columns
    if columns.sequences:
        raise ValueError(
            "`features` must have no lists: in DeepCTR-Torch's ONN they are in "
            f"the linear part alone. Received: {sorted(columns.sequences)}"
        )
    # Tables of another kind that it makes, but never reads.
    original.state.drop("embedding_dict.")
    original.put("embeddings/embeddings", _facing_vectors(original))
    original.linear()
    original.bias()
    inputs = original.pairs * columns.embedding_dim + len(columns.dense)
    width = original.perceptron(inputs)
    original.output("dnn_linear", width, bias=False)
    original.arguments.update(
        products="hadamard", own_vectors=False, linear=True
    )
    return ONN


def _facing_vectors(original):
    """One row of each id's vectors, of the two tables of each pair."""
    columns = original.columns
    names, dim = list(columns.categorical), columns.embedding_dim

    def take(i, k):
        first, second = sorted((i, k))
        table = "emb1" if i < k else "emb2"
        pair = f"second_order_embedding_dict.{names[first]}+{names[second]}"
        size = columns.categorical[names[i]]
        return original.take(f"{pair}.{table}.weight", size, dim)

    fields = range(len(names))
    rows = [
        np.concatenate([take(i, k) for k in fields if k != i], axis=1)
        for i in fields
    ]
    return np.concatenate(rows)
