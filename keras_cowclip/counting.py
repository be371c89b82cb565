"""How often a batch has each id, as the gradient of a table's `id_counts`."""

from typing import Any

from keras import ops

from keras_cowclip.one_pass import in_one_pass

Tensor = Any


@ops.custom_gradient
def count_ids(embeddings: Tensor, id_counts: Tensor, ids: Tensor) -> Tensor:
    """Returns `embeddings`; the gradient of `id_counts` counts the `ids`.

    Args:
        embeddings: the rows that were looked up.
        id_counts: `(num_ids,)` float32.
        ids: integer tensor of any shape, values in `[0, num_ids)`. Not of an
            outer function, for JAX's `checkpoint`, `cond` and `scan` let no
            traced value into a gradient but by an argument.
    """
    (num_ids,) = id_counts.shape

    def count(ids):
        ids = ops.reshape(ids, (-1,))
        ones = ops.ones_like(ids, dtype="float32")
        return ops.segment_sum(ones, ids, num_segments=num_ids)

    # Each backend hands `upstream` over in its own way.
    def gradient(*args, upstream=None):
        upstream = args[-1] if upstream is None else upstream
        return upstream, in_one_pass(count, [])(ids), None

    return embeddings, gradient
