"""The gradients of a lookup on PyTorch, against sums by NumPy."""

import keras
import numpy as np
import pytest

if keras.backend.backend() != "torch":
    pytest.skip(
        "the other backends have their own gradient of a lookup",
        allow_module_level=True,
    )

import torch

from keras_cowclip import torch_lookup

NUM_IDS = 500
# On both sides of the size from which ids are sorted.
LOOKUPS = [0, 300, torch_lookup.FEWEST_SORTED_IDS + 300]


def gradients(ids, upstream, sparse):
    table = upstream.new_zeros((NUM_IDS, upstream.shape[1]), requires_grad=True)
    id_counts = torch.zeros(NUM_IDS, requires_grad=True)
    rows = torch_lookup.look_up(table, id_counts, ids, sparse)
    return torch.autograd.grad(rows, [table, id_counts], upstream)


@pytest.mark.parametrize("lookups", LOOKUPS)
@pytest.mark.parametrize("dim", [1, 3])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_row_has_the_sum_and_the_number_of_its_lookups(
    lookups, dim, sparse, dtype, precision
):
    generator = np.random.default_rng(0)
    # One is popular, and the last ten are never there.
    ids = (generator.random(lookups) ** 3 * (NUM_IDS - 10)).astype(dtype)
    # All of one sign: sums in 16 bits would soon grow no more.
    upstream = torch.tensor(generator.random((lookups, dim))).to(precision)
    sums, counts = gradients(torch.from_numpy(ids), upstream, sparse)
    assert sums.is_sparse == counts.is_sparse == sparse
    if sparse:
        present = np.unique(ids)
        for gradient in (sums, counts):
            # The optimizer relies on both having the same rows, each once.
            np.testing.assert_array_equal(gradient.indices()[0], present)
        sums, counts = sums.to_dense(), counts.to_dense()
    expected = np.zeros((NUM_IDS, dim))
    np.add.at(expected, ids, upstream.double().numpy())
    assert (sums.dtype, counts.dtype) == (precision, torch.float32)
    tolerance = 1e-4 if precision == torch.float32 else 1e-2
    np.testing.assert_allclose(
        sums.float(), expected, rtol=tolerance, atol=tolerance
    )
    np.testing.assert_array_equal(counts, np.bincount(ids, minlength=NUM_IDS))


def test_a_large_batch_is_summed_in_its_order():
    lookups = LOOKUPS[-1]
    generator = np.random.default_rng(0)
    ids = generator.integers(0, NUM_IDS, lookups)
    upstream = generator.normal(size=(lookups, 3)).astype("float32")
    sums, _ = gradients(
        torch.from_numpy(ids), torch.from_numpy(upstream), False
    )
    one_by_one = np.zeros((NUM_IDS, 3), "float32")
    np.add.at(one_by_one, ids, upstream)
    np.testing.assert_array_equal(sums, one_by_one)
