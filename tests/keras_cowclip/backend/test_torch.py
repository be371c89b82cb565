"""Tests the rows, order and precision of PyTorch's lookup gradients."""

import keras
import numpy as np
import pytest

if keras.backend.backend() != "torch":
    pytest.skip("these are PyTorch's gradients", allow_module_level=True)

import torch

from keras_cowclip import CowClipEmbedding
from keras_cowclip.backend import torch as native

NUM_IDS = 500
# On both sides of the size from which ids are sorted.
LOOKUPS = [0, 300, native.FEWEST_SORTED_IDS + 300]


def gradients(ids, upstream, sparse=False):
    layer = CowClipEmbedding(
        NUM_IDS,
        upstream.shape[1],
        dtype=keras.backend.standardize_dtype(upstream.dtype),
    )
    layer.build()
    tag = layer.embeddings.cowclip
    tag.sparse_gradients = sparse
    rows = native.look_up(layer.embeddings, tag, torch.from_numpy(ids))
    variables = layer.embeddings.value, layer.id_counts.value
    return torch.autograd.grad(rows, variables, upstream)


def data(lookups, dim):
    generator = np.random.default_rng(0)
    # One is popular, and the last ten are never there.
    ids = (generator.random(lookups) ** 3 * (NUM_IDS - 10)).astype("int64")
    # All of one sign: sums in 16 bits would soon grow no more.
    return ids, torch.tensor(generator.random((lookups, dim)))


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("lookups", LOOKUPS)
def test_sparse_gradients_have_the_same_rows_each_once(lookups, dtype):
    ids, upstream = data(lookups, 3)
    sums, counts = gradients(ids.astype(dtype), upstream.float(), sparse=True)
    present, expected = np.unique(ids, return_counts=True)
    for gradient in (sums, counts):
        np.testing.assert_array_equal(gradient.indices()[0], present)
    np.testing.assert_array_equal(counts.values(), expected)


@pytest.mark.parametrize("lookups", LOOKUPS)
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("dim", [1, 3])
def test_many_16_bit_gradients_are_summed_in_float32(lookups, sparse, dim):
    ids, upstream = data(lookups, dim)
    upstream = upstream.bfloat16()
    sums, _ = gradients(ids, upstream, sparse)
    expected = np.zeros((NUM_IDS, dim))
    np.add.at(expected, ids, upstream.double().numpy())
    np.testing.assert_allclose(
        sums.to_dense().float(), expected, rtol=1e-2, atol=1e-2
    )


def test_a_large_batch_is_summed_in_its_order():
    ids = np.random.default_rng(0).integers(0, NUM_IDS, LOOKUPS[-1])
    upstream = np.random.default_rng(1).normal(size=(len(ids), 3))
    upstream = upstream.astype("float32")
    sums, counts = gradients(ids, torch.from_numpy(upstream))
    one_by_one = np.zeros((NUM_IDS, 3), "float32")
    np.add.at(one_by_one, ids, upstream)
    np.testing.assert_array_equal(sums, one_by_one)
    np.testing.assert_array_equal(counts, np.bincount(ids, minlength=NUM_IDS))
