import numpy as np

from zoo.interop.sources import fuxictr
from zoo.models import FFM


@fuxictr("FFM")
def from_fuxictr(original):
    original.linear("lr_layer")
    take_side_by_side(original, original.fields - 1)
    return FFM


@fuxictr("FFMv2")
def from_fuxictr_v2(original):
    original.linear("lr_layer")
    take_one_table(original, original.fields - 1)
    return FFM


def take_side_by_side(original, vectors):
    """Takes `embedding_layers`, whose vectors become one row of one table.

    Args:
        original: `FuxiCTR`.
        vectors: integer, the number of tables.

    Returns:
        The length of a vector.
    """
    dim = None
    for i in range(vectors):
        dim = original.embeddings(f"embedding_layers.{i}", f"part_{i}", dim)
    for kind in ("", "numeric_") if original.columns.dense else ("",):
        parts = [
            original.weights.pop(f"{kind}part_{i}/embeddings")
            for i in range(vectors)
        ]
        rows = np.concatenate(parts, axis=1)
        original.put(f"{kind}embeddings/embeddings", rows)
    original.arguments["embedding_dim"] = original.size("embedding_dim", dim)
    return dim


def take_one_table(original, vectors):
    """Takes an `embedding_layer` whose rows have several vectors.

    Args:
        original: `FuxiCTR`.
        vectors: integer, the number of vectors in a row.

    Returns:
        The length of a vector.
    """
    dim = original.embeddings(sized=False) // vectors
    original.arguments["embedding_dim"] = original.size("embedding_dim", dim)
    return dim
