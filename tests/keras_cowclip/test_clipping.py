import keras
import numpy as np
import pytest

import keras_cowclip as kc
from keras_cowclip.clipping import adaptive_column_factor

RANDOM = np.random.default_rng(0)
TABLE = RANDOM.normal(0, 1e-2, (50, 4)).astype("float32")
GRADIENT = (
    RANDOM.normal(0, 1, (50, 4)) * 10 ** RANDOM.uniform(-4, 0, (50, 1))
).astype("float32")
COUNTS = RANDOM.integers(0, 5, 50).astype("float32")
FIELD_OF_ROW = np.repeat(np.arange(5), 10).astype("int32")

RULES = {
    "adaptive": lambda g: kc.clip_by_adaptive_column_norm(g, TABLE, COUNTS),
    "column": lambda g: kc.clip_by_column_norm(g, COUNTS, 0.01),
    "field": lambda g: kc.clip_by_field_norm(g, FIELD_OF_ROW, 5, 0.5),
    "global": lambda g: kc.clip_by_global_norm([g[:20], g[20:]], 0.5),
}


def clip(rule, gradient=GRADIENT):
    clipped = RULES[rule](keras.ops.array(gradient))
    parts = clipped if isinstance(clipped, list) else [clipped]
    return np.concatenate([keras.ops.convert_to_numpy(p) for p in parts])


@pytest.mark.parametrize("rule", RULES)
def test_clip_never_lengthens_and_never_turns(rule):
    before = np.linalg.norm(GRADIENT, axis=1)
    clipped = clip(rule)
    after = np.linalg.norm(clipped, axis=1)
    assert np.all(after <= before * (1 + 1e-6))
    assert np.any(after < 0.9 * before)
    np.testing.assert_allclose(
        clipped / after[:, None], GRADIENT / before[:, None], atol=1e-5
    )


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("rule", RULES)
def test_16_bit_gradients_are_clipped_in_float32(rule, dtype):
    # Squares of such numbers overflow float16.
    rounded = keras.ops.cast(keras.ops.array(GRADIENT * 1e4), dtype)
    clipped = RULES[rule](rounded)
    for part in clipped if isinstance(clipped, list) else [clipped]:
        assert keras.backend.standardize_dtype(part.dtype) == "float32"
    expected = clip(rule, keras.ops.cast(rounded, "float32"))
    np.testing.assert_allclose(clip(rule, rounded), expected, rtol=1e-6)


@pytest.mark.parametrize("rule", RULES)
def test_zero_gradient_stays_zero(rule):
    assert not clip(rule, np.zeros_like(GRADIENT)).any()


def test_adaptive_threshold_is_count_times_own_norm_or_floor():
    norms = np.linalg.norm(clip("adaptive"), axis=1)
    threshold = np.maximum(COUNTS, 1) * np.maximum(
        np.linalg.norm(TABLE, axis=1), 1e-5
    )
    before = np.linalg.norm(GRADIENT, axis=1)
    np.testing.assert_allclose(norms, np.minimum(before, threshold), rtol=1e-5)


def test_floor_lets_rows_at_zero_grow():
    clipped = kc.clip_by_adaptive_column_norm(
        keras.ops.array([[3.0, 4.0]]),
        keras.ops.zeros((1, 2)),
        keras.ops.array([2.0]),
        floor=0.5,
    )
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(clipped), [[0.6, 0.8]], rtol=1e-6
    )


def test_no_floor_and_zero_row_gives_no_nan():
    factor = adaptive_column_factor(
        keras.ops.zeros((1, 2)), keras.ops.zeros((1, 2)), keras.ops.ones(1),
        floor=0.0,
    )  # fmt: skip
    assert keras.ops.convert_to_numpy(factor).tolist() == [1.0]


@pytest.mark.parametrize("ratio", [None, float("inf")])
def test_no_ratio_and_infinity_never_clip(ratio):
    clipped = kc.clip_by_adaptive_column_norm(
        keras.ops.array(GRADIENT), 0 * TABLE, keras.ops.array(COUNTS), ratio
    )
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(clipped), GRADIENT)


def test_column_rule_by_hand():
    clipped = kc.clip_by_column_norm(
        keras.ops.array([[6.0, 8.0], [6.0, 8.0], [0.6, 0.8]]),
        keras.ops.array([0.0, 3.0, 1.0]),
        threshold=2.0,
    )
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(clipped),
        [[1.2, 1.6], [3.6, 4.8], [0.6, 0.8]],
        rtol=1e-6,
    )


def test_field_rule_takes_one_norm_a_field():
    norms = np.linalg.norm(clip("field").reshape(5, 40), axis=1)
    before = np.linalg.norm(GRADIENT.reshape(5, 40), axis=1)
    np.testing.assert_allclose(norms, np.minimum(before, 0.5), rtol=1e-5)


def test_global_rule_takes_one_norm_over_all_tables():
    assert np.linalg.norm(clip("global")) == pytest.approx(0.5, rel=1e-5)
