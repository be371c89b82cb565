"""Writes a recipe file for each run on Criteo and Avazu that BARS published.

    python benchmarks/bars_recipes.py --bars BARS --fuxictr FuxiCTR

The folders are those of https://github.com/reczoo/BARS and of
https://github.com/reczoo/FuxiCTR. The log of a run has all its settings. With
them the script makes the network of FuxiCTR, with three ids a field, imports it
by `zoo.import_checkpoint`, and reads the arguments off the zoo's network. A run
whose settings the zoo can't express is named and left out.

Writes `zoo/training/recipes/bars/LOG_RUN.json`.
"""

import argparse
import ast
import inspect
import json
import re
import sys
import tempfile
from dataclasses import asdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import zoo  # Before Keras, see `zoo.keep_freed_memory`.

# isort: split
import torch
from rich.progress import track

from zoo.datasets import RAW_LOGS

sys.path.append(str(Path(__file__).parent / "speed"))

from network_pair import make_original
from network_pair import original_class

OUTPUT = Path(__file__).parents[1] / "zoo" / "training" / "recipes" / "bars"
Settings = dict[str, Any]
# For each log: the options that prepare the nearest to it, and the difference
# that stays.
LOGS = {
    "criteo_x1": ("--dense none", ""),
    "criteo_x4_001": (
        "--dense log --min-count 10",
        "There the 13 numbers are ids of their buckets.",
    ),
    "criteo_x4_002": (
        "--dense log --min-count 2",
        "There the 13 numbers are ids of their buckets.",
    ),
    "avazu_x1": ("", ""),
    "avazu_x4_001": (
        "--min-count 2",
        "There the time is three columns: hour, weekday and weekend.",
    ),
    "avazu_x4_002": (
        "",
        "There the time is three columns: hour, weekday and weekend.",
    ),
}
# Classes and settings that have other names in FuxiCTR now.
CLASSES = {"FINAL": "FinalNet", "FFM_v2": "FFMv2"}
RENAMED = {
    ("DCN", "crossing_layers"): "num_cross_layers",
    ("DeepCrossing", "dnn_activations"): "hidden_activations",
    ("FinalNet", "use_field_gate"): "use_feature_gating",
    ("xDeepFM", "cin_layer_units"): "cin_hidden_units",
    ("xDeepFM", "hidden_activations"): "dnn_activations",
}
# Settings that FuxiCTR's classes no longer have, and that are off in all runs.
REMOVED = {"embedding_dropout", "dropout_rates", "layer_norm"}
# Settings of training and data, which no network has.
RUN_SETTINGS = {
    "batch_size",
    "data_block_size",
    "data_format",
    "data_root",
    "dataset_id",
    "debug",
    "debug_mode",
    "device",
    "early_stop_patience",
    "embedding_regularizer",
    "epochs",
    "eval_interval",
    "eval_interval_epochs",
    "eval_steps",
    "every_x_epochs",
    "feature_cols",
    "feature_config",
    "feature_specs",
    "gpu",
    "group_id",
    "kernel_regularizer",
    "label_col",
    "learning_rate",
    "loss",
    "metrics",
    "min_categr_count",
    "model",
    "model_dir",
    "model_id",
    "model_root",
    "monitor",
    "monitor_mode",
    "net_regularizer",
    "num_workers",
    "optimizer",
    "ordered_features",
    "partition_block_size",
    "patience",
    "pickle_feature_encoder",
    "regularizer",
    "save_best_only",
    "seed",
    "shuffle",
    "shuffle_train",
    "task",
    "test_data",
    "train_data",
    "use_features",
    "use_hdf5",
    "valid_data",
    "verbose",
    "version",
    "workers",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bars", type=Path, required=True)
    parser.add_argument("--fuxictr", type=Path, required=True)
    arguments = parser.parse_args()
    OUTPUT.mkdir(exist_ok=True)
    left_out = []
    for page in track(find_pages(arguments.bars), "Reading"):
        try:
            recipe = read(page, arguments.fuxictr)
        except (ImportError, TypeError, ValueError) as error:
            left_out.append(f"{page.parent.name}: {error}")
            continue
        name = "_".join(reversed(run_and_log(page))).lower()
        text = json.dumps(recipe, indent=2) + "\n"
        (OUTPUT / f"{name.replace('+', '_plus')}.json").write_text(text)
    print("\n".join(left_out))


def run_and_log(page: Path) -> tuple[str, str]:
    """`("DeepFM", "criteo_x1")` of `.../DeepFM_criteo_x1/README.md`."""
    found = re.fullmatch(rf"(.+)_({'|'.join(LOGS)})", page.parent.name)
    return (found[1], found[2]) if found else ("", "")


def find_pages(bars: Path) -> list[Path]:
    pages = sorted((bars / "ranking" / "ctr").rglob("README.md"))
    return [page for page in pages if run_and_log(page)[1]]


def read(page: Path, fuxictr: Path) -> Settings:
    """The recipe of one run."""
    text = page.read_text()
    run, log = run_and_log(page)
    options, differs = LOGS[log]
    settings = corrected(settings_of(text), f"{run}_{log}")
    data = re.sub("_00.$", "", log)
    network = network_of(settings, data, fuxictr)
    description = f"{run} on {log} as in the benchmark BARS. {differs}"
    command = f"python -m zoo prepare {data} {options} --output encoded/{log}"
    return {
        "description": description.strip(),
        "data": data,
        "prepare": " ".join(command.split()),
        "recipe": recipe_of(training_of(settings, text), network),
        "published": {
            **metrics_of(text),
            "source": "Zhu et al., BARS, SIGIR 2022, https://github.com/"
            f"reczoo/BARS, {page.parent.relative_to(page.parents[4])}. Test "
            "split, the epoch of the best validation. The authors' number; "
            "keras_cowclip has not repeated it.",
        },
    }


def settings_of(text: str) -> Settings:
    """Returns the settings at the head of a log, as values of Python."""
    found = re.search(r"INFO (?:Params: )?(\{\n.*?\n\})", text, re.DOTALL)
    if found is None:
        raise ValueError("the log has no settings")
    return {name: _value(v) for name, v in json.loads(found[1]).items()}


def corrected(settings: Settings, run: str) -> Settings:
    """Returns the settings of the class that has as many weights as the log."""
    if run == "DNN_criteo_x1":
        # The number of weights shows that it had two towers, added as logits.
        names = {"hidden_units", "hidden_activations", "batch_norm"}
        towers = {
            f"{tower}_{name.replace('net_', '')}": settings[name]
            for tower in ("mlp1", "mlp2")
            for name in sorted(names | {"net_dropout"})
        }
        left = {n: v for n, v in settings.items() if n not in names}
        del left["net_dropout"]
        return {**left, **towers, "model": "DualMLP"}
    return settings


def _value(text: str) -> Any:
    text = re.sub(r"^l2\((.*)\)$", r"\1", text)
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def metrics_of(text: str) -> Settings:
    """AUC and log-loss of the last row of the results, or of the log."""
    rows = [
        dict(zip(re.findall(r"AUC|logloss", header), values, strict=True))
        for header, values in _tables(text)
    ]
    if not rows:
        last = re.findall(r"\[Metrics\] (.*)", text)[-1]
        rows = [dict(re.findall(r"(AUC|logloss): ([\d.]+)", last))]
    count = re.findall(r"number of parameters: (\d+)", text)
    return {
        "auc": float(rows[-1]["AUC"]),
        "log_loss": float(rows[-1]["logloss"]),
        **({"parameters": int(count[0])} if count else {}),
    }


def _tables(text: str) -> list[tuple[str, list[str]]]:
    results = text.split("### Results")[1].split("### Logs")[0]
    header = re.search(r"^\|.*AUC.*\|$", results, re.MULTILINE)
    rows = re.findall(
        r"^\|(?: *Avg *\|)?((?: *[\d.]{6,} *\|){2})", results, re.M
    )
    return [(header[0], re.findall(r"[\d.]+", row)) for row in rows if header]


def training_of(settings: Settings, text: str) -> Settings:
    """The run's part of the recipe: Adam, and a tenth of its rate at a plateau.

    FuxiCTR's l2 of the tables is `lambda / 2 * w**2`, the zoo's
    `embedding_l2 * w**2`.
    """
    l2 = settings.get("embedding_regularizer", settings.get("regularizer"))
    rate = settings.get("learning_rate", 1e-3)
    if settings.get("net_regularizer"):
        raise ValueError("the zoo has no l2 of the dense weights")
    return {
        "batch_size": settings["batch_size"],
        "epochs": int(re.findall(r"Epoch=(\d+) end", text)[-1]),
        "rule": "none",
        "learning_rate": rate,
        "embedding_learning_rate": rate,
        "embedding_l2": (l2 or 0) / 2,
        "clip_ratio": None,
        "warmup_epochs": 0.0,
        "decay": "plateau",
    }


def network_of(settings: Settings, data: str, fuxictr: Path) -> Any:
    """The zoo's network that is the original exactly."""
    columns = RAW_LOGS[data]
    field = {"type": "categorical", "vocab_size": 3}
    features = {
        "labels": ["click"],
        "features": [
            *({name: {"type": "numeric"}} for name in columns.dense),
            *({name: field} for name in columns.categorical),
        ],
    }
    name = CLASSES.get(settings["model"], settings["model"])
    settings = arguments_of(original_class(fuxictr, name), settings)
    settings = {"embedding_dim": 10, **settings}
    original = make_original(fuxictr, name, features, settings)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "original.model"
        torch.save(original.state_dict(), path)
        return zoo.import_checkpoint(path, "fuxictr", features, name, settings)


def arguments_of(cls: Any, settings: Settings) -> Settings:
    """Returns the settings that the class has; others must be of the run."""
    known = inspect.signature(cls).parameters
    arguments = {}
    for name, value in settings.items():
        name = RENAMED.get((cls.__name__, name), name)
        if name in RUN_SETTINGS:
            continue
        if (name, value) == ("norm_type", "BN"):
            name, value = "batch_norm", True
        if name.endswith("_units") and value is None:
            value = []
        if name == "use_regulation_module" and value:
            continue  # EDCN now always has it.
        if name in REMOVED and not value:
            continue
        if name not in known:
            raise ValueError(f"{cls.__name__} has no {name}={value!r}")
        arguments[name] = value
    return arguments


def recipe_of(training: Settings, network: Any) -> Settings:
    """The arguments of `zoo.Recipe` that are not its defaults."""
    recipe = zoo.Recipe(**training).for_network(network)
    if recipe.model == "fibinet":
        # The number of weights shows that FuxiCTR had one matrix then. Now it
        # has two.
        recipe.network["shared_bilinear"] = True
    # FuxiCTR's first tables.
    recipe = replace(recipe, embedding_deviation=1e-4, dtype=None)
    defaults = asdict(zoo.Recipe())
    changed = {
        name: value
        for name, value in asdict(recipe).items()
        if value != defaults[name]
    }
    return {"model": recipe.model, "batch_size": recipe.batch_size, **changed}


if __name__ == "__main__":
    main()
