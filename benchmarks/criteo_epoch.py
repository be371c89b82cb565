"""Trains DeepFM with CowClip on a log as large as Criteo's, on one GPU.

    KERAS_BACKEND=jax python benchmarks/criteo_epoch.py

45.8 million rows of 26 fields with 33 million ids in all and 13 numbers are
drawn on the device, with labels by a planted rule: nothing is downloaded, and
the GPU waits for no disk. Prints the seconds of each epoch and of the parts of
a step, and adds a line to `benchmarks/results/criteo_epoch.csv`. Smaller
sizes by flags: `--rows 200_000 --ids 100_000 --batch-size 4096 --epochs 2`.

Batches go through `train_on_batch`, Keras' own compiled step, because `fit`
copies tensors of PyTorch to the host first. The loss of every step is read, so
that a step's time includes waiting for the device.
"""

import argparse
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "speed"))

import keras
import numpy as np
from data import vocabulary_sizes
from device_log import draw_log
from device_log import read_batch
from device_log import shuffled_rows
from limits import measure_limits
from result_lines import append
from result_lines import measured_with
from step_parts import time_parts
from step_parts import wait_for

import zoo
from keras_cowclip import CowClip
from keras_cowclip import scale_hyperparameters
from zoo.datasets.criteo_shape import NUM_DENSE
from zoo.runtime.accelerator import accelerator_name
from zoo.runtime.accelerator import peak_memory
from zoo.runtime.environment import describe_environment

RESULTS = Path(__file__).parent / "results" / "criteo_epoch.csv"
HIDDEN_UNITS = (400, 400, 400)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=45_840_617)
    parser.add_argument("--ids", type=int, default=33_000_000)
    parser.add_argument("--batch-size", type=int, default=131_072)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--embedding-dim", type=int, default=10)
    parser.add_argument("--policy", default="float32")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    if arguments.rows < arguments.batch_size:
        parser.error(
            "`--rows` must make at least one batch. Received: "
            f"{arguments.rows} rows, batches of {arguments.batch_size}"
        )
    zoo.keep_freed_memory()
    keras.utils.set_random_seed(0)
    result = run(arguments)
    for name, value in result.items():
        print(f"{name:>26}: {value}")
    append(result, arguments.output)


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    vocabularies = vocabulary_sizes(arguments.ids)
    start = time.perf_counter()
    log = draw_log(arguments.rows, vocabularies)
    wait_for(log)
    drawing = time.perf_counter() - start
    model = build(vocabularies, arguments)
    epochs = []
    for epoch in range(arguments.epochs):
        epochs.append(train_epoch(model, log, epoch, arguments.batch_size))
        print(f"epoch {epoch + 1}: {epochs[-1]}", flush=True)
    # The first step compiles.
    later = epochs[1:] or epochs
    peak = peak_memory()
    step_ms = median(epoch["step_ms"] for epoch in later)
    batch = read_batch(log, np.arange(arguments.batch_size, dtype="int32"))
    parts = time_parts(model, batch, step_ms / 1e3)
    dtype = keras.DTypePolicy(arguments.policy).compute_dtype
    limits = measure_limits(model, arguments.batch_size, dtype)
    return {
        **environment_columns(),
        **{
            name: getattr(arguments, name)
            for name in ("rows", "batch_size", "policy", "embedding_dim")
        },
        "ids": sum(vocabularies),
        "epochs": arguments.epochs,
        "seconds_per_epoch": round(median(e["seconds"] for e in later), 2),
        "first_epoch_seconds": round(epochs[0]["seconds"], 2),
        "drawing_seconds": round(drawing, 2),
        "first_loss": round(epochs[0]["loss"], 5),
        "last_loss": round(epochs[-1]["loss"], 5),
        "input_ms": round(median(e["input_ms"] for e in later), 3),
        "step_ms": round(step_ms, 3),
        **{name: round(value, 3) for name, value in parts.items()},
        **{name: round(value, 3) for name, value in limits.items()},
        "share_of_arithmetic": share(
            limits["matrices_ms"], parts["network_ms"]
        ),
        "share_of_bandwidth": share(limits["tables_ms"], parts["update_ms"]),
        "share_of_limits": share(
            limits["matrices_ms"] + limits["tables_ms"], step_ms
        ),
        "peak_gib": round(peak / 2**30, 2),
    }


def build(vocabularies: list[int], arguments: argparse.Namespace):
    schema = zoo.FeatureSchema(
        dense=[f"I{i}" for i in range(NUM_DENSE)],
        categorical={f"C{i}": size for i, size in enumerate(vocabularies)},
    )
    model = zoo.DeepFM(
        schema,
        embedding_dim=arguments.embedding_dim,
        hidden_units=HIDDEN_UNITS,
        dtype=arguments.policy,
    )
    model.compile(
        CowClip(**scale_hyperparameters(arguments.batch_size)),
        loss="binary_crossentropy",
    )
    return model


def train_epoch(model, log, epoch: int, batch_size: int) -> dict[str, float]:
    """Takes all whole batches in a new order; returns times and mean loss."""
    steps = log["ids"].shape[0] // batch_size
    start = time.perf_counter()
    order = shuffled_rows(log["ids"].shape[0], epoch)
    wait_for(order)
    reading, training, losses = time.perf_counter() - start, 0.0, []
    for step in range(steps):
        began = time.perf_counter()
        rows = order[step * batch_size : (step + 1) * batch_size]
        batch = read_batch(log, rows)
        wait_for(batch)
        read = time.perf_counter()
        losses.append(float(model.train_on_batch(*batch)))
        training += time.perf_counter() - read
        reading += read - began
    return {
        "seconds": time.perf_counter() - start,
        "input_ms": 1e3 * reading / steps,
        "step_ms": 1e3 * training / steps,
        "loss": float(np.mean(losses)),
    }


def share(limit: float, measured: float) -> float | str:
    """Returns the limit's share, or nothing for a part too short to measure."""
    return round(limit / measured, 3) if measured > 0 else ""


def environment_columns() -> dict[str, str]:
    here = describe_environment()
    return {
        "backend": here["backend"],
        "accelerator": accelerator_name() or "none",
        **measured_with(here),
    }


if __name__ == "__main__":
    main()
