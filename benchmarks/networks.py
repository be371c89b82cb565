"""Trains each network on a log, at a small batch and at 64 times that.

    KERAS_BACKEND=jax python benchmarks/networks.py gowalla
    KERAS_BACKEND=jax python benchmarks/networks.py synthetic --seeds 0 1 2

All networks of a log have one protocol: its recipe in `LOGS`, the defaults of
their classes, and at both batches the same cosine and averaged weights. The
metrics are those of the test split at the epoch with the best validation AUC,
as early stopping would have them. Each run has a process of its own, which says
what memory it took at its peak.

A network may need another l2 of its tables than its neighbours, as in every
published benchmark:

    KERAS_BACKEND=jax python benchmarks/networks.py gowalla \\
        --networks fm ffm --embedding-l2 0

The table has each network's l2 with the best validation AUC at the small batch.
The large batch takes the same l2: nothing is tuned at it.

Writes a line for each run to `docs/networks/networks.csv`, and a page with a
table and a figure for each log. A run that the CSV has is not repeated. A
network that needs what a log lacks, such as a history, is named and left out.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import zoo  # Before Keras, see `zoo.keep_freed_memory`.

# isort: split
import keras
import planted_truth
import scaling
from matplotlib.figure import Figure
from rich.progress import track

from zoo.datasets import synthetic
from zoo.registry import NAMES
from zoo.registry import NETWORKS
from zoo.runtime.accelerator import peak_memory
from zoo.runtime.environment import describe_environment
from zoo.training.checkpoints import Checkpoints
from zoo.training.result_columns import compared
from zoo.training.run import Run

sys.path.append(str(Path(__file__).parent / "speed"))

from child import measure_in_child
from figure_look import project_look
from result_lines import append
from result_lines import measured_with
from result_lines import read

RESULTS = Path(__file__).parents[1] / "docs" / "networks"
BATCHES: dict[str, dict[str, Any]] = {
    "1K": {"rule": "cowclip", "batch_size": 1024},
    "64K": {
        "rule": "frequency",
        "batch_size": 8192,
        "embedding_batch_size": 65_536,
    },
}
# For a network that loses at the large batch; its runs are in the CSV alone.
BETWEEN = {"8K": {"rule": "frequency", "batch_size": 8192}}
COLORS = {"1K": "C6", "64K": "C0"}
# The AUC that the figure's axis spans: with more, the best would look alike.
SHOWN_AUC = 0.03
Line = dict[str, Any]
# Network, batch, l2 of the tables at the small batch, seed.
RunKey = tuple[str, str, float, int]


def _gowalla(folder: Path) -> zoo.EncodedLog:
    return scaling.gowalla(scaling.SAMPLES / "gowalla", folder)


def _synthetic(folder: Path) -> zoo.EncodedLog:
    return synthetic.make_log(rows=2_000_000, max_vocabulary=50_000)


def _histories(folder: Path) -> zoo.EncodedLog:
    return synthetic.make_log(rows=1_500_000, history=20)


# Of each log: how it is made, its recipe, and the field whose gAUC is measured.
LOGS: dict[str, tuple[Callable[[Path], Any], dict[str, Any], str | None]] = {
    "gowalla": (
        _gowalla,
        {**scaling.GOWALLA, **scaling.DECAYS["cosine of the same mean"]},
        "user",
    ),
    "synthetic": (
        _synthetic,
        {
            **scaling.SYNTHETIC,
            **scaling.SYNTHETIC_DECAYS["cosine of the same mean"],
            "epochs": 3,
        },
        None,
    ),
    "histories": (_histories, planted_truth.RECIPE, None),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("log", choices=LOGS)
    parser.add_argument("--networks", nargs="+", default=NAMES, choices=NAMES)
    parser.add_argument(
        "--batches", nargs="+", default=BATCHES, choices={**BATCHES, **BETWEEN}
    )
    parser.add_argument(
        "--embedding-l2", nargs="+", type=float, default=(1e-5,)
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=(0,))
    parser.add_argument("--output", type=Path, default=RESULTS)
    # Of the process that trains one network.
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.train:
        print(json.dumps(train(arguments)))
        return
    path = arguments.output / "networks.csv"
    failed = []
    for run in track(_missing(arguments, path), "Training"):
        network, batch, embedding_l2, seed = run
        try:
            line = measure_in_child(
                __file__,
                keras.backend.backend(),
                *(arguments.log, "--train", "--networks", network),
                *("--batches", batch, "--seeds", str(seed)),
                *("--embedding-l2", str(embedding_l2)),
            )
        except RuntimeError as error:
            failed.append(f"{run}: {error}")
            continue
        append(line, path)
    lines = [
        line
        for line in read(path)
        if line["log"] == arguments.log and line["batch"] in BATCHES
    ]
    if lines:
        table = markdown(lines)
        (arguments.output / f"{arguments.log}.md").write_text(table)
        draw(lines, arguments.output / f"{arguments.log}.png")
        print(table)
    if failed:
        raise SystemExit("\n".join(failed))


def _missing(arguments: argparse.Namespace, path: Path) -> list[RunKey]:
    """Returns the runs that the CSV lacks, without the networks left out."""
    done = {
        (
            line["network"],
            line["batch"],
            float(line["embedding_l2"]),
            int(line["seed"]),
        )
        for line in read(path)
        if line["log"] == arguments.log
    }
    runs = [
        (name, batch, embedding_l2, seed)
        for seed in arguments.seeds
        for name in arguments.networks
        for embedding_l2 in arguments.embedding_l2
        for batch in arguments.batches
    ]
    runs = [run for run in runs if run not in done]
    left_out = _left_out({name for name, *_ in runs}, arguments.log)
    return [run for run in runs if run[0] not in left_out]


def _left_out(names: set[str], log: str) -> set[str]:
    """Returns the networks that the log lacks something for, and prints it."""
    if not names:
        return set()
    make, _, _ = LOGS[log]
    with tempfile.TemporaryDirectory() as folder:
        config = make(Path(folder)).schema.get_config()
    # Some have a table for each pair of fields, and these are not trained here.
    config["categorical"] = [[name, 2] for name, _ in config["categorical"]]
    schema = zoo.FeatureSchema.from_config(config)
    found = set()
    for name in sorted(names):
        try:
            NETWORKS[name](schema)
        except ValueError as error:
            print(f"{name} is left out: {error}")
            found.add(name)
    return found


def train(arguments: argparse.Namespace) -> Line:
    """Trains one network in this process and returns its line."""
    zoo.keep_freed_memory()
    make, _, group_by = LOGS[arguments.log]
    [network], [batch] = arguments.networks, arguments.batches
    [embedding_l2], [seed] = arguments.embedding_l2, arguments.seeds
    settings = settings_of(arguments.log, batch, embedding_l2, seed)
    recipe = zoo.Recipe(model=network, **settings)
    with tempfile.TemporaryDirectory() as folder:
        run = Run.begin(make(Path(folder)), recipe, group_by=group_by)
        place = Path(folder) / "checkpoints"
        with Checkpoints(place, run.identity()) as checkpoints:
            run.fit(checkpoints, evaluate_best_epoch=True, verbose=0)
        report = run.report()
    row, history = report.row(), report.history
    environment = describe_environment()
    return {
        "log": arguments.log,
        "network": network,
        "batch": batch,
        "rule": recipe.rule,
        "embedding_l2": embedding_l2,
        "seed": seed,
        "auc": compared(row, "auc"),
        "log_loss": compared(row, "log_loss"),
        "validation_auc": max(history["val_auc"]),
        "gauc": history.get(f"best_epoch_gauc_{group_by}", [""])[-1],
        "bayes_auc": row["bayes_auc"] or "",
        "best_epoch": row["best_epoch"],
        "epochs": recipe.epochs,
        "parameters": run.network.count_params(),
        "samples_per_second": round(report.samples_per_second),
        "seconds": round(report.seconds, 1),
        "peak_mib": round(peak_memory() / 2**20),
        "backend": environment["backend"],
        **measured_with(environment),
    }


def settings_of(
    log: str, batch: str, embedding_l2: float, seed: int
) -> dict[str, Any]:
    """Returns the settings of a run's recipe, but for the network."""
    _, settings, _ = LOGS[log]
    return {
        **settings,
        **{**BATCHES, **BETWEEN}[batch],
        "embedding_l2": embedding_l2,
        "seed": seed,
        "average": "ema",
    }


def by_network(lines: list[Line]) -> dict[str, dict[str, list[Line]]]:
    """Returns the runs by network and batch, the best at 64K first."""
    chosen = chosen_l2(lines)
    found: dict[str, dict[str, list[Line]]] = {}
    for line in lines:
        if line["embedding_l2"] != chosen[line["network"]]:
            continue
        of = found.setdefault(line["network"], {})
        of.setdefault(line["batch"], []).append(line)
    order = sorted(found, key=lambda name: _auc(found[name], "64K"))
    return {name: found[name] for name in order[::-1]}


def chosen_l2(lines: list[Line]) -> dict[str, str]:
    """Returns each network's l2, by validation AUC at the small batch."""
    small = next(iter(BATCHES))
    found: dict[str, dict[tuple[bool, str], list[float]]] = {}
    for line in lines:
        of = found.setdefault(line["network"], {})
        key = line["batch"] == small, line["embedding_l2"]
        of.setdefault(key, []).append(float(line["validation_auc"]))
    return {
        name: max(aucs, key=lambda key: (key[0], mean(aucs[key])))[1]
        for name, aucs in found.items()
    }


def _auc(batches: dict[str, list[Line]], batch: str) -> float:
    runs = batches.get(batch, [])
    return mean(float(run["auc"]) for run in runs) if runs else 0.0


def markdown(lines: list[Line]) -> str:
    """A page: a row for each network, and the figure."""
    bayes = {line["bayes_auc"] for line in lines} - {""}
    best = f" The best possible AUC is {float(*bayes):.4f}." if bayes else ""
    log = lines[0]["log"]
    text = [
        f"# Networks on {log}",
        "",
        f"Test split, at the epoch of the best "
        "validation AUC, averaged weights, cosine. ± is half the range over "
        f"seeds where there are several.{best} {lines[0]['backend']}, "
        f"{lines[0]['hardware']}, {lines[0]['versions']}.",
        "",
        "| network | l2 | AUC, 1K | AUC, 64K | 64K - 1K | log-loss, 1K | "
        "log-loss, 64K | gAUC, 64K | parameters | samples/s, 64K | MiB, 64K |",
        "|---|" + "---:|" * 10,
    ]
    for name, batches in by_network(lines).items():
        cells = [_mean_of(batches.get(batch, []), "auc") for batch in BATCHES]
        both = all(batch in batches for batch in BATCHES)
        gain = _auc(batches, "64K") - _auc(batches, "1K")
        cells.append(f"{gain:+.4f}" if both else "")
        cells += [
            _mean_of(batches.get(batch, []), "log_loss") for batch in BATCHES
        ]
        runs = batches.get("64K", [])
        grouped = runs and runs[0]["gauc"]
        cells.append(_mean_of(runs, "gauc") if grouped else "")
        cells += [
            _mean_number(runs, column)
            for column in ("parameters", "samples_per_second", "peak_mib")
        ]
        l2 = next(iter(batches.values()))[0]["embedding_l2"]
        text.append(f"| {name} | {l2} | {' | '.join(cells)} |")
    return "\n".join([*text, "", f"![AUC of each network]({log}.png)", ""])


def _mean_number(runs: list[Line], column: str) -> str:
    # A run that shared its core with others has no rate.
    values = [float(run[column]) for run in runs if run[column] != ""]
    return f"{mean(values):,.0f}" if values else ""


def _mean_of(runs: list[Line], column: str) -> str:
    values = [float(run[column]) for run in runs]
    if not values:
        return ""
    spread = (max(values) - min(values)) / 2
    text = f"{mean(values):.4f}"
    return f"{text} ± {spread:.4f}" if len(values) > 1 else text


@project_look()
def draw(lines: list[Line], path: Path) -> None:
    """A dot for each run, the best network on top."""
    networks = by_network(lines)
    figure = Figure(
        figsize=(8.5, 1.4 + 0.25 * len(networks)), layout="constrained"
    )
    axis = figure.subplots()
    left = max(float(line["auc"]) for line in lines) - SHOWN_AUC
    for place, batches in enumerate(reversed(networks.values())):
        for batch, runs in batches.items():
            for auc in (float(run["auc"]) for run in runs):
                is_far = auc < left
                axis.plot(
                    *(left if is_far else auc, place, "<" if is_far else "o"),
                    color=COLORS[batch],
                    alpha=0.8,
                )
    for batch, color in COLORS.items():
        axis.plot([], [], "o", color=color, label=f"batch {batch}")
    axis.plot([], [], "<", color="black", label="further left")
    if lines[0]["bayes_auc"]:
        axis.axvline(
            float(lines[0]["bayes_auc"]),
            color="gray",
            linestyle="--",
            label="the best possible",
        )
    axis.set_yticks(range(len(networks)), list(networks)[::-1])
    axis.margins(y=0.01)
    axis.set_xlabel("AUC on the test split")
    figure.legend(loc="outside lower center", ncols=4)
    figure.savefig(path)


if __name__ == "__main__":
    main()
