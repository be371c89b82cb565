"""Measures the rate and the memory of reading encoded rows in batches.

    python benchmarks/read_batches.py

Writes 20 million rows of Criteo's shape (3.2 GB) to the temporary folder, reads
them several times, shuffled and in order, and removes them. The file was just
written, so it comes from the operating system's page cache. Every batch's
arrays are touched. Results go to
`benchmarks/results/read_batches.csv`.

    python benchmarks/read_batches.py --history 50 \\
        --output benchmarks/results/read_batches_history.csv

Rows also have a history of 0 to 50 ids, uniform in length (2.1 GB more), which
each batch pads to 50. `--num-dense 0 --num-fields 1` leaves little but the
history.
"""

import argparse
import csv
import datetime
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

RESULTS = Path(__file__).parent / "results" / "read_batches.csv"
VOCABULARY_SIZES = [100_000] * 6 + [1000] * 20
BLOCK_ROWS = 65_536
BLOCKS_PER_PART = 64
# The field whose vocabulary the history shares.
HISTORY_FIELD = "C1"


def main():
    arguments = parse_arguments()
    folder = arguments.folder
    made = None
    if folder is None:
        made = tempfile.mkdtemp(prefix="read_batches-")
        folder = Path(made)
    try:
        if not (folder / "train").is_dir():
            write_split(folder / "train", schema_of(arguments), arguments.rows)
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
        "must have the columns of the other options (default: a temporary one)",
    )
    parser.add_argument("--num-dense", type=int, default=13)
    parser.add_argument("--num-fields", type=int, default=26)
    parser.add_argument(
        "--history",
        type=int,
        default=0,
        help="the most ids of a history in each row (default: none)",
    )
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--batch-size", type=int, default=65_536)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser.parse_args()


def schema_of(arguments):
    # Imported late, so that the memory of Keras and its backend is counted.
    import zoo

    sequences = {}
    if arguments.history:
        sequences["history"] = zoo.Sequence(
            HISTORY_FIELD, max_length=arguments.history
        )
    sizes = VOCABULARY_SIZES[: arguments.num_fields]
    return zoo.FeatureSchema(
        dense=[f"I{i}" for i in range(1, arguments.num_dense + 1)],
        categorical={f"C{i}": n for i, n in enumerate(sizes, 1)},
        sequences=sequences,
    )


def write_split(folder, schema, rows):
    from zoo.encoding.row_files import RowLayout

    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    columns = RowLayout.of(schema).columns()
    rows_per_part = BLOCK_ROWS * BLOCKS_PER_PART
    for part, first in enumerate(range(0, rows, rows_per_part)):
        path = folder / f"part-{part:05}.arrow"
        last = min(first + rows_per_part, rows)
        with pa.ipc.new_stream(path, columns) as writer:
            for start in range(first, last, BLOCK_ROWS):
                count = min(BLOCK_ROWS, last - start)
                arrays = random_rows(random, count, schema)
                writer.write_batch(pa.record_batch(arrays, schema=columns))


def random_rows(random, count, schema):
    arrays = [pa.array((random.random(count) < 0.25).astype("int8"))]
    matrices = []
    if schema.num_dense:
        shape = (count, schema.num_dense)
        matrices.append(random.random(shape, dtype="float32"))
    sizes = schema.vocabulary_sizes
    shape = (count, len(sizes))
    matrices.append(random.integers(sizes, size=shape, dtype="int32"))
    for matrix in matrices:
        arrays.append(
            pa.FixedSizeListArray.from_arrays(matrix.ravel(), matrix.shape[1])
        )
    for sequence in schema.sequences.values():
        lengths = random.integers(sequence.max_length + 1, size=count)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype("int32")
        ids = random.integers(sizes[0], size=offsets[-1], dtype="int32")
        arrays.append(pa.ListArray.from_arrays(offsets, ids))
    return arrays


def measure(folder, arguments):
    import zoo
    from zoo.data.split import Split
    from zoo.runtime.accelerator import peak_memory
    from zoo.runtime.environment import describe_environment
    from zoo.runtime.processor import num_cores

    schema = schema_of(arguments)
    here = describe_environment()
    backend, versions = here["backend"], here["versions"]
    environment = {
        "date": datetime.date.today().isoformat(),
        "cpu": here["hardware"].rpartition(",")[0],
        "cores": num_cores(),
        "python": versions["python"],
        "numpy": versions["numpy"],
        "pyarrow": pa.__version__,
        "keras": versions["keras"],
        "backend": f"{backend} {versions[backend]}",
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
                "num_dense": schema.num_dense,
                "num_fields": schema.num_fields,
                "history": arguments.history,
                "batch_size": arguments.batch_size,
                "shuffle": shuffle,
                "passes": arguments.passes,
                "rows_per_second_median": round(statistics.median(rates)),
                "rows_per_second_min": round(min(rates)),
                "rows_per_second_max": round(max(rates)),
                "peak_memory_mb": round(peak_memory() / 2**20),
                **environment,
            }
        )
    return results


def seconds_of_pass(batches):
    start = time.perf_counter()
    for i in range(len(batches)):
        inputs, labels = batches[i]
        # Making views loads no page.
        for array in (*inputs.values(), labels):
            array.ravel().view("uint8")[::4096].max(initial=0)
    return time.perf_counter() - start


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
