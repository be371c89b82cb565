"""A table's lookup on PyTorch, with gradients made for a large table.

PyTorch's own backward of a lookup is slower than zeros to which the rows are
added (`benchmarks/speed/torch_backward.py`), and its sparse one lists a row
once for each lookup.
"""

import torch


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
        # `index_add_` takes several times as long with int32.
        ids = ids.reshape(-1).long()
        num_ids, embedding_dim = ctx.table_shape
        # In 16 bits a popular id's sum would lose most of its terms.
        upstream = upstream.reshape(-1, embedding_dim)
        upstream = upstream.to(
            torch.promote_types(upstream.dtype, torch.float32)
        )
        if ctx.sparse_gradients:
            rows, positions, counts = torch.unique(
                ids, return_inverse=True, return_counts=True
            )
            sums = _sum_rows(upstream, positions, len(rows))
            gradients = (sums.to(ctx.table_dtype), counts.float())
            sizes = (ctx.table_shape, (num_ids,))
            return (
                *map(_sparse, (rows, rows), gradients, sizes),
                None,
                None,
            )
        counts = torch.zeros(num_ids, device=ids.device)
        counts.index_add_(0, ids, torch.ones_like(ids, dtype=torch.float32))
        sums = _sum_rows(upstream, ids, num_ids)
        return sums.to(ctx.table_dtype), counts, None, None


def _sum_rows(values, positions, num_rows):
    sums = values.new_zeros((num_rows, values.shape[1]))
    return sums.index_add_(0, positions, values)


def _sparse(rows, values, size):
    return torch.sparse_coo_tensor(
        rows[None], values, size, is_coalesced=True, check_invariants=False
    )
