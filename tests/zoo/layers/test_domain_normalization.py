"""Compares the statistics of each domain with means over its rows."""

import keras
import numpy as np
import pytest
from keras import ops

from zoo.layers import DomainNormalization

BATCHES = [[0, 0, 2, 0], [2, 2, 0, 2], [2, 0], [1]]
MOMENTUM = 0.8


def draw(width=(3,)):
    random = np.random.default_rng(0)
    return [
        (random.normal(2, 3, (len(d), *width)).astype("float32"), np.array(d))
        for d in BATCHES
    ]


def trained(layer, batches):
    return [
        ops.convert_to_numpy(layer(list(batch), training=True))
        for batch in batches
    ]


@pytest.mark.parametrize("width", [(3,), (2, 3)])
def test_a_batch_is_normalized_by_its_domains(width):
    batches = draw(width)
    layer = DomainNormalization(3)
    for (x, domain), received in zip(
        batches, trained(layer, batches), strict=True
    ):
        for d in set(domain):
            own = x[domain == d].astype("float64")
            expected = (own - own.mean(0)) / np.sqrt(own.var(0) + 1e-5)
            np.testing.assert_allclose(
                received[domain == d], expected, rtol=1e-4, atol=1e-4
            )


def test_moving_statistics_are_those_of_weighted_rows():
    batches = draw()
    layer = DomainNormalization(4, momentum=MOMENTUM)
    trained(layer, batches)
    for d in range(3):
        rows, ages = [], []
        present = [(x, e) for x, e in batches if d in e]
        for age, (x, domain) in enumerate(reversed(present)):
            rows.append(x[domain == d])
            ages += [age] * len(rows[-1])
        check(layer.of_domains, d, np.concatenate(rows), np.array(ages))
    rows = [x for x, _ in reversed(batches)]
    ages = [age for age, x in enumerate(rows) for _ in x]
    check(layer.of_all, ..., np.concatenate(rows), np.array(ages))
    # The domain 3 was in none.
    seen, mean, variance = map(ops.convert_to_numpy, layer.of_domains)
    assert (seen[3], *mean[3], *variance[3]) == (0, 0, 0, 0, 1, 1, 1)


def check(moving, place, rows, ages):
    share = MOMENTUM**ages
    mean = np.average(rows, axis=0, weights=share)
    variance = np.average((rows - mean) ** 2, axis=0, weights=share)
    for received, expected in zip(
        moving, (share.sum(), mean, variance), strict=True
    ):
        received = ops.convert_to_numpy(received)[place]
        np.testing.assert_allclose(received, expected, rtol=1e-4)


def test_unseen_domains_have_the_statistics_of_all_rows():
    batches = draw()
    layer = DomainNormalization(4)
    x = batches[0][0]
    unseen = np.full(len(x), 3)
    first = ops.convert_to_numpy(layer([x, unseen]))
    np.testing.assert_allclose(first, x / np.sqrt(1 + 1e-5), rtol=1e-5)
    trained(layer, batches[:1])
    received = ops.convert_to_numpy(layer([x, unseen]))
    expected = (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-5)


def test_a_frozen_layer_moves_nothing():
    layer = DomainNormalization(3)
    batches = draw()
    trained(layer, batches[:1])
    layer.trainable = False
    before = [ops.convert_to_numpy(w).copy() for w in layer.weights]
    received = trained(layer, batches[1:])[0]
    for old, new in zip(before, layer.weights, strict=True):
        np.testing.assert_array_equal(old, ops.convert_to_numpy(new))
    expected = ops.convert_to_numpy(layer(list(batches[1]), training=False))
    np.testing.assert_array_equal(received, expected)


@pytest.mark.parametrize("shared", [True, False])
def test_weights_of_domains_meet_those_of_all(shared):
    layer = DomainNormalization(3, shared=shared)
    (x, domain), *_ = draw()
    layer.build([x.shape, domain.shape])
    random = np.random.default_rng(3)
    drawn = {}
    for weight in layer.trainable_variables:
        drawn[weight.name] = random.normal(size=weight.shape)
        weight.assign(drawn[weight.name])
    assert ("gamma" in drawn) == shared
    received = ops.convert_to_numpy(layer([x, domain]))
    gamma = drawn.get("gamma", 1) * drawn["domain_gamma"][domain]
    beta = drawn.get("beta", 0) + drawn["domain_beta"][domain]
    expected = x / np.sqrt(1 + 1e-5) * gamma + beta
    np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-5)


def test_16_bits_keep_the_statistics_in_32():
    layer = DomainNormalization(3, dtype="mixed_bfloat16")
    batches = draw()
    received = layer(list(batches[0]), training=True)
    assert keras.backend.standardize_dtype(received.dtype) == "bfloat16"
    assert {w.dtype for w in layer.weights} == {"float32"}
