"""`fit` against the float64 reference, step by step the same algorithm."""

import keras
import numpy as np
import pytest

import keras_cowclip

from . import networks
from . import reference

BATCH_SIZE = 16
STEPS = 30
# The last batch is a partial one: 1 / b is part of the gradient.
ROWS = BATCH_SIZE * (STEPS - 1) + 5
BACKEND = keras.backend.backend()
# TensorFlow runs a graph either way; JAX without jit runs op by op and torch
# with it compiles for a minute: one case of these each, as a test of its own.
JIT_COMPILE = {"tensorflow": [False, True], "jax": [True], "torch": [False]}

CASES = {
    "ratio 1": {"clip_ratio": 1.0},
    "small ratio": {"clip_ratio": 0.05},
    "floor": {"clip_ratio": 0.05, "clip_floor": 4e-3},
    "off": {"clip_ratio": None},
    "lazy": {"clip_ratio": 0.2, "lazy": True},
    "lazy off": {"clip_ratio": None, "lazy": True},
}


def batches(data):
    return [
        tuple(array[start : start + BATCH_SIZE] for array in data)
        for start in range(0, len(data[0]), BATCH_SIZE)
    ]


def fit(hyper, weights, data, **compile_arguments):
    """Returns the trained model, its optimizer and the shares of all steps."""
    model = networks.reference_network(weights)
    optimizer = keras_cowclip.CowClip(
        learning_rate=hyper.learning_rate,
        embedding_learning_rate=hyper.embedding_learning_rate,
        embedding_l2=hyper.embedding_l2,
        clip_ratio=hyper.clip_ratio,
        clip_floor=hyper.clip_floor,
        lazy=hyper.lazy,
    )
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        **compile_arguments,
    )
    shares = []
    record = keras.callbacks.LambdaCallback()
    record.on_train_batch_end = lambda batch, logs=None: shares.append(
        record.model.optimizer.clipped_share
    )
    ids, dense, labels = data
    model.fit(
        {"ids": ids, "dense": dense},
        labels,
        batch_size=BATCH_SIZE,
        shuffle=False,
        verbose=0,
        callbacks=[record],
    )
    return model, optimizer, shares


def assert_close(actual, expected, what):
    """Close by the tensor's largest value, and element by element."""
    largest = np.abs(expected).max()
    assert np.abs(actual - expected).max() <= 1e-5 * largest, what
    # Absent rows have moments a hundred times smaller than the others.
    np.testing.assert_allclose(
        actual, expected, rtol=1e-4, atol=1e-6 * largest, err_msg=what
    )


def check_against_reference(overrides, **compile_arguments):
    hyper = reference.Hyperparameters(**overrides)
    data = networks.click_data(ROWS)
    weights = reference.initial_weights(
        networks.VOCABULARY,
        networks.EMBEDDING_DIM,
        networks.FIELDS,
        networks.DENSE,
        networks.HIDDEN,
    )
    expected = reference.train(weights, batches(data), hyper)
    model, optimizer, shares = fit(hyper, weights, data, **compile_arguments)

    variables = networks.reference_variables(model)
    momentums = networks.optimizer_slots(optimizer, model, "momentum")
    velocities = networks.optimizer_slots(optimizer, model, "velocity")
    for name, variable in variables.items():
        weight = keras.ops.convert_to_numpy(variable)
        assert_close(weight, expected.weights[name], name)
        assert_close(momentums[name], expected.momentums[name], f"{name} m")
        assert_close(
            np.sqrt(velocities[name]),
            np.sqrt(expected.velocities[name]),
            f"{name} root of v",
        )
        # The way a weight went is shorter than the weight: a finer measure.
        moved = expected.weights[name] - weights[name]
        np.testing.assert_allclose(
            weight - weights[name],
            moved,
            rtol=0,
            atol=1e-4 * np.abs(moved).max(),
            err_msg=name,
        )
    assert len(shares) == STEPS
    np.testing.assert_allclose(shares, expected.clipped_shares, rtol=1e-6)
    assert optimizer.clipped_share == pytest.approx(shares[-1])
    return expected, shares


def test_data_repeat_ids_in_a_batch_and_leave_rows_out():
    ids, _, _ = networks.click_data(ROWS)
    first = np.bincount(ids[:BATCH_SIZE].ravel(), minlength=30)
    assert first.max() > 3
    assert np.any((first == 0)[: networks.OCCURRING])
    assert np.bincount(ids.ravel(), minlength=30)[20:].sum() == 0


@pytest.mark.parametrize("jit_compile", JIT_COMPILE[BACKEND])
@pytest.mark.parametrize("case", CASES)
def test_30_steps_of_fit_agree_with_float64_reference(case, jit_compile):
    _, shares = check_against_reference(CASES[case], jit_compile=jit_compile)
    expected_share = {
        "ratio 1": (0.01, 0.5),
        "small ratio": (0.5, 1.0),
        "floor": (0.5, 1.0),
        "off": (0.0, 0.0),
        "lazy": (0.3, 1.0),
        "lazy off": (0.0, 0.0),
    }
    low, high = expected_share[case]
    assert low <= np.mean(shares) <= high


@pytest.mark.skipif(
    BACKEND == "tensorflow", reason="every case runs with and without jit"
)
def test_other_jit_compile_agrees_with_float64_reference():
    jit_compile = not JIT_COMPILE[BACKEND][0]
    check_against_reference(CASES["ratio 1"], jit_compile=jit_compile)
