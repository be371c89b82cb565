"""Measures the memory of processes that share a table, on JAX.

    KERAS_BACKEND=jax python benchmarks/sharded_memory.py

Four processes train DeepFM with one field by `fit`, each on its rows of the
batch and with a quarter of the rows of both tables. The first run has next to
no ids, so the difference is what tables, moments and a step take. Writes
`benchmarks/results/sharded_memory.md`.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np

import keras_cowclip
import zoo
from zoo.devices.jax_devices import JaxDevices
from zoo.runtime.accelerator import peak_memory
from zoo.runtime.environment import describe_environment

sys.path.insert(0, str(Path(__file__).parent / "speed"))

from result_lines import measured_with

RESULTS = Path(__file__).parent / "results" / "sharded_memory.md"
PROCESSES, BATCH_SIZE, STEPS, DIM = 4, 1024, 16, 10
IDS = (1_200, 33_000_000)
# A table of `DIM` columns and one of a single column, each with two moments.
FLOATS_OF_A_ROW = 3 * (DIM + 1)
PORT = 45_671


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ids", nargs="+", type=int, default=IDS)
    # Of a process that trains.
    parser.add_argument("--process", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.process is not None:
        [num_ids] = arguments.ids
        print(train(arguments.process, num_ids))
        return
    peaks = {num_ids: max(peaks_of(num_ids)) for num_ids in arguments.ids}
    text = markdown(peaks)
    RESULTS.write_text(text)
    print(text)


def peaks_of(num_ids: int) -> list[int]:
    """Returns the bytes that each process took at its peak."""
    processes = [
        subprocess.Popen(
            [
                *(sys.executable, __file__),
                *("--ids", str(num_ids), "--process", str(process)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for process in range(PROCESSES)
    ]
    outputs = [process.communicate(timeout=600)[0] for process in processes]
    return [int(output.splitlines()[-1]) for output in outputs]


def train(process: int, num_ids: int) -> int:
    """Trains in this process; returns its peak memory in bytes."""
    import jax

    jax.distributed.initialize(f"localhost:{PORT}", PROCESSES, process)
    devices = JaxDevices(keras.distribution.list_devices(), shard_tables=True)
    random = np.random.default_rng(process)
    rows = BATCH_SIZE // PROCESSES * STEPS
    inputs = {
        "ids": random.integers(0, num_ids, (rows, 1), dtype="int32"),
        "dense": np.zeros((rows, 0), "float32"),
    }
    with devices.scope():
        keras.utils.set_random_seed(0)
        schema = zoo.FeatureSchema([], {"item": num_ids})
        model = zoo.DeepFM(schema, embedding_dim=DIM, hidden_units=(8,))
        model.compile(keras_cowclip.CowClip(), "binary_crossentropy")
        model.fit(
            inputs,
            (inputs["ids"] % 2).astype("float32"),
            batch_size=BATCH_SIZE // PROCESSES,
            shuffle=False,
            verbose=0,
        )
        # No process may end before the others are done.
        devices.gather(None)
    return peak_memory()


def markdown(peaks: dict[int, int]) -> str:
    measured = measured_with(describe_environment())
    least = min(peaks.values())
    lines = [
        "# Memory of processes that share a table",
        "",
        f"{PROCESSES} processes, DeepFM with one field, dim {DIM}, `CowClip`, "
        f"batch {BATCH_SIZE}, {STEPS} steps. A process' share is a quarter of "
        "both tables and their moments. "
        f"JAX, {measured['hardware']}, {measured['versions']}.",
        "",
        "| ids | tables and moments, MiB | a process' share | peak of a process"
        " | more than the first |",
        "|---:|---:|---:|---:|---:|",
    ]
    for num_ids, peak in peaks.items():
        size = 4 * FLOATS_OF_A_ROW * num_ids
        cells = [size, size / PROCESSES, peak, peak - least]
        shown = " | ".join(f"{cell / 2**20:,.0f}" for cell in cells)
        lines.append(f"| {num_ids:,} | {shown} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
