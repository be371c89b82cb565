"""Trains networks on synthetic logs in which something was planted.

    python benchmarks/planted_truth.py interests
    python benchmarks/planted_truth.py labels

`interests`: a click depends on how the item relates to the history. The study
compares networks that see the mean of a history with networks that compare its
events with the item. `labels`: a purchase follows from a click. The study
compares networks for both labels with two networks for one label each. The true
probabilities are known, and with them the AUC that no network can beat.

Writes `<study>.csv`, `<study>.md` and `<study>.png` to
`benchmarks/results/planted_truth`. A run that the CSV has is not repeated.
"""

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

from matplotlib.figure import Figure

import zoo
from zoo.datasets import synthetic
from zoo.runtime.environment import describe_environment

sys.path.insert(0, str(Path(__file__).parent / "speed"))

from figure_look import project_look
from result_lines import append
from result_lines import measured_with
from result_lines import read

RESULTS = Path(__file__).parent / "results" / "planted_truth"
SEEDS = (0, 1, 2)
LOG = {"rows": 600_000, "history": 20}
# Found with DIN and seed 3: two epochs at 1e-3 learn no interest yet, and
# without the l2 the vectors of users and items overfit.
RECIPE = {
    "batch_size": 1024,
    "epochs": 3,
    "learning_rate": 5e-3,
    "embedding_learning_rate": 5e-3,
    "embedding_l2": 1e-5,
    "embedding_deviation": 0.1,
    "embedding_dim": 8,
    "hidden_units": (64, 32),
    "warmup_epochs": 0.0,
    "decay": "cosine",
}
# A transformer adds vectors to those of the events' places. If they are small,
# it learns no interest. Found with seed 3 as well.
OTHERWISE: dict[str, dict[str, Any]] = {"bst": {"embedding_deviation": 1.0}}
ATTENTION = {"attention_units": (32, 16)}
TOWERS = {"tower_units": (32,)}
GATES = {**TOWERS, "gate_units": ()}
# A network for each label, trained on that label alone.
ALONE = "dnn, alone"
STUDIES: dict[str, dict[str, dict[str, Any]]] = {
    "interests": {
        "dnn": {},
        "deepfm": {},
        "din": ATTENTION,
        "dien": {"attention": "mlp", "softmax": False, **ATTENTION},
        # The last block's vector of the item. A mean of all places hides it.
        "bst": {"pooling": "target"},
    },
    "labels": {
        ALONE: {},
        "shared_bottom": TOWERS,
        "esmm": {},
        "mmoe": GATES,
        "ple": GATES,
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS)
    parser.add_argument("--rows", type=int, default=LOG["rows"])
    parser.add_argument("--networks", nargs="+")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    path = arguments.output / f"{arguments.study}.csv"
    networks = STUDIES[arguments.study]
    for seed in arguments.seeds:
        log = synthetic.make_log(
            **{**LOG, "rows": arguments.rows},
            seed=seed,
            purchase=arguments.study == "labels",
        )
        for name in arguments.networks or networks:
            done = {(line["network"], line["seed"]) for line in read(path)}
            if (name, str(seed)) in done:
                continue
            for line in measure(name, networks[name], log, seed):
                append(line, path)
                print({key: line[key] for key in ("network", "label", "auc")})
    lines = read(path)
    table = markdown(lines)
    (arguments.output / f"{arguments.study}.md").write_text(table)
    draw(lines, arguments.output / f"{arguments.study}.png")
    print(table)


def measure(
    name: str, own: dict[str, Any], log: zoo.EncodedLog, seed: int
) -> list[dict[str, Any]]:
    """Returns a line for each label that the log has."""
    labels = log.schema.labels
    if name == ALONE:
        reports = {
            label: train("dnn", own, with_label(log, label), seed)
            for label in labels
        }
    else:
        report = train(name, own, log, seed)
        reports = {
            label: {**report, **report.get("labels", {label: {}})[label]}
            for label in labels
        }
    bayes, environment = log.bayes["test"], describe_environment()
    return [
        {
            "network": name,
            "label": label,
            "seed": seed,
            "auc": report["auc"],
            "log_loss": report["log_loss"],
            "bayes_auc": (bayes if len(labels) == 1 else bayes[label])["auc"],
            "seconds": round(report["seconds"], 1),
            "rows": sum(map(len, log.splits.values())),
            "backend": environment["backend"],
            **measured_with(environment),
        }
        for label, report in reports.items()
    ]


def train(
    name: str, own: dict[str, Any], log: zoo.EncodedLog, seed: int
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        return zoo.train(
            log,
            Path(folder) / "run",
            model=name,
            network=own,
            seed=seed,
            verbose=0,
            **{**RECIPE, **OTHERWISE.get(name, {})},
        )


def with_label(log: zoo.EncodedLog, label: str) -> zoo.EncodedLog:
    """Returns the log with one of its labels alone."""
    config = {**log.schema.get_config(), "label": label}
    place = config.pop("labels").index(label)
    schema = zoo.FeatureSchema.from_config(config)
    splits = {
        name: zoo.Split(split.inputs, split.labels[:, place].copy())
        for name, split in log.splits.items()
    }
    bayes = {name: of[label] for name, of in log.bayes.items()}
    return dataclasses.replace(log, schema=schema, splits=splits, bayes=bayes)


def grouped(lines: list[dict[str, Any]]) -> dict[tuple[str, str], list[Any]]:
    """The lines of each network and label."""
    found: dict[tuple[str, str], list[Any]] = {}
    for line in lines:
        found.setdefault((line["label"], line["network"]), []).append(line)
    return found


def markdown(lines: list[dict[str, Any]]) -> str:
    """A row for each label and network: means over the seeds."""
    first = lines[0]
    text = [
        "AUC on the test split, mean of the seeds and half their range; each "
        "seed is another log. "
        f"{first['rows']} rows, {first['backend']}, {first['hardware']}, "
        f"{first['versions']}.",
        "",
        "| label | network | AUC | below the best possible | log-loss | "
        "seeds |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for (label, network), of in grouped(lines).items():
        aucs = [float(line["auc"]) for line in of]
        lost = mean(float(r["bayes_auc"]) - float(r["auc"]) for r in of)
        loss = mean(float(line["log_loss"]) for line in of)
        spread = (max(aucs) - min(aucs)) / 2
        text.append(
            f"| {label} | {network} | {mean(aucs):.4f} ± {spread:.4f} | "
            f"{lost:.4f} | {loss:.4f} | {len(of)} |"
        )
    return "\n".join([*text, ""])


@project_look()
def draw(lines: list[dict[str, Any]], path: Path) -> None:
    """A panel for each label: how far each network is from the best."""
    groups = grouped(lines)
    labels = list(dict.fromkeys(label for label, _ in groups))
    figure = Figure(figsize=(1 + 4.8 * len(labels), 3.6), layout="constrained")
    panels = figure.subplots(1, len(labels), squeeze=False)[0]
    for panel, label in zip(panels, labels, strict=True):
        names = [network for of, network in groups if of == label][::-1]
        for place, name in enumerate(names):
            of = groups[label, name]
            aucs = [float(line["auc"]) for line in of]
            panel.plot(aucs, [place] * len(aucs), "o", color="C0")
        best = mean(float(r["bayes_auc"]) for r in groups[label, names[0]])
        panel.axvline(best, color="gray", linestyle="--")
        panel.set_yticks(range(len(names)), names)
        panel.set(title=label, xlabel="test AUC; dashed: the best possible")
    figure.savefig(path)


if __name__ == "__main__":
    main()
