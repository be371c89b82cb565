"""`fit` against the float64 reference, step by step the same algorithm."""

from dataclasses import asdict

import keras
import numpy as np
import pytest

import keras_cowclip

from . import networks
from . import reference
from .networks import assert_close

BATCH_SIZE = 16
STEPS = 30
# The last batch is a partial one: 1 / b is part of the gradient.
ROWS = BATCH_SIZE * (STEPS - 1) + 5
BACKEND = keras.backend.backend()
CASES = {
    "ratio 1": {"clip_ratio": 1.0},
    # The floor decides for some rows, the ratio for the others.
    "small ratio": {"clip_ratio": 0.05, "clip_floor": 1.5e-3},
    "off": {"clip_ratio": None},
    # 2 * l2 is above the ratio, so that inactive rows are clipped too.
    "large l2": {"clip_ratio": 0.2, "embedding_l2": 0.15},
    "lazy": {"clip_ratio": 0.2, "lazy": True},
    # A resting row's second moment and weights change much.
    "lazy, large l2": {
        "clip_ratio": 0.2,
        "lazy": True,
        "embedding_l2": 0.05,
        "beta_2": 0.9,
    },
    # The largest rate is twice that of the other cases.
    "frequency": {
        "clip_ratio": None,
        "frequency_scale": 8.0,
        "embedding_learning_rate": 5e-4,
        "beta_1": 0.2,
        "beta_2": 0.992,
    },
    "frequency without momentum": {
        "clip_ratio": None,
        "frequency_scale": 64.0,
        "embedding_learning_rate": 5e-5,
        "beta_1": 0.0,
        "beta_2": 0.936,
    },
    "frequency and clip": {
        "clip_ratio": 0.2,
        "frequency_scale": 8.0,
        "embedding_learning_rate": 5e-4,
    },
    "frequency at a smaller batch": {
        "clip_ratio": None,
        "frequency_scale": 0.25,
    },
}


def batches(data):
    return [
        tuple(array[start : start + BATCH_SIZE] for array in data)
        for start in range(0, len(data[0]), BATCH_SIZE)
    ]


def fit(hyper, weights, data, **compile_arguments):
    """Returns the trained model, its optimizer and the shares of all steps."""
    padded = (data[0] < 0).any()
    optimizer = keras_cowclip.CowClip(**asdict(hyper))
    model = networks.compiled(optimizer, weights, padded, **compile_arguments)
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


def check_against_reference(
    overrides, rows=ROWS, padding=0.0, **compile_arguments
):
    hyper = reference.Hyperparameters(**overrides)
    data = networks.click_data(rows, padding=padding)
    weights = networks.initial_weights()
    expected = reference.train(weights, batches(data), hyper)
    model, optimizer, shares = fit(hyper, weights, data, **compile_arguments)

    variables = networks.reference_variables(model)
    momentums = networks.optimizer_slots(optimizer, model, "momentum")
    velocities = networks.optimizer_slots(optimizer, model, "velocity")
    last_steps = networks.last_steps(optimizer, model)
    assert {*momentums} == {*expected.momentums}
    assert {*last_steps} == {*expected.last_steps}
    for name, steps in last_steps.items():
        np.testing.assert_array_equal(steps, expected.last_steps[name])
    for name, momentum in momentums.items():
        assert_close(momentum, expected.momentums[name], f"{name} m")
    for name, variable in variables.items():
        weight = keras.ops.convert_to_numpy(variable)
        assert_close(weight, expected.weights[name], name)
        assert_close(
            np.sqrt(velocities[name]),
            np.sqrt(expected.velocities[name]),
            f"{name} root of v",
        )
        # The change of a weight is smaller than the weight: a finer measure.
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


# The default of `fit`; `test_other_jit_compile...` does the opposite.
JIT_COMPILE = BACKEND != "torch"


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=pytest.mark.trained_often)
        if case in ("ratio 1", "frequency and clip")
        else case
        for case in CASES
    ],
)
def test_30_steps_of_fit_agree_with_float64_reference(case):
    _, shares = check_against_reference(CASES[case], jit_compile=JIT_COMPILE)
    low, high = {
        "ratio 1": (0.01, 0.5),
        "small ratio": (0.5, 1.0),
        "off": (0.0, 0.0),
        "large l2": (0.01, 1.0),
        "lazy": (0.3, 1.0),
        "lazy, large l2": (0.01, 1.0),
        "frequency": (0.0, 0.0),
        "frequency without momentum": (0.0, 0.0),
        "frequency and clip": (0.3, 1.0),
        "frequency at a smaller batch": (0.0, 0.0),
    }[case]
    assert low <= np.mean(shares) <= high


@pytest.mark.parametrize("case", ["small ratio", "lazy", "frequency and clip"])
def test_30_steps_with_padding_agree_with_float64_reference(case):
    _, shares = check_against_reference(
        CASES[case], padding=0.4, jit_compile=JIT_COMPILE
    )
    assert np.mean(shares) > 0.0


# JAX without jit runs op by op: slow, so one case there.
OTHER_JIT_COMPILE = {
    "tensorflow": ["small ratio", "off", "lazy"],
    "jax": ["small ratio"],
    "torch": [
        pytest.param(
            "small ratio",
            marks=pytest.mark.skip(
                reason="torch.compile takes a minute: the next test has it"
            ),
        )
    ],
}


@pytest.mark.parametrize("case", OTHER_JIT_COMPILE[BACKEND])
def test_other_jit_compile_agrees_with_float64_reference(case):
    _, shares = check_against_reference(
        CASES[case], rows=STEPS * BATCH_SIZE, jit_compile=not JIT_COMPILE
    )
    assert (np.mean(shares) > 0.5) == (case != "off")


@pytest.mark.large
@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.skipif(BACKEND != "torch", reason="torch.compile is torch's own")
@pytest.mark.filterwarnings(
    "ignore:<class 'torch.autograd.function.Function'> should not be",
    "ignore:.*The .grad attribute of a Tensor that is not a leaf",
)
def test_torch_compile_trains_as_eager_torch_does(lazy):
    ids, _, labels = networks.click_data(24)
    tables, shares = [], []
    for jit_compile in (False, True):
        keras.utils.set_random_seed(0)
        table = keras_cowclip.CowClipEmbedding(networks.VOCABULARY, 2)
        model = keras.Sequential([table, keras.layers.GlobalMaxPooling1D()])
        optimizer = keras_cowclip.CowClip(
            clip_ratio=0.5, embedding_l2=1e-3, lazy=lazy
        )
        model.compile(optimizer=optimizer, loss="mse", jit_compile=jit_compile)
        model.fit(ids, labels, batch_size=8, shuffle=False, verbose=0)
        tables.append(table.get_weights()[0])
        shares.append(optimizer.clipped_share)
    np.testing.assert_allclose(tables[1], tables[0], rtol=1e-5, atol=1e-8)
    assert shares[0] == shares[1] > 0.0
