"""Compares the backends: how exact, how fast, how much memory.

    python benchmarks/matrix.py

A cell is a network on a backend, a device and in a precision. It is trained for
50 steps as in `parity.py`, and compared with JAX on the CPU in float32. Its
steps are timed as in `speed/run.py`. Writes `matrix.csv`, a line for each cell,
`matrix.md` and `matrix.png` to `benchmarks/results`. A cell that could not run
says why.
"""

import argparse
import csv
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "speed"))

import parity
import run as speed
from figure_look import project_look
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from rich.progress import Progress

RESULTS = Path(__file__).parent / "results"
NETWORKS = ("deepfm", "wide_deep", "dcn", "dcn_v2")
DEVICES = ("cpu", "gpu")
PRECISIONS = {"fp32": "float32", "bf16": "mixed_bfloat16"}
REFERENCE = ("jax", "cpu", "fp32")
# Columns taken from a line of `speed/run.py`.
MEASURED = (
    "batch_size", "num_ids", "step_ms", "step_ms_min", "step_ms_max",
    "samples_per_second", "share_of_limit", "peak_mib_of_process",
    "first_step_seconds", "gemm_gflops", "copy_gb_per_second", "windows",
    "date", "hardware", "versions",
)  # fmt: skip
COLUMNS = (
    "network", "backend", "device", "precision", "predictions_difference",
    "tables_difference", *MEASURED, "not_run",
)  # fmt: skip
COLORS = {"fp32": "C0", "bf16": "C4"}

Cell = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch-size", type=int, default=8192)
    parser.add_argument("--num-ids", type=int, default=1_000_000)
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--backends", nargs="+", default=parity.BACKENDS)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    arguments.optimizers, arguments.jit_compile = ["cowclip"], False
    runs = [*itertools.product(arguments.backends, DEVICES, PRECISIONS)]
    cells = []
    with tempfile.TemporaryDirectory() as folder, Progress() as progress:
        task = progress.add_task("Measuring", total=len(runs))
        reference = parity.run_child(
            REFERENCE[0], Path(folder), arguments.steps, batch_size=256
        )
        for run in runs:
            cells += measure(run, reference, Path(folder), arguments)
            progress.advance(task)
    write(cells, arguments)


def measure(
    run: tuple[str, str, str],
    reference: parity.Arrays,
    folder: Path,
    arguments: argparse.Namespace,
) -> list[Cell]:
    """Measures all networks on one backend and device, in one precision."""
    backend, device, precision = run
    names = ("backend", "device", "precision")
    cells = [
        {"network": network, **dict(zip(names, run, strict=True))}
        for network in arguments.networks
    ]
    if device == "gpu" and not gpu_name(backend):
        return [
            {**cell, "not_run": f"{backend} finds no GPU"} for cell in cells
        ]
    environment = parity.CPU_ONLY if device == "cpu" else {}
    policy = PRECISIONS[precision]
    arrays = parity.run_child(
        backend, folder, arguments.steps, 256, policy, environment
    )
    for cell in cells:
        network = cell["network"]
        (line,) = speed.measure(
            network,
            backend,
            policy,
            "kept",
            arguments.batch_size,
            arguments.num_ids,
            arguments,
            environment,
        )
        shown = {name: line[name] for name in MEASURED}
        cell.update(shown, **differences(network, arrays, reference))
    return cells


def gpu_name(backend: str) -> str:
    """Asks a child process for the GPU that a backend computes on."""
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "from zoo.runtime.accelerator import accelerator_name as name; "
            "print(name() or '')",
        ],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return found.stdout.strip().rpartition("\n")[2]


def differences(
    network: str, arrays: parity.Arrays, reference: parity.Arrays
) -> dict[str, str]:
    """Returns the largest differences from the reference after the steps."""
    largest_of = {}
    for kind, distance in (
        ("predictions", parity.difference),
        ("tables", parity.relative),
    ):
        start = f"{network}/{kind}/"
        largest = max(
            distance(arrays[key], reference[key])
            for key in reference
            if key.startswith(start)
        )
        largest_of[f"{kind}_difference"] = f"{largest:.0e}"
    return largest_of


def write(cells: list[Cell], arguments: argparse.Namespace) -> None:
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / "matrix.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(cells)
    (arguments.output / "matrix.md").write_text(page(cells, arguments))
    draw(cells, arguments.output / "matrix.png")


def page(cells: list[Cell], arguments: argparse.Namespace) -> str:
    """Returns a table: a row for each backend, device and precision."""
    done = [cell for cell in cells if "not_run" not in cell]
    options = " ".join(["", "--", *sys.argv[1:]]) if sys.argv[1:] else ""
    lines = [
        "# The backends compared",
        "",
        f"Made by `nox -s matrix{options}`; `matrix.csv` has each of the "
        f"networks {', '.join(arguments.networks)} by itself.",
        "",
        "* *predictions*, *tables*: the largest difference of any network, "
        f"after {arguments.steps} steps of batch 256, from JAX on the CPU in "
        "fp32; the tables' relative to their largest weight. `parity.py` says "
        "what is trained.",
        "* *samples/s*, *share of limit*, *first step*: the median of the "
        f"networks, batch {arguments.batch_size:,}, {arguments.num_ids:,} ids, "
        "embedding dim 10, MLP 400-400-400, `CowClip()`, the median of "
        f"{arguments.windows} windows of `fit`. The limit is that of the "
        "arithmetic rate and the copy bandwidth measured in the same process.",
        "* *memory*: the largest peak of a process, Python and backend "
        "included.",
        "",
        "| backend | device | precision | predictions | tables | samples/s | "
        "share of limit | memory, MiB | first step, s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for names in dict.fromkeys(map(place, cells)):
        lines.append(
            f"| {' | '.join(names)} | {' | '.join(row(names, cells))} |"
        )
    ran = sorted({(cell["hardware"], cell["versions"]) for cell in done})
    lines += ["", *(f"{hardware}: {versions}." for hardware, versions in ran)]
    return "\n".join([*lines, "", "![samples a second](matrix.png)", ""])


def place(cell: Cell) -> tuple[str, str, str]:
    return cell["backend"], cell["device"], cell["precision"]


def row(names: tuple[str, str, str], cells: list[Cell]) -> list[str]:
    """Returns the cells of one backend, device and precision."""
    here = [cell for cell in cells if place(cell) == names]
    if "not_run" in here[0]:
        return [f"not run: {here[0]['not_run']}", *[""] * 5]

    def numbers(name):
        return [float(cell[name]) for cell in here]

    return [
        "reference"
        if names == REFERENCE
        else f"{max(numbers('predictions_difference')):.0e}",
        "reference"
        if names == REFERENCE
        else f"{max(numbers('tables_difference')):.0e}",
        f"{median(numbers('samples_per_second')):,.0f}",
        f"{100 * median(numbers('share_of_limit')):.0f} %",
        f"{max(numbers('peak_mib_of_process')):,.0f}",
        f"{median(numbers('first_step_seconds')):.1f}",
    ]


@project_look()
def draw(cells: list[Cell], path: Path) -> None:
    """Draws samples a second: a panel for each network, a bar for each run."""
    done = [cell for cell in cells if "not_run" not in cell]
    networks = list(dict.fromkeys(cell["network"] for cell in done))
    figure = Figure(figsize=(4 * len(networks), 4.2), layout="constrained")
    panels = figure.subplots(1, len(networks), sharey=True, squeeze=False)[0]
    for axes, network in zip(panels, networks, strict=True):
        here = [cell for cell in done if cell["network"] == network]
        bars = axes.barh(
            [" ".join(place(cell)) for cell in here],
            [float(cell["samples_per_second"]) for cell in here],
            color=[COLORS[cell["precision"]] for cell in here],
        )
        axes.bar_label(bars, fmt="{:,.0f}", padding=2, fontsize=10)
        axes.margins(x=0.25)
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.grid(False, axis="y")
        axes.set_title(network)
        axes.set_xlabel("samples a second")
    panels[0].invert_yaxis()  # The panels share the axis.
    hardware = ", ".join(sorted({cell["hardware"] for cell in done}))
    figure.suptitle(f"CowClip, batch {done[0]['batch_size']}, {hardware}")
    figure.savefig(path)


if __name__ == "__main__":
    main()
