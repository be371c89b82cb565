"""Layers over pairs and subsets of fields against loops in float64."""

from itertools import combinations

import keras
import numpy as np
import pytest

from zoo import layers

FIELDS = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
PAIRS = list(combinations(range(5), 2))


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor).astype("float64")


def close(received, expected):
    np.testing.assert_allclose(received, expected, rtol=1e-5, atol=1e-5)


def test_elementary_symmetric_polynomials_are_sums_over_subsets():
    received = numpy(layers.ElementarySymmetric(5)(FIELDS))
    for k in range(1, 6):
        subsets = [list(each) for each in combinations(range(5), k)]
        products = [np.prod(FIELDS[:, each], axis=1) for each in subsets]
        close(received[:, k - 1], sum(products))


def test_an_order_must_be_positive():
    with pytest.raises(ValueError, match="`order` must be a positive integer"):
        layers.ElementarySymmetric(0)


@pytest.mark.parametrize("kind", ["matrix", "vector"])
def test_weighted_pairs_are_a_sum_of_bilinear_forms(kind):
    layer = layers.WeightedPairs(kind)
    received, kernel = numpy(layer(FIELDS)), numpy(layer.kernel.value)
    expected = np.zeros(3)
    for p, (i, j) in enumerate(PAIRS):
        matrix = kernel[p] if kind == "matrix" else np.diag(kernel[p])
        for row in range(3):
            expected[row] += FIELDS[row, i] @ matrix @ FIELDS[row, j]
    close(received[:, 0], expected)


@pytest.mark.parametrize("kind", ["convolution", "correlation", "hadamard"])
def test_circular_pairs_by_their_definition(kind):
    expected = np.zeros((3, len(PAIRS), 4))
    for p, (i, j) in enumerate(PAIRS):
        for k in range(4):
            for m in range(4):
                partner = {
                    "convolution": (k - m) % 4,
                    "correlation": (k + m) % 4,
                    "hadamard": k,
                }[kind]
                if kind != "hadamard" or m == k:
                    expected[:, p, k] += FIELDS[:, i, m] * FIELDS[:, j, partner]
    close(numpy(layers.CircularPairs(kind, "pairs")(FIELDS)), expected)
    close(numpy(layers.CircularPairs(kind)(FIELDS)), expected.sum(axis=1))


def test_lorentz_pairs_are_those_of_the_paper():
    vectors = FIELDS.astype("float64")
    heights = np.sqrt(1 + np.square(vectors).sum(axis=-1))
    expected = np.zeros(3)
    for i, j in PAIRS:
        u, v = heights[:, i], heights[:, j]
        product = (vectors[:, i] * vectors[:, j]).sum(axis=-1) - u * v
        expected += (1 - product - u - v) / (u * v)
    close(numpy(layers.LorentzPairs()(FIELDS))[:, 0], expected)


def test_field_aware_pairs_take_the_vectors_that_face_each_other():
    # The number at [i, k] says whose vector it is and whom it faces.
    facing = np.zeros((1, 4, 3, 1), dtype="float32")
    for i in range(4):
        for k in range(3):
            facing[0, i, k] = 10**i * (2 if k < i else 3)
    received = numpy(layers.FieldAwarePairs()(facing))
    expected = [[6 * 10 ** (i + j) for i, j in combinations(range(4), 2)]]
    close(received, expected)


@pytest.mark.parametrize(
    "layer",
    [
        layers.CircularPairs(),
        layers.PairProducts(),
        layers.SymmetricPairs(),
        layers.WeightedPairs(),
    ],
)
def test_one_field_makes_no_pair(layer):
    with pytest.raises(ValueError, match="There must be at least two fields"):
        layer(FIELDS[:, :1])


def test_a_field_must_face_each_other_field():
    with pytest.raises(ValueError, match="must have a vector for each other"):
        layers.FieldAwarePairs()(FIELDS[None])
