"""Compares the speed of CowClip and Adam, a process for each cell.

    python benchmarks/speed/run.py --backends jax torch

Writes `steps.csv`, a line for each network, backend, batch size, number of ids,
precision and optimizer, and `steps.png` to `benchmarks/results/speed`. Cells
of an earlier run that are measured again are replaced, all others stay.
"""

import argparse
import itertools
from pathlib import Path
from statistics import median
from typing import Any

from child import measure_in_child
from figure_look import project_look
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from result_lines import measured_with
from result_lines import merge
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

CELL = Path(__file__).parent / "cell.py"
RESULTS = Path(__file__).parents[1] / "results" / "speed"
BACKENDS = ("tensorflow", "jax", "torch")
CELL_COLUMNS = (
    "model", "backend", "precision", "jit_compile", "allocator", "batch_size",
    "num_ids",
)  # fmt: skip
# The axis of each panel of the figure, and the values of the others.
ALONG = {"num_ids": ("batch_size", 1024), "batch_size": ("num_ids", 1_000_000)}
COLORS = {"cowclip": "C0", "lazy": "C2", "adam": "C6"}

Line = dict[str, Any]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backends", nargs="+", default=BACKENDS)
    parser.add_argument("--models", nargs="+", default=["deepfm"])
    parser.add_argument(
        "--batch-sizes", nargs="+", type=int, default=[1024, 8192, 65_536]
    )
    parser.add_argument("--num-ids", nargs="+", type=int, default=[1_000_000])
    parser.add_argument("--precisions", nargs="+", default=["float32"])
    parser.add_argument(
        "--allocators", nargs="+", default=["kept"], choices=["kept", "default"]
    )
    parser.add_argument("--optimizers", nargs="+", default=[*COLORS])
    parser.add_argument("--jit-compile", action="store_true")
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    path = arguments.output / "steps.csv"
    cells = itertools.product(
        arguments.models,
        arguments.backends,
        arguments.precisions,
        arguments.allocators,
        arguments.batch_sizes,
        arguments.num_ids,
    )
    for cell in track([*cells], "Measuring"):
        new = measure(*cell, arguments)
        lines = merge(new, path, (*CELL_COLUMNS, "optimizer"))
    draw(lines, arguments.output / "steps.png")
    Console().print(table(lines))


def measure(
    model: str,
    backend: str,
    precision: str,
    allocator: str,
    batch_size: int,
    num_ids: int,
    arguments: argparse.Namespace,
    environment: dict[str, str] | None = None,
) -> list[Line]:
    options = [
        "--model", model, "--precision", precision,
        "--batch-size", str(batch_size), "--num-ids", str(num_ids),
        "--windows", str(arguments.windows),
        "--optimizers", *arguments.optimizers,
    ]  # fmt: skip
    if arguments.jit_compile:
        options.append("--jit-compile")
    if allocator == "default":
        options.append("--default-allocator")
    report = measure_in_child(
        str(CELL), backend, *options, environment=environment
    )
    cell = {
        "model": model,
        "backend": backend,
        "precision": precision,
        "jit_compile": arguments.jit_compile,
        "allocator": allocator,
        "batch_size": batch_size,
        "num_ids": num_ids,
    }
    return [
        {**cell, **columns_of(contestant, report, batch_size)}
        for contestant in report["contestants"]
    ]


def columns_of(
    contestant: dict[str, Any], report: dict[str, Any], batch_size: int
) -> Line:
    """Returns the columns of a contestant, from the report of its cell."""
    name, step_ms = contestant["name"], contestant["step_ms"]
    steps = {each["name"]: each["step_ms"] for each in report["contestants"]}
    ratios = [
        ours / adams
        for ours, adams in zip(step_ms, steps.get("adam", []), strict=False)
    ]
    limits = report["limits"]
    share = (limits["matrices_ms"] + limits["tables_ms"]) / median(step_ms)
    return {
        "optimizer": name,
        "step_ms": f"{median(step_ms):.2f}",
        "step_ms_min": f"{min(step_ms):.2f}",
        "step_ms_max": f"{max(step_ms):.2f}",
        "samples_per_second": round(1e3 * batch_size / median(step_ms)),
        "ratio_to_adam": f"{median(ratios):.3f}" if ratios else "",
        # The limit holds for a step over the whole table.
        "share_of_limit": "" if name == "lazy" else f"{share:.3f}",
        "first_step_seconds": f"{contestant['first_step_seconds']:.2f}",
        "peak_mib_of_process": round(report["peak_mib"]),
        **{name: f"{value:.1f}" for name, value in limits.items()},
        "windows": len(step_ms),
        **measured_with(report),
    }


def table(lines: list[Line]) -> Table:
    columns = (
        *CELL_COLUMNS, "optimizer", "step_ms", "samples_per_second",
        "ratio_to_adam", "share_of_limit",
    )  # fmt: skip
    shown = Table(box=box.SIMPLE)
    for column in columns:
        is_text = column in ("model", "backend", "precision", "optimizer")
        shown.add_column(column, justify="left" if is_text else "right")
    for line in lines:
        shown.add_row(*(str(line[column]) for column in columns))
    return shown


@project_look()
def draw(lines: list[Line], path: Path) -> None:
    """Samples a second against the ids and the batch, a row for each backend.

    `ALONG` says which of the two grows in a column, and what the other one is.
    """
    lines = [
        line
        for line in lines
        if (line["model"], line["precision"], line["allocator"])
        == ("deepfm", "float32", "kept")
    ]
    backends = sorted({line["backend"] for line in lines})
    figure = Figure(figsize=(11, 3.8 * len(backends)), layout="constrained")
    panels = figure.subplots(len(backends), len(ALONG), squeeze=False)
    for (row, backend), (column, axis) in itertools.product(
        enumerate(backends), enumerate(ALONG)
    ):
        fixed, value = ALONG[axis]
        chosen = [
            line
            for line in lines
            if line["backend"] == backend and int(line[fixed]) == value
        ]
        axes = panels[row][column]
        draw_panel(axes, chosen, axis)
        axes.set_title(f"{backend}, {fixed.replace('_', ' ')} {value:,}")
    panels[0][0].legend()
    figure.suptitle(f"DeepFM, {lines[0]['hardware']}, float32")
    figure.savefig(path)


def draw_panel(axes: Axes, lines: list[Line], axis: str) -> None:
    for optimizer, color in COLORS.items():
        points = sorted(
            (int(line[axis]), int(line["samples_per_second"]))
            for line in lines
            if line["optimizer"] == optimizer
        )
        axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            "o-",
            color=color,
            label=optimizer,
        )
    axes.set_xscale("log")
    axes.set_ylim(bottom=0, top=1.1 * axes.get_ylim()[1])
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel(axis.replace("_", " "))
    axes.set_ylabel("samples a second")


if __name__ == "__main__":
    main()
