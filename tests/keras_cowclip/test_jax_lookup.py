"""The gradient of a lookup on JAX, against sums by NumPy."""

import keras
import numpy as np
import pytest

if keras.backend.backend() != "jax":
    pytest.skip(
        "the other backends have their own gradient of a lookup",
        allow_module_level=True,
    )

import jax

from keras_cowclip.jax_lookup import look_up

NUM_IDS = 50


def gradient(table, ids, upstream):
    _, pull_back = jax.vjp(lambda table: look_up(table, ids), table)
    return pull_back(upstream)[0]


@pytest.mark.parametrize("compile_", [jax.jit, lambda function: function])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("dim", [1, 6, 8, 10])
@pytest.mark.parametrize("batch_size", [0, 10, 40])  # 20 and 80 lookups
def test_a_row_has_the_sum_of_its_lookups(batch_size, dim, dtype, compile_):
    generator = np.random.default_rng(0)
    # The last ten are never there.
    ids = generator.integers(0, NUM_IDS - 10, (batch_size, 2))
    # Sums that 16 bits hold exactly.
    upstream = generator.integers(0, 8, (batch_size, 2, dim)).astype(dtype)
    table = generator.normal(size=(NUM_IDS, dim)).astype(dtype)
    sums = compile_(gradient)(*map(jax.numpy.asarray, (table, ids, upstream)))
    expected = np.zeros((NUM_IDS, dim))
    np.add.at(expected, ids, upstream.astype("float64"))
    assert sums.dtype == dtype
    np.testing.assert_array_equal(sums.astype("float32"), expected)
    rows = compile_(look_up)(table, ids)
    np.testing.assert_array_equal(rows, table[ids])


@pytest.mark.skipif(
    jax.default_backend() != "cpu", reason="rows are padded on the CPU alone"
)
@pytest.mark.parametrize(
    ("batch_size", "dim", "columns"),
    [(40, 10, 12), (40, 8, 8), (40, 5, 5), (10, 10, 10)],
)
def test_rows_are_padded_where_there_are_more_lookups(batch_size, dim, columns):
    program = (
        jax.jit(gradient)
        .lower(
            jax.ShapeDtypeStruct((NUM_IDS, dim), "float32"),
            jax.ShapeDtypeStruct((batch_size, 2), "int32"),
            jax.ShapeDtypeStruct((batch_size, 2, dim), "float32"),
        )
        .compile()
        .as_text()
    )
    for width in {5, 8, 10, 12} - {columns, dim}:
        assert f"[{NUM_IDS},{width}]" not in program
    assert f"[{NUM_IDS},{columns}]" in program
