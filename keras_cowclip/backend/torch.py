"""Speeds up a table's step on PyTorch, by sparse gradients and fused kernels.

PyTorch's own backward pass of a lookup is slower than adding the rows to zeros,
and its sparse gradient lists a row once for each lookup. On a CPU a large batch
is faster still if its ids are sorted first: `embedding_bag` then sums the rows
on all cores (`benchmarks/speed/torch_backward.py`).
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import torch
from keras import ops
from torch import distributed
from torch.optim.adam import adam as fused_adam

from keras_cowclip.backend import reference
from keras_cowclip.backend.reference import Clipped
from keras_cowclip.backend.reference import RowGradient

__all__ = [
    "adam",
    "add_gradient",
    "clear_sums",
    "clip_active_rows",
    "dense_gradient",
    "is_alone",
    "look_up",
    "move_average",
    "row_gradient",
    "sum_over_replicas",
    "summed_rows",
    "table_adam",
    "write_rows",
]

# PyTorch sorts fewer ids than about this by comparison, which takes longer
# than adding their rows.
FEWEST_SORTED_IDS = 2**16

Tensor = Any


def look_up(
    table: keras.Variable, tag: Any, ids: Tensor, mask: Tensor | None = None
) -> Tensor:
    return _LookUp.apply(
        ops.convert_to_tensor(table),
        ops.convert_to_tensor(tag.id_counts),
        ids,
        mask,
        tag,
    )


class _LookUp(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(table, id_counts, ids, mask, tag):
        return _rows(table, ids, mask)

    @staticmethod
    def setup_context(ctx, inputs, output):
        table, _, ids, mask, ctx.tag = inputs
        ctx.save_for_backward(ids, mask)
        ctx.save_for_forward(ids, mask)
        ctx.table_shape, ctx.table_dtype = table.shape, table.dtype

    @staticmethod
    def jvp(ctx, table_tangent, *other_tangents):
        return _rows(table_tangent, *ctx.saved_tensors)

    @staticmethod
    def backward(ctx, upstream):
        ids, mask = ctx.saved_tensors
        ids = ids.reshape(-1)
        num_ids, embedding_dim = ctx.table_shape
        # In 16 bits a popular id's sum would lose most of its terms.
        upstream = upstream.reshape(-1, embedding_dim)
        upstream = upstream.to(
            torch.promote_types(upstream.dtype, torch.float32)
        )
        if mask is not None:
            mask = mask.reshape(-1)
            if _rows_may_vary():
                ids, upstream = ids[mask], upstream[mask]
            else:
                # Padding goes to a row behind the table.
                ids = torch.where(mask, ids, num_ids)
        sparse = ctx.tag.sparse_gradients and _rows_may_vary()
        if sparse or _is_worth_sorting(upstream, ids):
            rows, sums, counts = sum_rows(upstream, ids)
            gradient = _sparse if sparse else _dense
            sums = gradient(rows, sums, ctx.table_shape)
            counts = gradient(rows, counts, (num_ids,))
        else:
            behind = int(mask is not None)
            sums, counts = _add_rows(upstream, ids.long(), num_ids + behind)
            sums, counts = sums[:num_ids], counts[:num_ids]
        return sums.to(ctx.table_dtype), counts, None, None, None


def _rows(table, ids, mask):
    if mask is None:
        return torch.nn.functional.embedding(ids, table)
    ids = torch.where(mask, ids, 0)
    rows = torch.nn.functional.embedding(ids, table)
    return torch.where(mask[..., None], rows, 0.0)


def sum_rows(values: Tensor, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the ids in order, each once, with their sums and counts.

    Args:
        values: `(lookups, embedding_dim)`.
        ids: `(lookups,)` integers.
    """
    if not ids.is_cpu:
        # On a GPU a single thread would sum the rows of a popular id.
        rows, positions, counts = torch.unique(
            ids.long(), return_inverse=True, return_counts=True
        )
        return rows, *_add_rows(values, positions, len(rows))
    # `int32` has half the bytes of `int64`, and holds any table's ids.
    in_order, positions = torch.sort(ids.int(), stable=True)
    rows, counts = torch.unique_consecutive(in_order, return_counts=True)
    sums = torch.nn.functional.embedding_bag(
        positions,
        values.contiguous(),
        torch.cumsum(counts, 0) - counts,
        mode="sum",
    )
    return rows.long(), sums, counts.float()


def dense_gradient(
    gradient: Tensor, shape: tuple[int, ...], may_pad: bool = False
) -> Tensor:
    return gradient.to_dense() if gradient.is_sparse else gradient


def row_gradient(
    gradient: Tensor, counts: Tensor, padded: bool = False
) -> RowGradient | None:
    if not gradient.is_sparse:
        return None
    # The sum over several lookups of the table is not coalesced.
    gradient, counts = gradient.coalesce(), counts.coalesce()
    return RowGradient(
        gradient.indices()[0], gradient.values(), counts.values()
    )


def add_gradient(
    gradient_sum: keras.Variable,
    counts_sum: keras.Variable,
    gradient: Tensor,
    counts: Tensor | None,
    is_first: Tensor,
    padded: bool = False,
) -> None:
    for variable, part in (gradient_sum, gradient), (counts_sum, counts):
        if part is None:
            continue
        total = variable.value.detach()
        if part.is_sparse:
            part = part.coalesce()
            ids = part.indices()[0]
            total.index_add_(0, ids, part.values())
        else:
            # A lazy step clears rows with a count alone. A dense gradient may
            # have reached others.
            if is_first:
                total.zero_()
            total.add_(part)


def clear_sums(*sums: keras.Variable) -> None:
    for variable in sums:
        variable.value.detach().zero_()


def summed_rows(
    gradient_sum: keras.Variable, counts_sum: keras.Variable
) -> RowGradient | None:
    if not _rows_may_vary():
        return None
    counts = counts_sum.value.detach()
    ids = counts.nonzero()[:, 0]
    return RowGradient(ids, gradient_sum.value.detach()[ids], counts[ids])


def move_average(
    average: keras.Variable, variable: keras.Variable, kept: Tensor
) -> None:
    weight = variable.value.detach()
    kept = torch.as_tensor(kept, dtype=weight.dtype, device=weight.device)
    # `lerp_` would round in another way than Keras.
    average.value.detach().mul_(kept).add_((1.0 - kept) * weight)


def write_rows(variable: keras.Variable, ids: Tensor, rows: Tensor) -> None:
    variable.value.detach().index_copy_(0, ids, rows)


def clip_active_rows(
    gradient: Tensor,
    table: Tensor,
    counts: Tensor,
    factor_of: Callable[..., Tensor],
    l2: float,
    ids: Tensor | None = None,
) -> Clipped:
    """Clips the active rows in place, and leaves the l2 to Adam's kernel."""
    if not _has_kernels(gradient):
        return reference.clip_rows(gradient, table, counts, factor_of, l2)
    # A regularizer gives a gradient to rows that the batch has not.
    active = (counts > 0) | (gradient.norm(dim=-1) > 0)
    rows = active.nonzero()[:, 0]
    table, counts = table[rows], counts[rows]
    decay = 2.0 * l2 * table
    total = gradient[rows] + decay
    factor = factor_of(total, table, counts)
    gradient[rows] = total * factor[:, None] - decay
    return Clipped(gradient, factor, counts, l2)


def adam(
    optimizer: keras.optimizers.Adam,
    gradient: Tensor,
    variable: Any,
    rate: Tensor,
    l2: float = 0.0,
) -> None:
    """Updates a weight by PyTorch's fused kernel, in one pass instead of ten.

    The kernel adds `2 * l2 * variable` to the gradient.
    """
    rate = ops.convert_to_tensor(rate)
    if (
        keras.backend.standardize_dtype(variable.dtype) != "float32"
        or len(rate.shape)
        or not _has_kernels(variable.value)
    ):
        reference.adam(optimizer, gradient, variable, rate, l2)
    else:
        _fused_step(optimizer, gradient, variable, float(rate), l2)


table_adam = adam


def is_alone() -> bool:
    return not (distributed.is_available() and distributed.is_initialized())


def sum_over_replicas(counts: Tensor) -> Tensor:
    if is_alone():
        return counts
    # `DistributedDataParallel` averages the counts over the ranks, and the sum
    # of the averages is the sum of the counts.
    counts = counts.clone()
    distributed.all_reduce(counts)
    return counts


def _has_kernels(tensor):
    """Whether to run kernels of PyTorch on `tensor`, rather than `keras.ops`.

    `torch.compile` fuses by itself, and a kernel would break its graph.
    """
    return (
        tensor.device.type in ("cpu", "cuda")
        and not torch.compiler.is_compiling()
    )


def _fused_step(optimizer, gradient, variable, rate, l2):
    index = optimizer._get_variable_index(variable)
    slots = [optimizer._momentums, optimizer._velocities]
    if optimizer.amsgrad:
        slots.append(optimizer._velocity_hats)
    # PyTorch's kernel counts the step itself.
    steps = float(ops.convert_to_tensor(optimizer.iterations))
    correction_1 = 1 - optimizer.beta_1 ** (steps + 1)
    correction_2 = 1 - optimizer.beta_2 ** (steps + 1)
    # Keras corrects in float32, which for 1 - beta_2 is off by 1e-5. The kernel
    # is more exact, so that its results would differ from other backends'.
    in_float32 = [
        np.float32(1) - np.float32(beta) ** np.float32(steps + 1)
        for beta in (optimizer.beta_1, optimizer.beta_2)
    ]
    keras_rate = rate * np.sqrt(in_float32[1]) / in_float32[0]
    momentum, velocity, *velocity_hat = (
        [slot[index].value.detach()] for slot in slots
    )
    fused_adam(
        [variable.value.detach()],
        [gradient.to(torch.float32)],
        momentum,
        velocity,
        velocity_hat[0] if velocity_hat else [],
        [torch.tensor(steps, device=gradient.device)],
        fused=True,
        amsgrad=optimizer.amsgrad,
        beta1=optimizer.beta_1,
        beta2=optimizer.beta_2,
        lr=float(keras_rate) * correction_1 / correction_2**0.5,
        weight_decay=2.0 * l2,
        # PyTorch adds it to the corrected root of the velocity, Keras before.
        eps=optimizer.epsilon / correction_2**0.5,
        maximize=False,
    )


def _rows_may_vary():
    """Whether the number of different ids may decide a shape.

    In `torch.compile` and `torch.func.vmap` shapes can't depend on values.
    """
    return not (
        torch.compiler.is_compiling()
        # `torch.autograd.Function` asks this too. There is no public name.
        or torch._C._are_functorch_transforms_active()
    )


def _is_worth_sorting(values, ids):
    return (
        _rows_may_vary()
        and ids.is_cpu
        # `embedding_bag` has no fast kernel for float64.
        and values.dtype == torch.float32
        and values.shape[1] > 1
        and len(ids) >= FEWEST_SORTED_IDS
    )


def _add_rows(values, positions, num_rows):
    """Returns the sums and counts of each position.

    Positions are int64: `index_add_` takes several times as long with int32.
    """
    sums = values.new_zeros((num_rows, values.shape[1]))
    counts = values.new_zeros(num_rows, dtype=torch.float32)
    return (
        sums.index_add_(0, positions, values),
        counts.index_add_(
            0, positions, torch.ones_like(positions, dtype=counts.dtype)
        ),
    )


def _dense(rows, values, size):
    return values.new_zeros(size).index_copy_(0, rows, values)


def _sparse(rows, values, size):
    return torch.sparse_coo_tensor(
        rows[None], values, size, is_coalesced=True, check_invariants=False
    )
