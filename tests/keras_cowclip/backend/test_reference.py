"""Tests that each operation of the backend equals that of `reference`."""

import importlib
import inspect
import itertools
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_cowclip import CowClipEmbedding
from keras_cowclip import backend
from keras_cowclip.backend import reference
from keras_cowclip.clipping import adaptive_column_factor

from . import steps

BACKEND = keras.backend.backend()
native = importlib.import_module(f"keras_cowclip.backend.{BACKEND}")
ROWS = 50
# No lookups, fewer than rows and more; columns from one to many, of which 8 is
# a multiple of four and 10 pays off to pad to one.
BATCHES = [(0, 10), (20, 10), (80, 1), (80, 5), (80, 8), (80, 10), (80, 13)]
DTYPES = ["float32", "bfloat16", "float16"]


def cases(operation, **axes):
    """Parametrizes a test over all combinations, unless there is no kernel."""
    if operation not in native.__all__:
        return pytest.mark.skip(reason=f"`{operation}` is the reference's own")
    return pytest.mark.parametrize(
        [*axes], [*itertools.product(*axes.values())]
    )


@pytest.fixture(autouse=True)
def chunks_in_small_tables(monkeypatch):
    if BACKEND == "jax":
        monkeypatch.setattr(native, "FEWEST_CHUNKED_ROWS", 1)
        monkeypatch.setattr(native, "CHUNK_ROWS", 4)


def random_ids(lookups):
    """A popular one, and ten that never occur."""
    generator = np.random.default_rng(0)
    return (generator.random(lookups) ** 3 * (ROWS - 10)).astype("int64")


def integers(*shape):
    """Numbers whose sums are exact in 16 bits."""
    generator = np.random.default_rng(1)
    return generator.integers(-2, 3, shape).astype("float32")


def normals(*shape):
    return np.random.default_rng(2).normal(size=shape).astype("float32")


def summed(ids, values):
    dense = np.zeros((ROWS, *values.shape[1:]), values.dtype)
    np.add.at(dense, ids, values)
    return dense


def assert_equal(actual, expected, rtol=1e-6, atol=1e-7):
    for ours, theirs in zip(actual, expected, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


def test_the_contract_has_the_operations_and_arguments_of_the_reference():
    for name in reference.__all__:
        ours = native if name in native.__all__ else reference
        assert getattr(backend, name) is getattr(ours, name)
    assert {*native.__all__} < {*reference.__all__}
    for name in native.__all__:
        if inspect.isfunction(getattr(native, name)):
            arguments = inspect.signature(getattr(native, name))
            assert arguments == inspect.signature(getattr(reference, name))


def test_no_other_backend_is_imported():
    files = {"tensorflow", "jax", "torch"} - {BACKEND}
    assert not {f"keras_cowclip.backend.{file}" for file in files} & {
        *sys.modules
    }


@cases(
    "look_up",
    batch=BATCHES,
    dtype=DTYPES,
    sparse=[False, True] if BACKEND == "torch" else [False],
    way=sorted({"eager", *steps.WAYS}),
)
def test_look_up(batch, dtype, sparse, way):
    lookups, columns = batch
    layer = CowClipEmbedding(ROWS, columns, dtype=dtype)
    layer.build()
    layer.embeddings.assign(integers(ROWS, columns))
    ids = random_ids(lookups).reshape(-1, 2)
    upstream = integers(*ids.shape, columns)

    def run(operations):
        layer.embeddings.cowclip.sparse_gradients = sparse
        return steps.run(
            way,
            lambda *batch: steps.look_up(operations, layer, *batch),
            ids,
            ops.cast(upstream, dtype),
            batch_arguments=2,
        )

    assert_equal(run(native), run(reference), rtol=0, atol=0)


@cases(
    "look_up",
    lookups=[20, 80],
    sparse=[False, True] if BACKEND == "torch" else [False],
    way=sorted({"eager", *steps.WAYS}),
)
def test_look_up_of_padding(lookups, sparse, way):
    layer = CowClipEmbedding(ROWS, 3)
    layer.build()
    layer.embeddings.assign(integers(ROWS, 3))
    ids = random_ids(lookups).reshape(-1, 2)
    mask = np.random.default_rng(5).random(ids.shape) < 0.5
    ids = np.where(mask, ids, -1)  # Padding need not be an id.

    def run(operations):
        layer.embeddings.cowclip.sparse_gradients = sparse
        return steps.run(
            way,
            lambda *batch: steps.look_up(operations, layer, *batch),
            ids,
            integers(*ids.shape, 3),
            mask,
            batch_arguments=3,
        )

    ours = run(native)
    assert_equal(ours, run(reference), rtol=0, atol=0)
    rows, _, counts = ours
    assert not rows[~mask].any()
    np.testing.assert_array_equal(
        counts, np.bincount(ids[mask], minlength=ROWS)
    )


@cases("count_ids", lookups=[0, 20, 80], way=steps.WAYS)
def test_count_ids(lookups, way):
    counts = keras.Variable(np.zeros(ROWS, "float32"))

    def run(operations):
        return steps.run(
            way,
            lambda ids, rows: steps.count_ids(operations, counts, ids, rows),
            random_ids(lookups),
            normals(lookups, 3),
            batch_arguments=2,
        )

    assert_equal(run(native), run(reference), rtol=0, atol=0)


@cases(
    "dense_gradient",
    batch=BATCHES,
    dtype=["float32", "bfloat16"],
    may_pad=[False, True],
    way=steps.WAYS,
)
def test_dense_gradient(batch, dtype, may_pad, way):
    lookups, columns = batch
    shape = ROWS, columns
    ids, values = random_ids(lookups), integers(*batch)

    def total(ids, values):
        sparse = steps.sparse_gradient(ids, values, shape)
        return [native.dense_gradient(sparse, shape, may_pad)]

    actual = steps.run(
        way, total, ids, ops.cast(values, dtype), batch_arguments=2
    )
    dense = ops.cast(summed(ids, values), dtype)
    expected = reference.dense_gradient(dense, shape, may_pad)
    assert_equal(actual, [steps.to_numpy(expected)], rtol=0, atol=0)


@cases(
    "row_gradient",
    batch=BATCHES,
    way=[way for way in steps.WAYS if way != "xla"],
)
def test_row_gradient_and_active_ids(batch, way):
    lookups, columns = batch
    ids, values = random_ids(lookups), integers(*batch)

    def rows(ids, values):
        sparse = steps.sparse_gradient(ids, values, (ROWS, columns))
        counts = steps.sparse_gradient(ids, ops.ones_like(ids), (ROWS,))
        active = backend.active_ids(sparse)
        return [
            *native.row_gradient(sparse, counts),
            ids if active is None else active,
        ]

    row_ids, sums, counts, active = steps.run(
        way, rows, ids, values, batch_arguments=2
    )
    # The optimizer relies on ids that occur once.
    assert sorted(row_ids) == sorted({*ids})
    np.testing.assert_array_equal(active, ids)
    np.testing.assert_array_equal(sums, summed(ids, values)[row_ids])
    expected_counts = np.bincount(ids, minlength=ROWS)[row_ids]
    np.testing.assert_array_equal(counts, expected_counts)
    dense = ops.convert_to_tensor(values)
    for operations in (native, reference):
        assert operations.row_gradient(dense, dense) is None


@cases("write_rows", shape=[(ROWS,), (ROWS, 1), (ROWS, 10)], rows=[0, 1, ROWS])
def test_read_rows_and_write_rows(shape, rows):
    ids = np.random.default_rng(0).permutation(ROWS)[:rows]
    ids = ops.convert_to_tensor(ids)
    results = []
    for operations in (backend, reference):
        variable = keras.Variable(normals(*shape))
        values = operations.read_rows(variable, ids)
        operations.write_rows(variable, ids, 2.0 * values)
        results.append([steps.to_numpy(x) for x in (values, variable)])
    assert_equal(*results, rtol=0, atol=0)
    assert np.sum(results[0][1] != normals(*shape)) == results[0][0].size


@cases(
    "row_norm",
    shape=[(30, 1), (30, 2), (30, 12), (30, 13), (0, 5), (3,), (4, 5, 3)],
    dtype=["float32", "bfloat16"],
    way=steps.WAYS,
)
def test_row_norm(shape, dtype, way):
    rows = ops.cast(normals(*shape), dtype)
    ours, theirs = (
        steps.run(way, lambda rows, norm=norm: [norm(rows)], rows)
        for norm in (native.row_norm, reference.row_norm)
    )
    assert_equal(ours, theirs, rtol=1e-6 if dtype == "float32" else 1e-2)


@cases(
    "clip_active_rows",
    # No active row, few and many; all of them by a regularizer.
    batch=[(0, False), (2, False), (80, False), (700, False), (80, True)],
    columns=[1, 10],
    l2=[0.0, 1e-2],
    way=steps.WAYS,
)
def test_clip_active_rows(batch, columns, l2, way):
    lookups, regularized = batch
    rows = 400
    ids = np.random.default_rng(0).integers(0, rows - 9, lookups)
    counts = np.bincount(ids, minlength=rows).astype("float32")
    table = normals(rows, columns)
    gradient = normals(rows, columns)[::-1].copy()
    if not regularized:
        gradient[counts == 0] = 0.0

    def factor_of(gradient, table, counts):
        return adaptive_column_factor(gradient, table, counts, ratio=0.3)

    def run(operations):
        def clip(ids, gradient, table, counts):
            clipped = operations.clip_active_rows(
                gradient + 0.0,  # PyTorch may overwrite it.
                table,
                counts,
                factor_of,
                l2,
                # With a regularizer's, a gradient is dense.
                None if regularized else ids,
            )
            present = clipped.counts > 0
            return [
                clipped.gradient + 2.0 * clipped.l2 * table,
                ops.sum(
                    ops.cast(
                        ops.logical_and(present, clipped.factor < 1), "int32"
                    )
                ),
                ops.sum(ops.cast(present, "int32")),
            ]

        return steps.run(
            way, clip, ids, gradient, table, counts, batch_arguments=1
        )

    actual, expected = run(native), run(reference)
    assert_equal(actual, expected, rtol=1e-5, atol=1e-6)


@cases(
    "update_active_rows",
    rows=[(1, 0), (1, 1), (16, 0), (16, 1), (16, 16), (100, 37), (100, 100)],
    columns=[1, 10],
    way=steps.WAYS,
)
def test_update_active_rows(rows, columns, way):
    num_rows, num_active = rows
    active = np.zeros(num_rows, bool)
    active[np.random.default_rng(0).permutation(num_rows)[:num_active]] = True
    shape = num_rows, columns

    def update(table, step, gradient):
        return table * 2 + gradient, step + ops.sum(gradient, axis=-1)

    def run(operations):
        return steps.run(
            way,
            lambda active, *arrays: operations.update_active_rows(
                update, active, arrays[:2], *arrays[2:]
            ),
            active,
            normals(*shape),
            normals(num_rows),
            integers(*shape),
        )

    assert_equal(run(native), run(reference))


ADAM = {
    # Settings, l2, rate and columns.
    "step": [
        ({}, 0.0, 1e-2, 10),
        ({}, 0.1, 1e-2, 10),
        ({}, 0.1, 1e-2, 1),
        ({}, 0.1, np.linspace(1e-3, 1e-2, ROWS)[:, None], 10),
        ({"amsgrad": True}, 0.1, 1e-2, 10),
        ({"beta_1": 0.5, "beta_2": 0.9}, 0.0, 1e-2, 10),
        # JAX would let NumPy's own type decide the result's.
        ({"epsilon": np.float64(1e-3)}, 0.0, 1e-2, 10),
    ],
    "dtype": ["float32", "bfloat16"],
    "way": steps.WAYS,
}


def check_adam(operation, step, dtype, way):
    settings, l2, rate, columns = step
    gradients = [normals(ROWS, columns), integers(ROWS, columns)]
    gradients[1][::2] = 0.0  # These rows have no gradient in the second step.
    ours, theirs = (
        steps.adam(
            way,
            getattr(operations, operation),
            keras.optimizers.Adam(**settings),
            keras.Variable(normals(ROWS, columns)[::-1].copy(), dtype=dtype),
            gradients,
            np.asarray(rate, "float32"),
            l2,
        )
        for operations in (native, reference)
    )
    rtol, atol = (1e-5, 1e-7) if dtype == "float32" else (2e-2, 1e-3)
    assert_equal(ours, theirs, rtol=rtol, atol=atol)


@cases("adam", **ADAM)
def test_adam(step, dtype, way):
    check_adam("adam", step, dtype, way)


@cases("table_adam", **ADAM)
def test_table_adam(step, dtype, way):
    check_adam("table_adam", step, dtype, way)


@cases("compiled", way=steps.WAYS)
def test_compiled(way):
    def update(x):
        return [ops.sum(x * x)]

    ours, theirs = (
        steps.run(way, lambda x, c=compiled: c(update, [])(x), integers(9))
        for compiled in (native.compiled, reference.compiled)
    )
    assert_equal(ours, theirs)


def test_an_eager_update_is_not_compiled():
    def update(gradient):
        raise AssertionError("must not be called")

    assert backend.compiled(update, []) is update


def test_one_device_has_the_whole_batch():
    counts = ops.convert_to_tensor(integers(9))
    assert backend.is_alone()
    assert backend.sum_over_replicas(counts) is counts
