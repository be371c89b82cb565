"""Tests the programs that JAX makes of a table's step, and its transforms."""

import keras
import numpy as np
import pytest

if keras.backend.backend() != "jax":
    pytest.skip("these are JAX's programs", allow_module_level=True)

import jax
from jax import export

import keras_cowclip as kc
from keras_cowclip.backend import jax as native

from . import xla

NUM_IDS = 50
on_cpu = pytest.mark.skipif(
    jax.default_backend() != "cpu", reason="these kernels are for a CPU"
)


def look_up(table, ids):
    layer = kc.CowClipEmbedding(*table.shape)
    with jax.ensure_compile_time_eval():
        layer.build()
    with keras.StatelessScope([(layer.embeddings, table)]):
        return native.look_up(layer.embeddings, layer.embeddings.cowclip, ids)


def gradient(table, ids, upstream):
    _, pull_back = jax.vjp(lambda table: look_up(table, ids), table)
    return pull_back(upstream)[0]


@on_cpu
@pytest.mark.parametrize(
    ("batch_size", "dim", "columns"),
    [(40, 10, 12), (40, 8, 8), (40, 5, 5), (10, 10, 10)],
)
def test_rows_are_padded_if_there_are_more_lookups(batch_size, dim, columns):
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


@on_cpu
@pytest.mark.parametrize("columns", [native.FEW_COLUMNS, 13])
def test_a_norm_of_few_columns_is_no_reduction(columns):
    rows = jax.ShapeDtypeStruct((30, columns), "float32")
    program = jax.jit(native.row_norm).lower(rows).compile().as_text()
    assert ("reduce(" in program) == (columns > native.FEW_COLUMNS)


@on_cpu
@pytest.mark.parametrize("lazy", [False, True])
def test_a_compiled_step_updates_in_chunks(lazy, monkeypatch):
    programs = []
    for fewest_rows in (1, 401):
        monkeypatch.setattr(native, "FEWEST_CHUNKED_ROWS", fewest_rows)
        optimizer = kc.CowClip(lazy=lazy)
        programs.append(xla.compiled_update(optimizer, rows=400, columns=4))
    assert ["while(" in program for program in programs] == [True, False]


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
