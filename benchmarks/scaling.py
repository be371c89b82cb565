"""Runs the scaling studies whose results are in `benchmarks/results/scaling`.

    KERAS_BACKEND=jax python benchmarks/scaling.py gowalla

A study is a few calls of `zoo.scaling_study` with the arguments in `STUDIES`;
its results are in the folder of its name. Finished runs are not repeated: an
interrupted study resumes when it is called again, and a study grows when seeds,
rules or models are added to it here. The column `wall_seconds` of `results.csv`
has the seconds of each run.
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from rich.console import Console

import zoo
from zoo.cli.tables import verdict_table
from zoo.datasets import synthetic
from zoo.scaling.verdict import by_batch
from zoo.scaling.verdict import curves
from zoo.scaling.verdict import label
from zoo.scaling.verdict import verdicts
from zoo.training.result_columns import compared

RESULTS = Path(__file__).parent / "results" / "scaling"
SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "data"

# Two fields of integer ids, 70,000 in all, each seen about 60 times. A log of
# users and items needs a smaller network than Criteo's 39 columns.
GOWALLA = {
    "epochs": 8,
    "embedding_dim": 16,
    "hidden_units": (128, 64),
    "learning_rate": 1e-3,
    "embedding_learning_rate": 1e-3,
}
# 4 million training rows with a million ids, most of them rare. A second epoch
# on them only overfits at the paper's small batch.
SYNTHETIC = {"epochs": 2, "warmup_epochs": 0.5, "hidden_units": (128, 64)}
OTHER_MODELS = ("wide_deep", "dcn", "dcn_v2")
PAPERS_RULES = ("cowclip", "none", "sqrt", "linear", "n2_lambda")
DECAYS = {
    "constant": {},
    "cosine": {"decay": "cosine"},
    # The mean of the cosine from 1 to a tenth is .55. The rates are higher by
    # this factor, so that their mean is that of constant ones.
    "cosine of the same mean": {
        "decay": "cosine",
        "learning_rate": 1e-3 / 0.55,
        "embedding_learning_rate": 1e-3 / 0.55,
    },
    "plateau": {"decay": "plateau"},
}
SYNTHETIC_HEADLINE_RULES = ("cowclip", "sqrt", "linear", "frequency")
# Constant rates are in the study `synthetic`.
SYNTHETIC_DECAYS = {
    "cosine of the same mean": {
        "decay": "cosine",
        "learning_rate": 8e-4 / 0.55,
        "embedding_learning_rate": 1e-4 / 0.55,
    },
}
HEADLINE_DECAYS = ("constant", "cosine of the same mean")
# Thresholds near the norms seen after an epoch on gowalla at batch 8192 without
# a clip: half of the rows, one field and the table are then above them.
CLIPS = {
    "adaptive column": {},
    "off": {"clip_ratio": None},
    "column": {"clip_variant": "column", "clip_threshold": 2e-4},
    "field": {"clip_variant": "field", "clip_threshold": 3e-2},
    "global": {"clip_variant": "global", "clip_threshold": 3e-2},
}
# Faster steps, with other arithmetic. Compare with the studies `gowalla` and
# `gowalla_decay`.
BFLOAT16 = {"dtype": "mixed_bfloat16"}
LAZY = {"lazy": True}
SHARES = {"half": 0.5, "quarter": 0.25}  # Of the training rows.
# Two batch sizes: that of the study for the tables, this one for the dense
# weights. And weights that are averaged over half an epoch.
DENSE_8K = {"batch_size": 8192}
AVERAGE = {"average": "ema"}
SMALL_BATCH = {"": {}, "average": AVERAGE}
LARGE_BATCH = {
    "dense 8K": DENSE_8K,
    "dense 8K, average": {**DENSE_8K, **AVERAGE},
    **SMALL_BATCH,
}
OTHER_DENSE_BATCHES = {
    f"dense {size // 1024}K": {"batch_size": size} for size in (4096, 16_384)
}


def with_decays(
    variants: dict[str, dict[str, Any]],
    *names: str,
    decays: dict[str, dict[str, Any]] = DECAYS,
) -> dict[str, dict[str, Any]]:
    """Returns each of the variants with each of the named decays."""
    return {
        ", ".join(filter(None, (decay, name))): {**decays[decay], **settings}
        for decay in names
        for name, settings in variants.items()
    }


def two_batches(
    rule: str,
    batch_sizes: tuple[int, ...],
    variants: dict[str, dict[str, Any]],
    decay: str = "cosine of the same mean",
    of: tuple[str, ...] = ("deepfm",),
) -> dict[str, Any]:
    """Returns a grid on gowalla: three seeds of DeepFM, one of the others."""
    return {
        **GOWALLA,
        "models": of,
        "batch_sizes": batch_sizes,
        "rules": (rule,),
        "variants": with_decays(variants, decay),
        "seeds": (0, 1, 2) if of == ("deepfm",) else (0,),
    }


# A study is made of one or more calls of `zoo.scaling_study`.
STUDIES: dict[str, list[dict[str, Any]]] = {
    # Every rule of the paper. At the base batch this project's rule is CowClip
    # without its clip.
    "gowalla": [
        {
            **GOWALLA,
            "batch_sizes": (1024, 8192, 65_536),
            "rules": PAPERS_RULES,
        },
        {**GOWALLA, "batch_sizes": (8192, 65_536), "rules": ("frequency",)},
        # The spread over seeds, and the other networks, where rules differ.
        {
            **GOWALLA,
            "batch_sizes": (1024, 65_536),
            "rules": PAPERS_RULES,
            "seeds": (1, 2),
        },
        {
            **GOWALLA,
            "batch_sizes": (65_536,),
            "rules": ("frequency",),
            "seeds": (1, 2),
        },
        {
            **GOWALLA,
            "models": OTHER_MODELS,
            "batch_sizes": (1024, 65_536),
            "rules": PAPERS_RULES,
        },
        {
            **GOWALLA,
            "models": OTHER_MODELS,
            "batch_sizes": (65_536,),
            "rules": ("frequency",),
        },
    ],
    # All batch sizes to 128K, to see at which one a rule falls behind.
    "gowalla_batches": [
        {
            **GOWALLA,
            "batch_sizes": tuple(1024 * 2**n for n in range(8)),
            "rules": ("cowclip", "sqrt", "frequency"),
        },
    ],
    # Large batches with rates that fall.
    "gowalla_decay": [
        {
            **GOWALLA,
            "batch_sizes": (1024, 65_536),
            "rules": ("cowclip",),
            "variants": DECAYS,
        },
        {
            **GOWALLA,
            "batch_sizes": (65_536,),
            "rules": ("frequency",),
            "variants": DECAYS,
        },
        *(
            {
                **GOWALLA,
                "batch_sizes": (batch_size,),
                "rules": (rule,),
                "variants": {name: DECAYS[name] for name in HEADLINE_DECAYS},
                "seeds": (1, 2),
            }
            for rule, batch_size in (("cowclip", 1024), ("frequency", 65_536))
        ),
        # The same for the best classic rules, and for the other networks.
        {
            **GOWALLA,
            "batch_sizes": (65_536,),
            "rules": ("sqrt", "linear"),
            "variants": {name: DECAYS[name] for name in HEADLINE_DECAYS},
        },
        *(
            {
                **GOWALLA,
                "models": OTHER_MODELS,
                "batch_sizes": (batch_size,),
                "rules": (rule,),
                "variants": {name: DECAYS[name] for name in HEADLINE_DECAYS},
            }
            for rule, batch_size in (("frequency", 65_536), ("cowclip", 1024))
        ),
    ],
    # Two batch sizes, with averaged weights and without; last the networks that
    # take long.
    "gowalla_two_batches": [
        two_batches("frequency", (65_536,), LARGE_BATCH),
        two_batches("cowclip", (1024,), SMALL_BATCH),
        two_batches("frequency", (131_072, 262_144), {"dense 8K": DENSE_8K}),
        two_batches("frequency", (65_536,), OTHER_DENSE_BATCHES),
        # Other settings that take little time: one batch of 8K, and lazy steps.
        two_batches("frequency", (8192,), SMALL_BATCH),
        two_batches("cowclip", (1024, 8192), {"lazy": LAZY}),
        two_batches("sqrt", (8192,), {"lazy": LAZY}),
        two_batches("frequency", (65_536,), LARGE_BATCH, "constant"),
        *(
            two_batches(rule, (65_536,), {"": {}}, decay)
            for rule in ("cowclip", "sqrt", "linear")
            for decay in HEADLINE_DECAYS
        ),
        two_batches("cowclip", (1024,), SMALL_BATCH, "constant"),
        *(
            grid
            for models in (("wide_deep", "dcn"), ("dcn_v2",))
            for grid in (
                two_batches("frequency", (65_536,), LARGE_BATCH, of=models),
                two_batches("cowclip", (1024,), SMALL_BATCH, of=models),
            )
        ),
    ],
    # The same where an epoch has half and a quarter of the steps.
    **{
        f"gowalla_{part}": [
            two_batches("frequency", (65_536,), LARGE_BATCH),
            two_batches("cowclip", (1024,), SMALL_BATCH),
        ]
        for part in SHARES
    },
    "synthetic_two_batches": [
        {
            **SYNTHETIC,
            "models": models,
            "batch_sizes": batch_sizes,
            "rules": (rule,),
            "variants": with_decays(
                variants, "cosine of the same mean", decays=SYNTHETIC_DECAYS
            ),
            "seeds": seeds,
        }
        for models, seeds in (
            (("deepfm",), (0, 1, 2)),
            (("wide_deep", "dcn"), (0,)),
            (("dcn_v2",), (0,)),
        )
        for rule, batch_sizes, variants in (
            ("frequency", (65_536,), LARGE_BATCH),
            ("cowclip", (1024,), SMALL_BATCH),
        )
    ],
    # The ablation: the paper's recipe without one part or another.
    "gowalla_ablation": [
        {
            **GOWALLA,
            "batch_sizes": (8192,),
            "rules": ("cowclip",),
            "variants": {
                f"{clip}, deviation {deviation:g}, warm-up {warmup:g}": {
                    **arguments,
                    "embedding_deviation": deviation,
                    "warmup_epochs": warmup,
                }
                for deviation in (1e-2, 1e-4)
                for warmup in (1.0, 0.0)
                for clip, arguments in CLIPS.items()
            },
        }
    ],
    # The AUC of the faster steps.
    "gowalla_faster": [
        {
            **GOWALLA,
            "batch_sizes": (65_536,),
            "rules": ("frequency",),
            "variants": {
                "cosine of the same mean, bfloat16": {
                    **DECAYS["cosine of the same mean"],
                    **BFLOAT16,
                },
            },
            "seeds": (0, 1, 2),
        },
        {
            **GOWALLA,
            "batch_sizes": (1024,),
            "rules": ("cowclip",),
            "variants": {
                "lazy": LAZY,
                "lazy, bfloat16": {**LAZY, **BFLOAT16},
            },
            "seeds": (0, 1, 2),
        },
        {
            **GOWALLA,
            "batch_sizes": (1024,),
            "rules": ("cowclip",),
            "variants": {
                "bfloat16": BFLOAT16,
                "cosine of the same mean, lazy": {
                    **DECAYS["cosine of the same mean"],
                    **LAZY,
                },
            },
        },
    ],
    "synthetic": [
        {
            **SYNTHETIC,
            "batch_sizes": (1024, 8192, 65_536),
            "rules": (*PAPERS_RULES, "frequency"),
        },
        {
            **SYNTHETIC,
            "batch_sizes": (65_536,),
            "rules": SYNTHETIC_HEADLINE_RULES,
            "seeds": (1, 2),
        },
        {
            **SYNTHETIC,
            "models": ("wide_deep", "dcn"),
            "batch_sizes": (65_536,),
            "rules": SYNTHETIC_HEADLINE_RULES,
        },
        {
            **SYNTHETIC,
            "models": ("wide_deep", "dcn"),
            "batch_sizes": (1024,),
            "rules": ("cowclip",),
        },
        {
            **SYNTHETIC,
            "models": ("dcn_v2",),
            "batch_sizes": (65_536,),
            "rules": SYNTHETIC_HEADLINE_RULES,
        },
    ],
    "synthetic_decay": [
        {
            **SYNTHETIC,
            "batch_sizes": (65_536,),
            "rules": SYNTHETIC_HEADLINE_RULES,
            "variants": SYNTHETIC_DECAYS,
        },
        {
            **SYNTHETIC,
            "batch_sizes": (1024,),
            "rules": ("cowclip",),
            "variants": SYNTHETIC_DECAYS,
        },
        # The frequency rule on the other networks, with the same decay.
        {
            **SYNTHETIC,
            "models": ("wide_deep", "dcn"),
            "batch_sizes": (65_536,),
            "rules": ("frequency", "sqrt", "linear"),
            "variants": SYNTHETIC_DECAYS,
        },
        {
            **SYNTHETIC,
            "models": ("wide_deep", "dcn"),
            "batch_sizes": (1024,),
            "rules": ("cowclip",),
            "variants": SYNTHETIC_DECAYS,
        },
    ],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument(
        "--gowalla",
        type=Path,
        default=SAMPLES / "gowalla",
        help="folder with train.parquet, valid.parquet and test.parquet, of "
        "the columns label, user and item",
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dataset, _, part = arguments.study.partition("_")
        if dataset == "gowalla":
            log = gowalla(arguments.gowalla, Path(folder))
            if part in SHARES:
                log = share_of_rows(log, SHARES[part])
        else:
            log = synthetic.make_log(rows=5_000_000, max_vocabulary=120_000)
        for grid in STUDIES[arguments.study]:
            rows = zoo.scaling_study(log, RESULTS / arguments.study, **grid)
    table = means(rows)
    (RESULTS / arguments.study / "means.md").write_text(table)
    print(table)
    Console().print(verdict_table(verdicts(rows)))


def means(rows: list[dict[str, Any]]) -> str:
    """AUC and log-loss of every rule and batch, in the form of Markdown."""
    first, seeds = rows[0], len({row["seed"] for row in rows})
    lines = [
        f"{first['data']}, {first['evaluated_on']} split, at the epoch of the "
        "best validation AUC: AUC, half its range over the seeds where there "
        f"are several, and log-loss in brackets. Seeds: {seeds}. "
        f"{first['hardware']}, {first['backend']}, {first['versions']}. "
        "Settings: results.csv.",
        "",
    ]
    for model in dict.fromkeys(row["model"] for row in rows):
        sizes = sorted({row["embedding_batch_size"] for row in rows})
        head = [model, *(f"{size // 1024}K" for size in sizes)]
        lines += [_line(head), _line(["---"] * len(head))]
        for curve in curves(rows):
            runs = by_batch(rows, model, curve)
            if not runs:
                continue
            cells = [_cell(runs.get(size, [])) for size in sizes]
            lines.append(_line([label(curve), *cells]))
        lines.append("")
    return "\n".join(lines)


def _cell(runs: list[dict[str, Any]]) -> str:
    aucs, losses = (
        [compared(run, name) for run in runs] for name in ("auc", "log_loss")
    )
    if not runs or None in aucs:
        return "diverged" if runs else ""
    spread = f" ± {(max(aucs) - min(aucs)) / 2:.4f}" if len(runs) > 1 else ""
    return f"{mean(aucs):.4f}{spread} ({mean(losses):.4f})"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def gowalla(source: Path, folder: Path) -> zoo.EncodedLog:
    log_format = zoo.LogFormat(name="gowalla", categorical=("user", "item"))
    zoo.prepare(log_format, source, folder / "gowalla", split="provider")
    log = zoo.EncodedLog.load(folder / "gowalla")
    # Studies know a log by its source, and the folder is another each time.
    return dataclasses.replace(log, source="gowalla")


def share_of_rows(log: zoo.EncodedLog, share: float) -> zoo.EncodedLog:
    """Returns the log with a share of its training rows, drawn by a seed."""
    inputs, labels = log.split("train").read(0, len(log.split("train")))
    random = np.random.default_rng(0)
    rows = random.permutation(len(labels))[: round(share * len(labels))]
    train = zoo.Split({n: i[rows] for n, i in inputs.items()}, labels[rows])
    return dataclasses.replace(log, splits={**log.splits, "train": train})


if __name__ == "__main__":
    main()
