"""A table's lookup on PyTorch, with gradients made for a large table.

PyTorch's own backward of a lookup is slower than zeros to which the rows are
added, and its sparse one lists a row once for each lookup. On the CPU it is
faster still to sort a large batch's ids first, for then `embedding_bag` sums
the rows, on all cores (`benchmarks/speed/torch_backward.py`).
"""

import torch

# PyTorch compares numbers to sort them where there are fewer than about that,
# which takes longer than adding their rows.
FEWEST_SORTED_IDS = 2**16


def look_up(table, id_counts, ids, sparse_gradients):
    """Returns the rows `ids` of `table`, as `(*ids.shape, embedding_dim)`.

    The gradient of `id_counts` is the number of times each id was looked up.

    Args:
        table: `(num_ids, embedding_dim)` parameter.
        id_counts: `(num_ids,)` float32 parameter.
        ids: integer tensor of any shape, values in `[0, num_ids)`.
        sparse_gradients: boolean. Both gradients are then sparse, coalesced
            and of the same rows: none has the size of the table.
    """
    return _LookUp.apply(table, id_counts, ids, sparse_gradients)


class _LookUp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, table, id_counts, ids, sparse_gradients):
        ctx.save_for_backward(ids)
        ctx.table_shape, ctx.table_dtype = table.shape, table.dtype
        ctx.sparse_gradients = sparse_gradients
        return torch.nn.functional.embedding(ids, table)

    @staticmethod
    def backward(ctx, upstream):
        (ids,) = ctx.saved_tensors
        ids = ids.reshape(-1)
        num_ids, embedding_dim = ctx.table_shape
        # In 16 bits a popular id's sum would lose most of its terms.
        upstream = upstream.reshape(-1, embedding_dim)
        upstream = upstream.to(
            torch.promote_types(upstream.dtype, torch.float32)
        )
        if ctx.sparse_gradients or _is_worth_sorting(upstream, ids):
            rows, sums, counts = sums_of_rows(upstream, ids)
            spread = _sparse if ctx.sparse_gradients else _dense
            sums = spread(rows, sums, ctx.table_shape)
            counts = spread(rows, counts, (num_ids,))
        else:
            sums, counts = _add_rows(upstream, ids.long(), num_ids)
        return sums.to(ctx.table_dtype), counts, None, None


def _is_worth_sorting(values, ids):
    return (
        # How many rows there are is no size that it could compile for.
        not torch.compiler.is_compiling()
        and ids.is_cpu
        # `embedding_bag` has no fast kernel for float64.
        and values.dtype == torch.float32
        and values.shape[1] > 1
        and len(ids) >= FEWEST_SORTED_IDS
    )


def sums_of_rows(values, ids):
    """Returns the ids in their order, each once, their sums and counts."""
    if not ids.is_cpu:
        # There a single thread would sum the rows of a popular id.
        rows, positions, counts = torch.unique(
            ids.long(), return_inverse=True, return_counts=True
        )
        return rows, *_add_rows(values, positions, len(rows))
    # Half as many bytes as `int64`, in which no table has that many rows.
    in_order, positions = torch.sort(ids.int(), stable=True)
    rows, counts = torch.unique_consecutive(in_order, return_counts=True)
    sums = torch.nn.functional.embedding_bag(
        positions,
        values.contiguous(),
        torch.cumsum(counts, 0) - counts,
        mode="sum",
    )
    return rows.long(), sums, counts.float()


def _add_rows(values, positions, num_rows):
    """Returns the sums and counts of each position.

    Positions are int64: `index_add_` takes several times as long with int32.
    """
    sums = values.new_zeros((num_rows, values.shape[1]))
    counts = torch.zeros(num_rows, device=values.device)
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
