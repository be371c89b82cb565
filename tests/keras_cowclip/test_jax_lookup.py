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
from jax import export

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


def test_ids_outside_of_the_table_are_as_in_a_take():
    ids = jax.numpy.arange(2 * NUM_IDS).reshape(-1, 2)
    table = jax.numpy.ones((NUM_IDS, 10))
    upstream = jax.numpy.ones((NUM_IDS, 2, 10))
    rows = jax.jit(look_up)(table, ids)
    assert np.isnan(rows[NUM_IDS // 2 :]).all()
    np.testing.assert_array_equal(
        jax.jit(gradient)(table, ids, upstream), table
    )


def test_an_exported_lookup_takes_a_batch_of_any_size():
    table = np.random.default_rng(0).random((NUM_IDS, 10), "float32")
    exported = export.export(jax.jit(look_up))(
        jax.ShapeDtypeStruct(table.shape, table.dtype),
        jax.ShapeDtypeStruct(export.symbolic_shape("batch, 2"), "int32"),
    )
    ids = np.arange(NUM_IDS, dtype="int32").reshape(-1, 2)
    np.testing.assert_array_equal(exported.call(table, ids), table[ids])


@pytest.mark.parametrize(
    "transform",
    [
        jax.checkpoint,
        lambda function: lambda *x: jax.lax.cond(True, function, function, *x),
    ],
)
def test_a_lookup_can_be_part_of_other_transforms(transform):
    ids = jax.numpy.arange(2 * NUM_IDS).reshape(-1, 2) % NUM_IDS

    @jax.jit
    @jax.grad
    def of_sum(table, ids):
        return transform(look_up)(table, ids).sum()

    np.testing.assert_array_equal(of_sum(np.ones((NUM_IDS, 10)), ids), 2.0)
