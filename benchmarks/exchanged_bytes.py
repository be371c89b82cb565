"""Counts the bytes that the devices of JAX exchange in a compiled step.

    KERAS_BACKEND=jax python benchmarks/exchanged_bytes.py

Compiles a step of a model with one table, whole on each device or sharded by
rows, and adds up XLA's collectives. Nothing is trained. Writes
`benchmarks/results/exchanged_bytes.md`.
"""

import math
import re
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_cowclip
import zoo
from zoo.runtime.environment import describe_environment

RESULTS = Path(__file__).parent / "results" / "exchanged_bytes.md"
DEVICES, BATCH_SIZE, FIELDS, DIM = 4, 8192, 26, 10
ROWS = (100_000, 1_000_000, 10_000_000)
_BYTES = {"f32": 4, "s32": 4, "u32": 4, "pred": 1}
_COLLECTIVE = re.compile(
    r"= (.*?) (all-reduce|all-gather|reduce-scatter|all-to-all|"
    r"collective-permute)\("
)
_SHAPE = re.compile(r"(\w+)\[([\d,]*)\]")
# Bytes that a device sends for a byte of the result, in a ring.
_SENT = {
    "all-reduce": 2 * (DEVICES - 1) / DEVICES,
    "all-gather": (DEVICES - 1) / DEVICES,
    "reduce-scatter": DEVICES - 1,
    "all-to-all": (DEVICES - 1) / DEVICES,
    "collective-permute": 1,
}


def main() -> None:
    import jax

    jax.config.update("jax_num_cpu_devices", DEVICES)
    from zoo.devices.jax_devices import JaxDevices

    names = keras.distribution.list_devices()
    lines = []
    for rows in ROWS:
        sent = [
            exchanged(compiled_step(JaxDevices(names, shard_tables), rows))
            for shard_tables in (False, True)
        ]
        lines.append([rows, *sent])
    text = markdown(lines)
    RESULTS.write_text(text)
    print(text)


def compiled_step(devices: Any, rows: int) -> str:
    """Returns the compiled training step of one device, as text."""
    import jax

    with devices.scope():
        ids = keras.Input((FIELDS,), dtype="int32")
        table = keras_cowclip.CowClipEmbedding(rows, DIM)
        flat = keras.layers.Flatten()(table(ids))
        model = keras.Model(ids, keras.layers.Dense(1, "sigmoid")(flat))
        model.compile(keras_cowclip.CowClip(), "binary_crossentropy")
        model.optimizer.build(model.trainable_variables)
        state = model._get_jax_state(
            trainable_variables=True,
            non_trainable_variables=True,
            optimizer_variables=True,
            metrics_variables=True,
        )
        layout = devices.distribution.get_data_layout
        batch = tuple(
            jax.device_put(array, layout(array.shape).backend_layout)
            for array in (
                np.zeros((BATCH_SIZE, FIELDS), "int32"),
                np.zeros((BATCH_SIZE, 1), "float32"),
            )
        )
        step = jax.jit(
            model.train_step,
            donate_argnums=0,
            out_shardings=(None, model._get_state_sharding_spec()),
        )
        return step.lower(state, batch).compile().as_text()


def exchanged(program: str) -> float:
    """Returns the bytes that a device sends in a step."""
    return sum(
        _SENT[kind]
        * sum(
            _BYTES[dtype] * math.prod(map(int, filter(None, shape.split(","))))
            for dtype, shape in _SHAPE.findall(result)
        )
        for result, kind in _COLLECTIVE.findall(program)
    )


def markdown(lines: list[list[float]]) -> str:
    environment = describe_environment()
    versions = ", ".join(
        f"{name} {value}" for name, value in environment["versions"].items()
    )
    text = [
        "# What devices exchange in a step",
        "",
        f"Bytes that each of {DEVICES} devices sends in a step, by the "
        "collectives of the compiled program, if these use a ring. Batch "
        f"{BATCH_SIZE:,}, {FIELDS} lookups, vectors of {DIM}, `CowClip`. "
        f"{versions}.",
        "",
        "| rows of the table | table on each device | for a row of the batch | "
        "sharded by rows | for a row of the batch |",
        "|---:|---:|---:|---:|---:|",
    ]
    for rows, *sent in lines:
        cells = [
            cell
            for value in sent
            for cell in (f"{value:,.0f}", f"{value / BATCH_SIZE:,.0f}")
        ]
        text.append(f"| {rows:,} | {' | '.join(cells)} |")
    return "\n".join([*text, ""])


if __name__ == "__main__":
    zoo.keep_freed_memory()
    main()
