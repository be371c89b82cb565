"""Devices of JAX share a table's rows, and none ever holds a whole table."""

import subprocess
import sys

import keras
import pytest

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "jax",
    reason="`keras.distribution` shares variables on JAX alone",
)
DEVICES, ROWS, DIM, FIELDS, BATCH_SIZE = 4, 200_001, 16, 3, 64
# The number of devices is fixed when JAX starts.
SCRIPT = f"""
import jax
jax.config.update("jax_num_cpu_devices", {DEVICES})
import keras, numpy as np
import keras_cowclip
from zoo.devices import start_devices

devices = start_devices({DEVICES}, shard_tables=True)
keras.utils.set_random_seed(0)
with devices.scope():
    ids = keras.Input(({FIELDS},), dtype="int32")
    layer = keras_cowclip.CowClipEmbedding({ROWS}, {DIM}, name="table")
    flat = keras.layers.Flatten()(layer(ids))
    model = keras.Model(ids, keras.layers.Dense(1, "sigmoid")(flat))
    model.compile(keras_cowclip.CowClip(OPTIONS), "binary_crossentropy")
    model.optimizer.build(model.trainable_variables)
    x = np.random.default_rng(0).integers(0, {ROWS}, ({BATCH_SIZE}, {FIELDS}))
    y = (x[:, :1] % 2).astype("float32")
    model.make_train_function()
"""
MEMORY = """
    state = model._get_jax_state(
        trainable_variables=True, non_trainable_variables=True,
        optimizer_variables=True, metrics_variables=True,
    )
    layout = devices.distribution.get_data_layout
    data = tuple(
        jax.device_put(a, layout(a.shape).backend_layout)
        for a in (x.astype("int32"), y)
    )
    step = jax.jit(model.train_step, donate_argnums=0, out_shardings=(
        None, model._get_state_sharding_spec()))
    used = step.lower(state, data).compile().memory_analysis()
    print(used.argument_size_in_bytes, used.temp_size_in_bytes)
"""


def run(code, options=""):
    script = SCRIPT.replace("OPTIONS", options) + code
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split()


@pytest.mark.parametrize(
    "options",
    [
        "",
        pytest.param("lazy=True", marks=pytest.mark.large),
        pytest.param("frequency_scale=8.0", marks=pytest.mark.large),
        pytest.param("embedding_accumulation_steps=2", marks=pytest.mark.large),
    ],
)
def test_a_step_has_no_whole_table(options):
    state, temporary = map(int, run(MEMORY, options)[-2:])
    table = ROWS * DIM * 4
    # The table, its moments and sums, a share of each on a device.
    assert state < (4.5 if "accum" in options else 3.5) * table / DEVICES
    assert temporary < 3 * table / DEVICES


def test_weights_are_saved_without_the_added_rows(tmp_path):
    path = tmp_path / "model.weights.h5"
    said = run(
        f"""
    model.fit(x, y, batch_size={BATCH_SIZE}, verbose=0)
    model.save_weights("{path}")
    before = [np.asarray(v.value) for v in model.optimizer.variables]
    kept = layer.get_weights()[0]
    for v in (*model.variables, *model.optimizer.variables):
        v.assign(keras.ops.zeros_like(v.value))
    model.load_weights("{path}")
    np.testing.assert_array_equal(layer.get_weights()[0], kept)
    layer.set_weights([kept])
    np.testing.assert_array_equal(layer.get_weights()[0], kept)
    for v, was in zip(model.optimizer.variables, before):
        if rows := getattr(v, "saved_rows", None):
            was = was[:rows]
        now = np.asarray(v.value)[:rows] if rows else v.value
        np.testing.assert_array_equal(now, was)
    shards = layer._embeddings.value.addressable_shards
    print(kept.shape[0], *(shard.data.shape[0] for shard in shards))
"""
    )
    assert list(map(int, said[-5:])) == [ROWS, *[50_001] * DEVICES]


def test_negative_ids_and_padding_are_those_of_one_device():
    run(f"""
    layer.embeddings.assign(np.arange({ROWS + 3} * {DIM}).reshape(-1, {DIM}))
    table = layer.get_weights()[0]
    ids = np.array([[-1, 0], [5, {ROWS - 1}], [7, 7], [-2, 3]], "int32")
    rows = np.asarray(jax.jit(layer)(ids))
    np.testing.assert_array_equal(rows, table[ids])
    mask = ids >= 3
    rows = np.asarray(jax.jit(layer)(ids, padding_mask=mask))
    expected = np.where(mask[..., None], table[ids], 0)
    np.testing.assert_array_equal(rows, expected)
""")
