"""Times the backward of an embedding lookup on PyTorch, in four ways.

    python benchmarks/speed/torch_backward.py

Prints the milliseconds of PyTorch's backward of a lookup in a table of a
million rows and of what does the same, medians of 7, at three batch sizes.
"""

from functools import partial

import numpy as np
import torch
from timing import median_seconds

from keras_cowclip.backend import torch as torch_lookup
from zoo.runtime.memory import keep_freed_memory

ROWS = 1_000_000
FIELDS = 26


def main():
    keep_freed_memory()
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for batch_size in (1024, 8192, 65_536):
        for dim in (10, 1):
            lookups = batch_size * FIELDS
            uniform = np.random.default_rng(0).random(lookups)
            ids = torch.from_numpy((uniform**4 * ROWS).astype("int64"))
            upstream = torch.ones(lookups, dim)
            table = torch.zeros(ROWS, dim, requires_grad=True)
            vectors = torch.nn.functional.embedding(ids, table)
            print(
                f"batch {batch_size:6}, dim {dim:2}: "
                f"torch's {timed(torch_s, vectors, table, upstream):7.1f}, "
                f"index_add_ {timed(added, ids, upstream):7.1f}, "
                f"by int32 {timed(added, ids.int(), upstream):7.1f}, "
                f"sorted {timed(sorted_first, ids, upstream):7.1f}"
            )


def torch_s(vectors, table, upstream):
    torch.autograd.grad(vectors, table, upstream, retain_graph=True)


def added(ids, upstream):
    torch.zeros(ROWS, *upstream.shape[1:]).index_add_(0, ids, upstream)


def sorted_first(ids, upstream):
    rows, sums, _ = torch_lookup.sum_rows(upstream, ids)
    torch.zeros(ROWS, *upstream.shape[1:]).index_copy_(0, rows, sums)


def timed(function, *arguments) -> float:
    return 1e3 * median_seconds(partial(function, *arguments), rounds=7)


if __name__ == "__main__":
    main()
