"""Trains the presets of the synthetic log that are part of the package.

    KERAS_BACKEND=jax python benchmarks/built_in_presets.py

Writes the raw synthetic log (`zoo.datasets.synthetic.write_raw_log`), encodes
and splits it as a custom log, and trains a small network of each kind on it.
Saves them to `zoo/presets/built_in`, with their encoder, learning curves and
model card, in a few minutes on 2 cores. The last digits of the weights depend
on backend and versions, which the model cards name.
"""

import argparse
import contextlib
import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import zoo
from zoo.datasets import SYNTHETIC
from zoo.datasets import synthetic
from zoo.presets.folder import CARD_FILE
from zoo.presets.folder import METADATA_FILE
from zoo.training.training import REPORT_FILE

FOLDER = Path(__file__).parents[1] / "zoo" / "presets" / "built_in"
NETWORKS = ("dcn", "dcn_v2", "deepfm", "wide_deep")
LOG = {"rows": 600_000, "max_vocabulary": 300, "seed": 0}
# A tenth of the paper's width: files of a few hundred KB.
RECIPE = {
    "embedding_dim": 4,
    "hidden_units": (64, 32),
    "batch_size": 1024,
    "epochs": 10,
    "embedding_learning_rate": 1e-3,
    "decay": "cosine",
    "seed": 0,
}
NOTE = (
    "A small model of an artificial log, for trials without a network: it "
    "knows nothing of real clicks. Rows for it come from `zoo.datasets."
    f"synthetic.write_raw_log(path, max_vocabulary={LOG['max_vocabulary']})`."
)


def prepare_log(folder: Path, log: dict) -> zoo.EncodedLog:
    """Writes and encodes the log; its best possible metrics are known."""
    raw = folder / "synthetic.txt"
    synthetic.write_raw_log(raw, **log)
    zoo.prepare(
        SYNTHETIC,
        raw,
        folder / "encoded",
        split="sequential",
        test_fraction=0.1,
        validation_fraction=0.1,
        dense_transform="log",
    )
    raw.unlink()
    return replace(
        zoo.EncodedLog.load(folder / "encoded"),
        source=f"synthetic, {log}",
        bayes=synthetic.make_log(**log).bayes,
    )


def make_preset(
    log: zoo.EncodedLog,
    model: str,
    output: Path,
    recipe: dict[str, Any],
    note: str = NOTE,
    group_by: str | None = None,
) -> dict[str, Any]:
    """Trains and saves one network; returns its report."""
    report = zoo.train(log, output, model=model, group_by=group_by, **recipe)
    (output / REPORT_FILE).unlink()
    path = output / METADATA_FILE
    metadata = {**json.loads(path.read_text()), "note": note}
    path.write_text(json.dumps(metadata, indent=2) + "\n")
    write_card(output)
    return report


def write_card(output: Path) -> None:
    """Writes the model card of a preset that is named after its folder."""
    with contextlib.chdir(output.parent):
        card = zoo.model_card(output.name)
    (output / CARD_FILE).write_text(str(card))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=FOLDER)
    parser.add_argument(
        "--cards",
        action="store_true",
        help="write the model cards of existing presets, and train none",
    )
    parser.add_argument("--rows", type=int, default=LOG["rows"])
    parser.add_argument("--epochs", type=int, default=RECIPE["epochs"])
    arguments = parser.parse_args()
    if arguments.cards:
        for preset in sorted(arguments.output.glob("*/")):
            write_card(preset)
        return
    with tempfile.TemporaryDirectory() as folder:
        log = prepare_log(Path(folder), {**LOG, "rows": arguments.rows})
        for model in NETWORKS:
            output = arguments.output / f"{model}_synthetic"
            shutil.rmtree(output, ignore_errors=True)
            report = make_preset(
                log, model, output, {**RECIPE, "epochs": arguments.epochs}
            )
            best = report["bayes"]["auc"]
            print(f"{output.name}: AUC {report['auc']:.5f} of {best:.5f}")


if __name__ == "__main__":
    main()
