"""Trains the same networks on TensorFlow, JAX and PyTorch and compares them.

    python benchmarks/parity.py --output benchmarks/results/parity.csv

Each network of the zoo starts from one set of weights and takes 50 steps on
the same batches, on the CPU, with the clip active and in a process of its own
for each backend. The table shows the largest difference between each two
backends; "/ max" is relative to the largest value of the tensor. The exit
status is 1 if one is above its tolerance. The tolerances are those of the
default steps and batch size.
"""

import argparse
import csv
import datetime
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import packages_distributions
from importlib.metadata import version
from pathlib import Path
from typing import Any
from typing import NamedTuple

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

BACKENDS = ("tensorflow", "jax", "torch")
PAIRS = (("tensorflow", "jax"), ("tensorflow", "torch"), ("jax", "torch"))
# One of each kind of layer: linear, pairs, cross layers, a mixture.
NETWORKS = ("wide_deep", "deepfm", "dcn", "dcn_v2")
ROWS = 60_000
# The networks are small on purpose. A ReLU's slope jumps at 0, so that rounding
# can add a whole term to the gradient, or drop it. Adam turns that into nearly
# a full step of a rare id's row. With hidden units (64, 64) and batches of
# 1024, three networks in four ended with tables 8e-4 to 7e-2 apart. With this
# seed no ReLU's input comes nearer to 0 than 1e-6, and near 0 backends differ
# by less than 3e-7.
SEED = 33
HIDDEN_UNITS = (8, 8)
# With the paper's rate of the tables, 1e-4, 50 steps would move nothing, and
# its clip ratio of 1 would clip nothing.
OPTIMIZER = {
    "learning_rate": 1e-3,
    "embedding_learning_rate": 1e-2,
    "embedding_l2": 1e-5,
    "clip_ratio": 2.5e-3,
}

Arrays = dict[str, np.ndarray]


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    return np.abs(ours.astype("float64") - theirs).max()


def relative(ours: np.ndarray, theirs: np.ndarray) -> float:
    largest = np.maximum(np.abs(ours), np.abs(theirs)).max()
    return difference(ours, theirs) / largest


def smaller_mean(ours: np.ndarray, theirs: np.ndarray) -> float:
    return np.minimum(ours.mean(), theirs.mean())


def nearest_to_zero(ours: np.ndarray, theirs: np.ndarray) -> float:
    return np.minimum(np.abs(ours), np.abs(theirs)).min()


class Quantity(NamedTuple):
    """Measures how far two backends' arrays are apart, up to a limit."""

    name: str
    arrays: str
    measure: Callable[[np.ndarray, np.ndarray], float]
    limit: float
    at_least: bool = False

    def of(self, network: str, ours: Arrays, theirs: Arrays) -> float:
        start = f"{network}/{self.arrays}/"
        keys = [key for key in ours if key.startswith(start)]
        values = [self.measure(ours[key], theirs[key]) for key in keys]
        return np.min(values) if self.at_least else np.max(values)

    def accepts(self, value: float) -> bool:
        # NaN is not accepted: each comparison with it is false.
        return value >= self.limit if self.at_least else value <= self.limit


# float32 numbers are 1.2e-7 apart at 1, and each backend sums in another order.
# Adam divides small by small, which enlarges the difference in rows whose
# gradients nearly cancel. Tolerances are 5 to 10 times the largest difference
# of any network with this seed and three others.
QUANTITIES = (
    Quantity("losses", "losses", difference, 2e-6),
    Quantity("tables", "tables", difference, 2e-5),
    Quantity("tables / max", "tables", relative, 5e-5),
    Quantity("tables' m / max", "m", relative, 1e-5),
    Quantity("tables' v / max", "v", relative, 5e-6),
    Quantity("dense", "dense", difference, 2e-6),
    Quantity("dense / max", "dense", relative, 2e-5),
    Quantity("predictions", "predictions", difference, 5e-6),
    Quantity("id counts", "counts", difference, 0),
    # Two rows may be clipped on one backend alone.
    Quantity("clipped shares", "shares", difference, 1e-3),
    # A run in which nothing was clipped could show no difference.
    Quantity("mean share", "shares", smaller_mean, 0.3, at_least=True),
    Quantity("ReLUs from 0", "relu", nearest_to_zero, 5e-7, at_least=True),
)


def train(
    folder: Path, steps: int, batch_size: int, precision: str, output: Path
) -> None:
    """Trains all networks on this process's backend and saves what comes out.

    The arrays in the file are named `network/arrays/number`. All calls with
    one folder begin with the same weights.
    """
    import keras

    import zoo
    from zoo.datasets.synthetic import make_log
    from zoo.registry import network_class

    # NumPy draws the log, so that it is the same on every backend.
    log = make_log(ROWS, seed=SEED)
    saved = {}
    for name in NETWORKS:
        if not (folder / name).exists():  # Only the first backend writes it.
            keras.utils.set_random_seed(SEED)
            l2 = OPTIMIZER["embedding_l2"]
            initial = network_class(name)(
                log.schema, hidden_units=HIDDEN_UNITS, linear_l2=l2
            )
            zoo.save_to_preset(initial, folder / name)
        model = zoo.from_preset(folder / name, dtype=precision)
        batches = zoo.ClickBatches(
            log.split("train"), batch_size, shuffle=True, seed=SEED
        )
        results = train_network(model, batches, steps)
        predictions = model.predict_on_batch(log.split("test").inputs)
        results["predictions"] = [np.asarray(predictions, "float32")]
        for kind, arrays in results.items():
            for i, array in enumerate(arrays):
                saved[f"{name}/{kind}/{i}"] = array
    np.savez(output, **saved)


def train_network(model: Any, batches: Any, steps: int) -> dict[str, Any]:
    """Takes the steps; returns what they left, in the order of the model."""
    import keras

    import keras_cowclip

    optimizer = keras_cowclip.CowClip(**OPTIMIZER)
    model.compile(optimizer=optimizer, loss="binary_crossentropy")
    variables = model.trainable_variables
    tables = [v for v in variables if hasattr(v, "cowclip")]
    counters = [table.cowclip.id_counts for table in tables]
    others = {id(v) for v in (*tables, *counters)}
    relus = [layer for layer in model.layers if "hidden" in layer.name]
    probe = keras.Model(model.input, [layer.input for layer in relus])
    losses, shares, counts, relu_inputs = [], [], [], []
    for step in range(steps):
        inputs, labels = batches.batch(*divmod(step, len(batches)))
        features = probe.predict_on_batch(inputs)
        for layer, x in zip(relus, features, strict=True):
            kernel, bias = layer.get_weights()
            relu_inputs.append(x @ kernel + bias)
        losses.append(model.train_on_batch(inputs, labels))
        shares.append(optimizer.clipped_share)
        counts.append(np.stack(to_numpy(counters)))
    places = [optimizer._get_variable_index(table) for table in tables]
    return {
        "losses": [np.stack(losses)],
        "shares": [np.stack(shares)],
        "counts": [np.stack(counts)],
        "relu": relu_inputs,
        "tables": to_numpy(tables),
        "m": to_numpy(optimizer._momentums[i] for i in places),
        "v": to_numpy(optimizer._velocities[i] for i in places),
        "dense": to_numpy(v for v in variables if id(v) not in others),
    }


def to_numpy(variables: Any) -> list[np.ndarray]:
    from keras import ops

    # Copies: on PyTorch the array would change along with the variable.
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


# The tolerances hold on a CPU, so every backend stays there.
CPU_ONLY = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "JAX_PLATFORMS": "cpu",
    "KERAS_TORCH_DEVICE": "cpu",
}


def run_child(
    backend: str,
    folder: Path,
    steps: int,
    batch_size: int,
    precision: str = "float32",
    environment: dict[str, str] = CPU_ONLY,
) -> Arrays:
    """Runs this script in a new process: Keras reads its backend once."""
    output = folder / "arrays.npz"
    command = [
        *(sys.executable, __file__, f"--folder={folder}"),
        *(f"--steps={steps}", f"--batch-size={batch_size}"),
        *(f"--precision={precision}", f"--output={output}"),
    ]
    done = subprocess.run(
        command,
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **environment,
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{done.stderr}\nTraining on {backend} failed")
    with np.load(output) as arrays:
        return dict(arrays)


def compare(results: dict[str, Arrays]) -> tuple[list[dict], list[str]]:
    """Returns the rows of the matrix, and what in them is out of tolerance."""
    matrix, outside = [], []
    networks = dict.fromkeys(key.split("/")[0] for key in results["jax"])
    for network in networks:
        for quantity in QUANTITIES:
            row = {"network": network, "quantity": quantity.name}
            sign = ">= " if quantity.at_least else ""
            limit = f"{sign}{quantity.limit:g}"
            for pair in PAIRS:
                value = quantity.of(network, *(results[b] for b in pair))
                row["-".join(pair)] = f"{value:.1e}"
                if not quantity.accepts(value):
                    where = f"{network}, {quantity.name}, {'-'.join(pair)}"
                    outside.append(f"{where}: {value:.2g}, tolerance {limit}")
            matrix.append({**row, "tolerance": limit})
    return matrix, outside


def describe_run(arguments: argparse.Namespace) -> dict[str, Any]:
    cpu = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = (x.split(": ")[1] for x in lines if "model name" in x)
        cpu = next(names, cpu)
    # TensorFlow's package has several names.
    packages = packages_distributions()
    return {
        "steps": arguments.steps,
        "batch_size": arguments.batch_size,
        "seed": SEED,
        "date": datetime.date.today().isoformat(),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "keras": version("keras"),
        **{b: version(packages[b][0]) for b in BACKENDS},
    }


def print_matrix(matrix: list[dict]) -> None:
    names = (name.replace("-", "\n") for name in matrix[0])
    table = Table(*names, box=box.SIMPLE_HEAD)
    for row in matrix:
        is_last = row["quantity"] == QUANTITIES[-1].name
        table.add_row(*row.values(), end_section=is_last)
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--output", type=Path, help="a CSV file to write")
    # The script calls itself with these, in a child process.
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--precision", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.folder:
        return train(**vars(arguments))
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        results = {
            backend: run_child(
                backend, Path(folder), arguments.steps, arguments.batch_size
            )
            for backend in BACKENDS
        }
    matrix, outside = compare(results)
    run = describe_run(arguments)
    print_matrix(matrix)
    print(", ".join(f"{name} {value}" for name, value in run.items()))
    if arguments.output:
        rows = [{**row, **run} for row in matrix]
        with arguments.output.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    if outside:
        sys.exit("\n".join(["Out of tolerance:", *outside]))


if __name__ == "__main__":
    main()
