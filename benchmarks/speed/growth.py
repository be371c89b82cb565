"""Measures how an epoch's time and memory grow with the data and the tables.

    python benchmarks/speed/growth.py --backends jax torch

A point is a process in which DeepFM with `CowClip()` trains two epochs on rows
in memory; the second is measured. The points leave a middle along one axis at
a time: a quarter to four times the rows, ids, fields or dim. Memory is measured
twice: in that process, which keeps freed memory as `python -m zoo train` does,
and in a second one, which gives it back. Writes `growth.csv` and `growth.png`
to `benchmarks/results/speed`, and replaces points that are measured again.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from child import measure_in_child
from figure_look import project_look
from result_lines import measured_with
from result_lines import merge

RESULTS = Path(__file__).parents[1] / "results" / "speed"
BACKENDS = ("tensorflow", "jax", "torch")
BATCH_SIZE = 8192
MIDDLE = {"rows": 131_072, "ids": 1_000_000, "fields": 24, "dim": 8}
FACTORS = (0.25, 0.5, 1, 2, 4)
LABELS = {
    "seconds_per_epoch": "seconds an epoch",
    "mib_of_training": "MiB of training",
}
# Memory is drawn along ids and dim alone: the peak of making the rows, beyond
# which it is measured, itself grows with rows and fields.
PANELS = [
    *(("seconds_per_epoch", axis) for axis in MIDDLE),
    *(("mib_of_training", axis) for axis in ("ids", "dim")),
]

Point = dict[str, Any]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backends", nargs="+", default=BACKENDS)
    parser.add_argument("--axes", nargs="+", choices=MIDDLE, default=[*MIDDLE])
    parser.add_argument("--output", type=Path, default=RESULTS)
    # Of the process that measures one point.
    parser.add_argument("--point", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.point:
        print(json.dumps(measure(**arguments.point)))
        return
    from rich.progress import track

    wanted = [
        (backend, point)
        for backend in arguments.backends
        for point in points(arguments.axes)
    ]
    path = arguments.output / "growth.csv"
    for backend, point in track(wanted, "Measuring"):
        new = measure_in_children(backend, point)
        lines = merge([new], path, ("backend", *MIDDLE))
    draw(lines, arguments.output / "growth.png")


def points(axes: list[str]) -> list[Point]:
    """Returns the middle, and the points that leave it along one axis."""
    moved = [
        MIDDLE | {axis: round(MIDDLE[axis] * factor)}
        for axis in axes
        for factor in FACTORS
        if factor != 1
    ]
    return [MIDDLE, *moved]


def measure(rows: int, ids: int, fields: int, dim: int, kept: bool) -> Point:
    """Seconds of an epoch and peak memory, in this process."""
    import zoo  # Before Keras, see `zoo.keep_freed_memory`.

    # isort: split
    import keras
    from data import click_batch

    from keras_cowclip import CowClip
    from zoo.data.split import Split
    from zoo.datasets.criteo_shape import NUM_DENSE
    from zoo.runtime.accelerator import peak_memory
    from zoo.runtime.environment import describe_environment

    if kept:
        zoo.keep_freed_memory()
    keras.utils.set_random_seed(0)
    sizes = [ids // fields] * fields
    schema = zoo.FeatureSchema(
        dense=[f"I{i}" for i in range(NUM_DENSE)],
        categorical={f"C{i}": size for i, size in enumerate(sizes)},
    )
    dense, indices, labels = click_batch(sizes, rows)
    split = Split({"dense": dense, "ids": indices}, labels)
    before = peak_memory()
    model = zoo.DeepFM(schema, embedding_dim=dim, hidden_units=(400, 400, 400))
    model.compile(CowClip(), loss="binary_crossentropy")
    batches = zoo.ClickBatches(split, BATCH_SIZE, shuffle=True)
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        model.fit(batches.to_keras(), shuffle=False, verbose=0)
        seconds.append(time.perf_counter() - start)
    mib = round((peak_memory() - before) / 2**20)
    if not kept:
        return {"mib_of_training": mib}
    return {
        "seconds_per_epoch": round(seconds[-1], 3),
        "mib_with_freed_kept": mib,
        "tables_mib": round(4 * ids * (dim + 1) / 2**20, 1),
        **measured_with(describe_environment()),
    }


def measure_in_children(backend: str, point: Point) -> Point:
    return {
        "backend": backend,
        "batch_size": BATCH_SIZE,
        **point,
        **measure_point(backend, {**point, "kept": False}),
        **measure_point(backend, {**point, "kept": True}),
    }


def measure_point(backend: str, point: Point) -> Point:
    return measure_in_child(__file__, backend, "--point", json.dumps(point))


@project_look()
def draw(lines: list[Point], path: Path) -> None:
    """Time along all axes, and memory along those of the tables."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 8), layout="constrained")
    panels = figure.subplots(2, 3).flat
    for axes, (quantity, axis) in zip(panels, PANELS, strict=True):
        draw_panel(axes, lines, axis, quantity)
    figure.axes[0].legend()
    figure.suptitle(
        f"DeepFM with CowClip, batch {BATCH_SIZE:,}, {lines[0]['hardware']}; "
        "dashed: proportional"
    )
    figure.savefig(path)


def draw_panel(axes: Any, lines: list[Point], axis: str, quantity: str) -> None:
    others = [name for name in MIDDLE if name != axis]
    for backend in BACKENDS:
        chosen = sorted(
            (int(line[axis]), float(line[quantity]))
            for line in lines
            if line["backend"] == backend
            and all(int(line[name]) == MIDDLE[name] for name in others)
        )
        if not chosen:
            continue
        x, y = zip(*chosen, strict=True)
        (drawn,) = axes.plot(x, y, "o-", label=backend)
        middle = dict(chosen)[MIDDLE[axis]]
        axes.plot(
            x,
            [middle * value / MIDDLE[axis] for value in x],
            "--",
            color=drawn.get_color(),
            alpha=0.35,
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log", base=2)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,.4g}")
    axes.tick_params(axis="x", labelsize=9)
    axes.set_xlabel(axis)
    axes.set_ylabel(LABELS[quantity])


if __name__ == "__main__":
    main()
