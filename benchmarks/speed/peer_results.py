"""Collects the results of `peers.py`; makes a table and a figure of them."""

from collections import defaultdict
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from figure_look import project_look
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from zoo.runtime.environment import describe_environment

Line = dict[str, Any]
KEY = ("contestant", "way", "backend", "precision", "batch_size", "num_ids")
OURS = "zoo.DeepFM"
COLORS = {OURS: "C0", "plain Keras": "C5"}
OTHERS_COLOR = "C6"
# The plain contestant: full precision, every row updated.
DENSE = {"way": "CowClip", "precision": "float32"}


class Results:
    """Collects the reports of processes over the rounds."""

    def __init__(self, num_ids: int):
        self.num_ids = num_ids
        self.step_ms: dict[tuple, list[list[float]]] = defaultdict(list)
        self.not_run: dict[tuple, str] = {}
        self.versions: dict[tuple, str] = {}

    def add(self, batch_size: int, process: Any, report: dict | str) -> None:
        for name, (contestant, way) in process.contestants.items():
            key = (
                *(contestant, way, process.backend, process.precision),
                *(batch_size, self.num_ids),
            )
            # A contestant that never runs has a line too.
            rounds = self.step_ms[key]
            if isinstance(report, str):
                self.not_run[key] = report
                continue
            self.versions[key] = " ".join(
                f"{name} {version}"
                for name, version in report["versions"].items()
            )
            rounds.extend(
                each["step_ms"]
                for each in report["contestants"]
                if each["name"] == name
            )

    def lines(self) -> list[Line]:
        return [self._line(key) for key in self.step_ms]

    def _line(self, key: tuple) -> Line:
        line = dict(zip(KEY, key, strict=True))
        rounds = self.step_ms[key]
        times = [ms for each in rounds for ms in each]
        rates = [1e3 * line["batch_size"] / ms for ms in times]
        missing = self.not_run.get(key, "its process did not measure it")
        return {
            **line,
            "samples_per_second": round(median(rates)) if rates else "",
            "samples_per_second_best": round(max(rates)) if rates else "",
            "step_ms": f"{median(times):.2f}" if times else "",
            "rounds": len(rounds),
            "windows": len(times),
            "date": date.today().isoformat(),
            "hardware": describe_environment()["hardware"],
            "versions": self.versions.get(key, ""),
            "not_run": "" if times else missing,
        }


def _label(line: Line) -> tuple[str, ...]:
    precision = {"float32": "fp32", "mixed_bfloat16": "bf16"}
    return (
        *(line["contestant"], line["way"], line["backend"]),
        precision.get(line["precision"], line["precision"]),
    )


def _by_batch(lines: list[Line]) -> dict[tuple[int, int], dict[tuple, Line]]:
    """Of each number of ids and batch size, the line of each contestant."""
    cells: dict[tuple[int, int], dict[tuple, Line]] = defaultdict(dict)
    for line in lines:
        batch = int(line["num_ids"]), int(line["batch_size"])
        cells[batch][_label(line)] = line
    return dict(sorted(cells.items()))


def markdown(lines: list[Line]) -> str:
    """Samples a second: the median and, in brackets, the best window."""
    cells = _by_batch(lines)
    many_ids = len({ids for ids, _ in cells}) > 1
    heads = [
        f"{size:,}" + (f", {ids:,} ids" if many_ids else "")
        for ids, size in cells
    ]
    columns = list(cells.values())
    labels = {label for column in columns for label in column}
    rows = [
        [*label, *(_cell(column.get(label)) for column in columns)]
        for label in sorted(
            labels, key=lambda x: [-_rate(c, x) for c in columns]
        )
    ]
    for name, which in (("best", {}), ("fp32, dense", DENSE)):
        head_of_row = [f"**zoo.DeepFM, {name} / fastest peer**", "", "", ""]
        ratios = [_ratio(list(column.values()), which) for column in columns]
        rows.append([*head_of_row, *ratios])
    head = ["", "", "backend", "precision", *heads]
    rule = ["---"] * 4 + ["---:"] * len(heads)
    reasons = sorted({x["not_run"] for x in lines if x["not_run"]})
    table = "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))
    return "\n\n".join([table, *(f"Not run: {each}" for each in reasons)])


def _cell(line: Line | None) -> str:
    if line is None:
        return ""
    if line["not_run"]:
        return "not run"
    median_rate, best = (
        int(line[f"samples_per_second{which}"]) for which in ("", "_best")
    )
    return f"{median_rate:,} ({best:,})"


def _rate(column: dict[tuple, Line], label: tuple) -> int:
    return int(column.get(label, {}).get("samples_per_second") or 0)


def _ratio(lines: list[Line], which: dict[str, str]) -> str:
    """Of medians, and the fastest of each side."""
    ours = [
        int(line["samples_per_second"] or 0)
        for line in lines
        if line["contestant"] == OURS
        and all(line[name] == value for name, value in which.items())
    ]
    peers = [
        int(line["samples_per_second"] or 0)
        for line in lines
        if line["contestant"] not in COLORS
    ]
    if not max(ours, default=0) or not max(peers, default=0):
        return ""
    return f"{max(ours) / max(peers):.2f}"


@project_look()
def draw(lines: list[Line], path: Path) -> None:
    """A panel for each batch size: bars to the median, dots at the best."""
    cells = {
        batch: [line for line in column.values() if not line["not_run"]]
        for batch, column in _by_batch(lines).items()
    }
    most = max(map(len, cells.values()))
    height = max(2.2, 0.9 + 0.26 * most)
    figure = Figure(figsize=(11, len(cells) * height), layout="constrained")
    panels = figure.subplots(len(cells), squeeze=False)[:, 0]
    for axes, ((ids, size), column) in zip(panels, cells.items(), strict=True):
        column.sort(key=lambda line: int(line["samples_per_second"]))
        names = [", ".join(_label(line)) for line in column]
        rates = [int(line["samples_per_second"]) for line in column]
        best = [int(line["samples_per_second_best"]) for line in column]
        colors = [COLORS.get(x["contestant"], OTHERS_COLOR) for x in column]
        axes.barh(names, rates, color=colors)
        axes.plot(best, names, "k.")
        axes.grid(False, axis="y")
        axes.set_title(f"batch {size:,}, {ids:,} ids")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.tick_params(axis="y", labelsize=10)
    panels[-1].set_xlabel("samples a second: median, and a dot at the best")
    marks = {**COLORS, "other libraries": OTHERS_COLOR}
    panels[0].legend(
        handles=[Patch(color=c, label=name) for name, c in marks.items()],
        loc="lower right",
    )
    figure.suptitle(f"Training DeepFM, {lines[-1]['hardware']}")
    figure.savefig(path)
