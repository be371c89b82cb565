"""Measures what a long history costs: a training step's time and memory.

    python benchmarks/speed/long_histories.py --backends jax torch

A point is a process in which a network trains with `CowClip()` under `fit` on
rows that all have a full history, of items and their categories. Peak memory is
that of the process, or of the accelerator, and beyond what it was before the
network was made. Writes `long_histories.csv`, `.md` and `.png` to
`benchmarks/results/speed`, and replaces points that are measured again.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import median
from typing import Any

from child import measure_in_child
from figure_look import project_look
from result_lines import measured_with
from result_lines import merge
from result_lines import read

RESULTS = Path(__file__).parents[1] / "results" / "speed"
BACKENDS = ("tensorflow", "jax", "torch")
NETWORKS = ("din", "sim", "eta", "sdim", "twin")
LENGTHS = (50, 200, 1000)
SIZES = {
    "batch_size": 1024,
    "embedding_dim": 16,
    "items": 100_000,
    "categories": 1000,
}
KEY = ("backend", "network", "length", "batch_size", "embedding_dim")

Point = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backends", nargs="+", default=BACKENDS)
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--lengths", nargs="+", type=int, default=LENGTHS)
    for name, size in SIZES.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=int, default=size)
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--window-seconds", type=float, default=1.0)
    parser.add_argument("--output", type=Path, default=RESULTS)
    # Of the process that measures one point.
    parser.add_argument("--point", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.point:
        print(json.dumps(measure(**arguments.point)))
        return
    from rich.progress import track

    path = arguments.output / "long_histories.csv"
    wanted = [
        (backend, name, length)
        for backend in arguments.backends
        for length in arguments.lengths
        for name in arguments.networks
    ]
    failed = []
    for backend, name, length in track(wanted, "Measuring"):
        try:
            line = measured_line(backend, name, length, arguments)
        except RuntimeError as error:
            failed.append(str(error))
            continue
        merge([line], path, KEY)
    lines = read(path)
    (arguments.output / "long_histories.md").write_text(markdown(lines))
    draw(lines, arguments.output / "long_histories.png")
    print(markdown(lines))
    if failed:
        raise SystemExit("\n".join(failed))


def measured_line(
    backend: str, name: str, length: int, arguments: argparse.Namespace
) -> dict[str, Any]:
    sizes = {size: getattr(arguments, size) for size in SIZES}
    point = {
        "network": name,
        "length": length,
        "windows": arguments.windows,
        "window_seconds": arguments.window_seconds,
        **sizes,
    }
    report = measure_in_child(__file__, backend, "--point", json.dumps(point))
    return {
        "backend": backend,
        "network": name,
        "length": length,
        **sizes,
        "step_ms": f"{median(report['step_ms']):.1f}",
        "slowest_ms": f"{max(report['step_ms']):.1f}",
        "peak_mib": round(report["peak_mib"]),
        "mib_of_training": round(report["peak_mib"] - report["start_mib"]),
        **measured_with(report),
    }


def measure(
    network: str,
    length: int,
    batch_size: int,
    embedding_dim: int,
    items: int,
    categories: int,
    windows: int,
    window_seconds: float,
) -> Point:
    import zoo  # Before Keras, see `zoo.keep_freed_memory`.

    # isort: split
    import keras
    import numpy as np

    from keras_cowclip import CowClip
    from zoo.registry import NETWORKS
    from zoo.runtime.accelerator import peak_memory
    from zoo.runtime.environment import describe_environment

    zoo.keep_freed_memory()
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    sizes = {"item": items, "category": categories, "user": items}
    schema = zoo.FeatureSchema(
        [],
        sizes,
        sequences={
            "items": zoo.Sequence("item", max_length=length),
            "categories": zoo.Sequence(
                "category", max_length=length, parallel_to="items"
            ),
        },
    )

    def ids(size, places):
        drawn = random.random((batch_size, places)) ** 4 * size
        return drawn.astype("int32")

    batch = {
        "dense": np.zeros((batch_size, 0), "float32"),
        "ids": np.concatenate([ids(n, 1) for n in sizes.values()], axis=1),
        "items": ids(items, length),
        "categories": ids(categories, length),
    }
    clicks = (random.random((batch_size, 1)) < 0.25).astype("float32")
    start = peak_memory()
    model = NETWORKS[network](schema, embedding_dim=embedding_dim)
    model.compile(CowClip(), loss="binary_crossentropy")

    def seconds_of(steps):
        rows = {
            name: np.resize(array, (steps * batch_size, *array.shape[1:]))
            for name, array in batch.items()
        }
        labels = np.resize(clicks, (steps * batch_size, 1))
        start = time.perf_counter()
        model.fit(rows, labels, batch_size=batch_size, shuffle=False, verbose=0)
        return time.perf_counter() - start

    # The first step compiles.
    seconds_of(1)
    steps = min(64, max(2, round(window_seconds / (seconds_of(2) / 2))))
    return {
        **describe_environment(),
        "step_ms": [1e3 * seconds_of(steps) / steps for _ in range(windows)],
        "start_mib": start / 2**20,
        "peak_mib": peak_memory() / 2**20,
    }


def markdown(lines: list[dict[str, Any]]) -> str:
    """A row for each backend and network."""
    lengths = sorted({int(line["length"]) for line in lines})
    found = {
        (line["backend"], line["network"], int(line["length"])): line
        for line in lines
    }
    text = [
        "Milliseconds of a training step with `CowClip` in `fit`, and MiB that "
        "training takes beyond the start of its process, by the length of a "
        "history of items and categories.",
        "",
        f"| backend | network | {' | '.join(map(str, lengths))} |",
        "|---|---|" + "---:|" * len(lengths),
    ]
    for backend, name in dict.fromkeys(each[:2] for each in found):
        cells = []
        for length in lengths:
            line = found.get((backend, name, length))
            cells.append(
                f"{line['step_ms']} ms, {line['mib_of_training']} MiB"
                if line
                else ""
            )
        text.append(f"| {backend} | {name} | {' | '.join(cells)} |")
    setups = {
        f"batch {line['batch_size']}, embedding_dim {line['embedding_dim']}; "
        f"{line['date']}; {line['hardware']}; {line['versions']}"
        for line in lines
    }
    return "\n".join([*text, "", *sorted(setups), ""])


@project_look()
def draw(lines: list[dict[str, Any]], path: Path) -> None:
    """Time and memory against the length, a column for each backend."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    backends = sorted({line["backend"] for line in lines})
    names = sorted({line["network"] for line in lines})
    lengths = sorted({int(line["length"]) for line in lines})
    panels = {
        "step_ms": "training step, ms",
        "mib_of_training": "MiB of training",
    }
    figure = Figure(
        figsize=(1.5 + 4.2 * len(backends), 7.5), layout="constrained"
    )
    axes = figure.subplots(
        len(panels), len(backends), sharex=True, sharey="row", squeeze=False
    )
    for row, (value, label) in zip(axes, panels.items(), strict=True):
        row[0].set_ylabel(label)
        for axis, backend in zip(row, backends, strict=True):
            for i, name in enumerate(names):
                points = sorted(
                    (int(line["length"]), float(line[value]))
                    for line in lines
                    if (line["backend"], line["network"]) == (backend, name)
                )
                axis.plot(
                    [length for length, _ in points],
                    [measured for _, measured in points],
                    "o-",
                    color=f"C{i}",
                    label=name,
                )
            axis.set_xscale("log")
            axis.set_yscale("log")
            axis.set_xticks(lengths, map(str, lengths))
            axis.set_xticks([], minor=True)
            axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.yaxis.set_major_formatter("{x:g}")
            axis.yaxis.set_minor_formatter("")
    for axis, backend in zip(axes[0], backends, strict=True):
        axis.set_title(backend)
    for axis in axes[-1]:
        axis.set_xlabel("events of a history")
    axes[0, 0].legend()
    figure.savefig(path)


if __name__ == "__main__":
    main()
