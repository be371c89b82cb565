"""Defines the clipping rules of the CowClip paper as pure functions.

A *column* is one id's embedding vector: a row of a table of shape
`(input_dim, output_dim)`. Every rule multiplies a gradient by factors in
`[0, 1]`, so it never lengthens a gradient and never turns it. 16-bit gradients
and tables are clipped and returned in float32.

Reference:
- [Zheng et al., 2022](https://arxiv.org/abs/2204.06240), Algorithm 1 and the
  ablation of clipping variants.
"""

from typing import Any

import keras
from keras import ops

from keras_cowclip.backend import row_norm

Tensor = Any


def at_least_float32(tensor: Tensor) -> Tensor:
    """Casts 16-bit tensors to float32: squares would overflow 16 bits."""
    tensor = ops.convert_to_tensor(tensor)
    return ops.cast(tensor, keras.backend.result_type(tensor.dtype, "float32"))


def clip_factor(norm: Tensor, threshold: Tensor) -> Tensor:
    """Returns `min(1, threshold / norm)`, and 1 where `norm` is 0.

    Args:
        norm: tensor of gradient norms.
        threshold: tensor or float, the largest norm allowed; broadcasts.

    Returns:
        Tensor in `[0, 1]` of the broadcast shape; below 1 exactly where the
        norm exceeds the threshold.

    Example:

    >>> factor = clip_factor(ops.array([4.0, 1.0, 0.0]), 2.0)
    >>> ops.convert_to_numpy(factor).tolist()
    [0.5, 1.0, 1.0]
    """
    exceeds = norm > threshold
    # Without the inner `where`, the branch not taken would compute 0 / 0.
    return ops.where(exceeds, threshold / ops.where(exceeds, norm, 1.0), 1.0)


def adaptive_column_factor(
    gradient: Tensor,
    table: Tensor,
    counts: Tensor,
    ratio: float | None = 1.0,
    floor: float = 1e-5,
) -> Tensor:
    """Returns CowClip's factor for every row of a table.

    `clip_t = max(counts, 1) * max(ratio * ||w||, floor)`, then
    `min(1, clip_t / ||g||)`.

    Args:
        gradient: `(input_dim, output_dim)`, the dense gradient of the table,
            its l2 term included.
        table: `(input_dim, output_dim)`, the weights before the update.
        counts: `(input_dim,)`, occurrences of each id in the batch; an absent
            id counts as 1.
        ratio: float (r in the paper). `None` and infinity never clip.
        floor: float (zeta in the paper), the smallest threshold an
            occurrence gives, which lets rows near zero grow.

    Returns:
        `(input_dim,)`, in `[0, 1]`; below 1 exactly where a row is clipped.

    Example:

    >>> adaptive_column_factor(
    ...     ops.array([[6.0, 8.0]]), ops.array([[3.0, 4.0]]), ops.array([1.0])
    ... )  # [0.5]: the gradient has norm 10, the row has norm 5
    """
    if ratio is None or ratio == float("inf"):
        return ops.ones_like(counts)
    threshold = ops.maximum(counts, 1.0) * ops.maximum(
        ratio * row_norm(at_least_float32(table)), floor
    )
    return clip_factor(row_norm(at_least_float32(gradient)), threshold)


def clip_by_adaptive_column_norm(
    gradient: Tensor,
    table: Tensor,
    counts: Tensor,
    ratio: float | None = 1.0,
    floor: float = 1e-5,
) -> Tensor:
    """Clips every row by its own weight norm and count: CowClip.

    `g * min(1, max(counts, 1) * max(ratio * ||w||, floor) / ||g||)`, row by
    row: the rule of the `CowClip` optimizer.

    Args:
        gradient: `(input_dim, output_dim)`, the dense gradient of the table.
        table: `(input_dim, output_dim)`, the weights before the update.
        counts: `(input_dim,)`, occurrences of each id in the batch.
        ratio: float (r in the paper). `None` and infinity never clip.
        floor: float (zeta in the paper).

    Returns:
        `(input_dim, output_dim)`, the clipped gradient.

    Example:

    >>> clipped = keras_cowclip.clip_by_adaptive_column_norm(
    ...     gradient=np.array([[6.0, 8.0]], "float32"),
    ...     table=np.array([[3.0, 4.0]], "float32"),
    ...     counts=np.array([1.0], "float32"),
    ... )
    >>> keras.ops.convert_to_numpy(clipped).tolist()
    [[3.0, 4.0]]
    """
    gradient = at_least_float32(gradient)
    factor = adaptive_column_factor(gradient, table, counts, ratio, floor)
    return gradient * ops.expand_dims(factor, axis=-1)


def column_factor(gradient: Tensor, counts: Tensor, threshold: float) -> Tensor:
    """Returns the factors of `clip_by_column_norm`, `(input_dim,)`."""
    return clip_factor(
        row_norm(at_least_float32(gradient)),
        ops.maximum(counts, 1.0) * threshold,
    )


def field_factor(
    gradient: Tensor, field_of_row: Tensor, num_fields: int, threshold: float
) -> Tensor:
    """Returns the factors of `clip_by_field_norm`, `(input_dim,)`."""
    field_of_row = ops.convert_to_tensor(field_of_row)
    squares = ops.segment_sum(
        ops.sum(ops.square(at_least_float32(gradient)), axis=-1),
        field_of_row,
        num_segments=num_fields,
    )
    factor = clip_factor(ops.sqrt(squares), threshold)
    return ops.take(factor, field_of_row, axis=0)


def global_factor(gradients: list[Tensor], threshold: float) -> Tensor:
    """Returns the factor of `clip_by_global_norm`, a scalar."""
    squares = [ops.sum(ops.square(at_least_float32(g))) for g in gradients]
    return clip_factor(ops.sqrt(sum(squares)), threshold)


def clip_by_column_norm(
    gradient: Tensor, counts: Tensor, threshold: float
) -> Tensor:
    """Clips every row by a constant times its count.

    `g * min(1, max(counts, 1) * threshold / ||g||)`, row by row: the
    column-wise constant variant of the paper's ablation.

    Args:
        gradient: `(input_dim, output_dim)`, the dense gradient of the table.
        counts: `(input_dim,)`, occurrences of each id in the batch.
        threshold: float, the largest norm that one occurrence allows.

    Returns:
        `(input_dim, output_dim)`, the clipped gradient.

    Example:

    >>> clipped = keras_cowclip.clip_by_column_norm(
    ...     gradient=np.array([[6.0, 8.0]], "float32"),
    ...     counts=np.array([2.0], "float32"),
    ...     threshold=1.0,
    ... )
    >>> keras.ops.convert_to_numpy(clipped).astype(float).round(4).tolist()
    [[1.2, 1.6]]
    """
    gradient = at_least_float32(gradient)
    factor = column_factor(gradient, counts, threshold)
    return gradient * ops.expand_dims(factor, axis=-1)


def clip_by_field_norm(
    gradient: Tensor, field_of_row: Tensor, num_fields: int, threshold: float
) -> Tensor:
    """Clips every field's rows together, by one norm a field.

    `g_f * min(1, threshold / ||g_f||)` with `g_f` all rows of field `f`: the
    field-wise variant of the paper's ablation, for fields that share a table.

    Args:
        gradient: `(input_dim, output_dim)`, the dense gradient of the table.
        field_of_row: `(input_dim,)` integers in `[0, num_fields)`, the field
            each row belongs to.
        num_fields: integer, the number of fields.
        threshold: float, the largest norm of one field's gradient.

    Returns:
        `(input_dim, output_dim)`, the clipped gradient.

    Example:

    >>> clipped = keras_cowclip.clip_by_field_norm(
    ...     gradient=np.array([[3.0], [4.0], [1.0]], "float32"),
    ...     field_of_row=np.array([0, 0, 1], "int32"),
    ...     num_fields=2,
    ...     threshold=2.5,
    ... )
    >>> keras.ops.convert_to_numpy(clipped).tolist()
    [[1.5], [2.0], [1.0]]
    """
    gradient = at_least_float32(gradient)
    factor = field_factor(gradient, field_of_row, num_fields, threshold)
    return gradient * ops.expand_dims(factor, axis=-1)


def clip_by_global_norm(
    gradients: list[Tensor], threshold: float
) -> list[Tensor]:
    """Clips the gradients of all embedding tables by one norm over them.

    `g * min(1, threshold / ||all g||)`: the global variant of the paper's
    ablation.

    Args:
        gradients: list of `(input_dim, output_dim)` dense gradients.
        threshold: float, the largest norm of all of them together.

    Returns:
        List of clipped gradients, shapes unchanged.

    Example:

    >>> gradients = [np.array([[3.0]], "float32"), np.array([[4.0]], "float32")]
    >>> clipped = keras_cowclip.clip_by_global_norm(gradients, threshold=2.5)
    >>> [keras.ops.convert_to_numpy(each).tolist() for each in clipped]
    [[[1.5]], [[2.0]]]
    """
    factor = global_factor(gradients, threshold)
    return [at_least_float32(gradient) * factor for gradient in gradients]
