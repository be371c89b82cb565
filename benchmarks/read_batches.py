"""Measures the rate and the memory of reading encoded rows in batches.

    python benchmarks/read_batches.py

Writes 20 million rows of Criteo's shape (3.2 GB) to the temporary folder, reads
them several times, shuffled and in order, and removes them. The file was just
written, so it comes from the operating system's page cache. Every batch's
arrays are touched. Results go to
`benchmarks/results/read_batches.csv`.
"""

import argparse
import csv
import datetime
import os
import platform
import resource
import shutil
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa

RESULTS = Path(__file__).parent / "results" / "read_batches.csv"
NUM_DENSE = 13
VOCABULARY_SIZES = [100_000] * 6 + [1000] * 20
BLOCK_ROWS = 65_536
BLOCKS_PER_PART = 64


def main():
    arguments = parse_arguments()
    folder = arguments.folder
    made = None
    if folder is None:
        made = tempfile.mkdtemp(prefix="read_batches-")
        folder = Path(made)
    try:
        if not (folder / "train").is_dir():
            write_split(folder / "train", arguments.rows)
        results = measure(folder / "train", arguments)
    finally:
        if made is not None:
            shutil.rmtree(made)
    print_table(results)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with arguments.output.open("w", newline="") as file:
        writer = csv.DictWriter(file, results[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(results)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--folder",
        type=Path,
        help="read FOLDER/train, and write it first if it is not there; it "
        "must have 13 dense columns and 26 fields (default: a temporary one)",
    )
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--batch-size", type=int, default=65_536)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser.parse_args()


def write_split(folder, rows):
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    columns = pa.schema(
        {
            "label": pa.int8(),
            "dense": pa.list_(pa.float32(), NUM_DENSE),
            "ids": pa.list_(pa.int32(), len(VOCABULARY_SIZES)),
        }
    )
    rows_per_part = BLOCK_ROWS * BLOCKS_PER_PART
    for part, first in enumerate(range(0, rows, rows_per_part)):
        path = folder / f"part-{part:05}.arrow"
        last = min(first + rows_per_part, rows)
        with pa.ipc.new_stream(path, columns) as writer:
            for start in range(first, last, BLOCK_ROWS):
                count = min(BLOCK_ROWS, last - start)
                writer.write_batch(random_rows(random, count, columns))


def random_rows(random, count, columns):
    label = (random.random(count) < 0.25).astype("int8")
    dense = random.random((count, NUM_DENSE), dtype="float32")
    ids = random.integers(
        VOCABULARY_SIZES, size=(count, len(VOCABULARY_SIZES)), dtype="int32"
    )
    return pa.record_batch(
        [
            pa.array(label),
            pa.FixedSizeListArray.from_arrays(dense.ravel(), NUM_DENSE),
            pa.FixedSizeListArray.from_arrays(ids.ravel(), ids.shape[1]),
        ],
        schema=columns,
    )


def measure(folder, arguments):
    # Imported late, so that the memory of Keras and its backend is counted.
    import keras

    import zoo
    from zoo.data.split import Split

    schema = zoo.FeatureSchema(
        dense=[f"I{i}" for i in range(1, NUM_DENSE + 1)],
        categorical={f"C{i}": n for i, n in enumerate(VOCABULARY_SIZES, 1)},
    )
    backend = keras.backend.backend()
    environment = {
        "date": datetime.date.today().isoformat(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pyarrow": pa.__version__,
        "keras": keras.__version__,
        "backend": f"{backend} {keras_backend_version(backend)}",
    }
    split = Split.open(folder, schema)
    results = []
    for shuffle in (False, True):
        batches = zoo.ClickBatches(split, arguments.batch_size, shuffle)
        rates = []
        for epoch in range(arguments.passes):
            batches.start_at(epoch)
            rates.append(len(split) / seconds_of_pass(batches))
        results.append(
            {
                "rows": len(split),
                "batch_size": arguments.batch_size,
                "shuffle": shuffle,
                "passes": arguments.passes,
                "rows_per_second_median": round(statistics.median(rates)),
                "rows_per_second_min": round(min(rates)),
                "rows_per_second_max": round(max(rates)),
                "peak_memory_mb": peak_memory_mb(),
                **environment,
            }
        )
    return results


def seconds_of_pass(batches):
    start = time.perf_counter()
    for i in range(len(batches)):
        inputs, labels = batches[i]
        # Views alone would not load a page.
        for array in (*inputs.values(), labels):
            array.ravel().view("uint8")[::4096].max()
    return time.perf_counter() - start


def peak_memory_mb():
    """Highest resident memory of this process so far, imports included."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM"):
                return round(int(line.split()[1]) / 1024)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def cpu_model():
    information = Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def keras_backend_version(backend):
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.__version__
    return version(backend)


def print_table(results):
    columns = (
        "shuffle",
        "rows_per_second_median",
        "rows_per_second_min",
        "rows_per_second_max",
        "peak_memory_mb",
    )
    print("".join(f"{name:>24}" for name in columns))
    for result in results:
        print("".join(f"{result[name]!s:>24}" for name in columns))
    kept = ("rows", "batch_size", "cpu", "cores", "backend", "numpy", "date")
    print(", ".join(f"{name} {results[0][name]}" for name in kept))


if __name__ == "__main__":
    main()
