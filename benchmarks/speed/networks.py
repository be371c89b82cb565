"""Measures a training step of each network, and its original's beside it.

    python benchmarks/speed/networks.py --fuxictr FuxiCTR

A batch of 8192 rows (2048 beside the original) with 39 columns and a million
ids, a process for each network and backend. `step_ms` is a whole step of `fit`
with `CowClip`. With the folder of FuxiCTR's repository, `forward_backward_ms`
compares the two implementations of one network on PyTorch, in turn in one
process: see `network_pair.py`. Writes `networks.csv`, `networks.png` and
`networks.md` to `benchmarks/results/speed`. Lines that are measured again are
replaced; with `--missing` only missing ones are measured.
"""

import argparse
from pathlib import Path
from statistics import median
from typing import Any

from child import measure_in_child
from figure_look import project_look
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from network_pair_settings import SETTINGS
from result_lines import measured_with
from result_lines import merge
from result_lines import read
from rich.progress import track

from zoo.registry import NAMES

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results" / "speed"
BACKENDS = ("tensorflow", "jax", "torch")
COLORS = {"tensorflow": "C4", "jax": "C0", "torch": "C1"}

Line = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", default=NAMES, choices=NAMES)
    parser.add_argument("--backends", nargs="*", default=BACKENDS)
    parser.add_argument(
        "--fuxictr", type=Path, help="folder of FuxiCTR's repository"
    )
    parser.add_argument("--batch-size", type=int, default=8192)
    parser.add_argument(
        "--pair-batch-size",
        type=int,
        default=2048,
        help="of the pairs; some originals need tens of GB for 8192 rows",
    )
    parser.add_argument("--num-ids", type=int, default=1_000_000)
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--window-seconds", type=float, default=1.0)
    parser.add_argument(
        "--missing", action="store_true", help="measure only what is missing"
    )
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    path = arguments.output / "networks.csv"
    work = [
        (name, backend)
        for name in arguments.networks
        for backend in arguments.backends
    ]
    if arguments.fuxictr is not None:
        work += [
            (name, "FuxiCTR") for name in arguments.networks if name in SETTINGS
        ]
    if arguments.missing:
        done = {(line["network"], line["measured"]) for line in read(path)}
        work = [each for each in work if each not in done]
    failed = []
    for name, measured in track(work, "Measuring"):
        line = {"network": name, "measured": measured}
        try:
            line |= measure(name, measured, arguments)
        except RuntimeError as error:
            failed.append(f"{name} with {measured}: {error}")
            continue
        merge([line], path, ("network", "measured"))
    lines = read(path)
    (arguments.output / "networks.md").write_text(markdown(lines))
    draw(lines, arguments.output / "networks.png")
    print(markdown(lines))
    if failed:
        raise SystemExit("\n".join(failed))


def measure(name: str, measured: str, arguments: argparse.Namespace) -> Line:
    is_pair = measured == "FuxiCTR"
    batch_size = arguments.pair_batch_size if is_pair else arguments.batch_size
    of_all = [
        *("--batch-size", str(batch_size)),
        *("--num-ids", str(arguments.num_ids)),
        *("--windows", str(arguments.windows)),
        *("--window-seconds", str(arguments.window_seconds)),
    ]
    if is_pair:
        report = measure_in_child(
            *(str(HERE / "network_pair.py"), "torch", name),
            *("--fuxictr", str(arguments.fuxictr), *of_all),
        )
        times = report["step_ms"]
        ratios = [
            ours / original
            for ours, original in zip(
                times["ours"], times["original"], strict=True
            )
        ]
        return {
            "step_ms": "",
            "forward_backward_ms": f"{median(times['ours']):.1f}",
            "original_ms": f"{median(times['original']):.1f}",
            "ratio": f"{median(ratios):.2f}",
            "batch_size": batch_size,
            "parameters": report["parameters"],
            "peak_mib": "",
            **measured_with(report),
        }
    report = measure_in_child(
        *(str(HERE / "cell.py"), measured, "--model", name),
        *("--optimizers", "cowclip", *of_all),
    )
    [contestant] = report["contestants"]
    return {
        "step_ms": f"{median(contestant['step_ms']):.1f}",
        "forward_backward_ms": "",
        "original_ms": "",
        "ratio": "",
        "batch_size": batch_size,
        "parameters": report["parameters"],
        "peak_mib": round(report["peak_mib"]),
        **measured_with(report),
    }


def markdown(lines: list[Line]) -> str:
    """A row for each network."""
    found = {(line["network"], line["measured"]): line for line in lines}
    names = sorted({line["network"] for line in lines})
    columns = [*BACKENDS, "ours / original"]
    text = [
        "Milliseconds of a training step of 8192 rows with `CowClip` in `fit`, "
        "with the network's defaults, and of forward and backward of 2048 "
        "rows on PyTorch beside the original of FuxiCTR (below 1: ours is "
        "faster). Parameters in millions, memory of the PyTorch process at "
        "its peak in MiB.",
        "",
        f"| network | {' | '.join(columns)} | parameters | memory |",
        "|---|" + "---:|" * (len(columns) + 2),
    ]
    for name in names:
        cells = [
            found.get((name, backend), {}).get("step_ms", "")
            for backend in BACKENDS
        ]
        pair = found.get((name, "FuxiCTR"), {})
        torch = found.get((name, "torch"), {})
        ratio = ""
        if pair:
            ratio = (
                f"{pair['forward_backward_ms']} / {pair['original_ms']} = "
                f"{pair['ratio']}"
            )
        parameters = (torch or pair).get("parameters", "")
        millions = f"{int(parameters) / 1e6:.2f}" if parameters else ""
        row = [*cells, ratio, millions, torch.get("peak_mib", "")]
        text.append(f"| {name} | {' | '.join(map(str, row))} |")
    hardware = {f"{line['hardware']}; {line['versions']}" for line in lines}
    return "\n".join([*text, "", *sorted(hardware), ""])


@project_look()
def draw(lines: list[Line], path: Path) -> None:
    """The step of each network on each backend, and the ratio of the pair."""
    steps = {
        (line["network"], line["measured"]): float(line["step_ms"])
        for line in lines
        if line["step_ms"]
    }
    pairs = {
        line["network"]: float(line["ratio"]) for line in lines if line["ratio"]
    }
    names = sorted({line["network"] for line in lines}, reverse=True)
    figure = Figure(figsize=(11, 1.6 + 0.25 * len(names)), layout="constrained")
    # No panel is empty.
    panels = [_draw_ratios] if not steps else [_draw_steps, _draw_ratios]
    panels = panels if pairs else panels[:1]
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for panel, axis in zip(panels, axes, strict=True):
        panel(axis, names, steps if panel is _draw_steps else pairs)
        axis.set_yticks(range(len(names)), names)
    figure.savefig(path)


def _draw_steps(axis: Axes, names: list[str], steps: dict) -> None:
    for backend in BACKENDS:
        known = [name for name in names if (name, backend) in steps]
        axis.plot(
            [steps[name, backend] for name in known],
            [names.index(name) for name in known],
            "o",
            color=COLORS[backend],
            label=backend,
        )
    axis.set_xscale("log")
    axis.set_xlabel("training step of 8192 rows, ms")
    axis.legend(loc="lower right")


def _draw_ratios(axis: Axes, names: list[str], pairs: dict) -> None:
    known = [name for name in names if name in pairs]
    axis.plot(
        [pairs[name] for name in known],
        [names.index(name) for name in known],
        "o",
        color="black",
    )
    axis.axvline(1, color="gray")
    axis.set_xscale("log")
    axis.set_xlabel("forward and backward on PyTorch: ours / FuxiCTR's")


if __name__ == "__main__":
    main()
