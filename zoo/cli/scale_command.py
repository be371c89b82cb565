import math
import sys
from pathlib import Path
from typing import Annotated
from typing import Any

import typer
from rich.console import Console

from zoo.cli.interruption import explaining_interruption
from zoo.cli.options import Data
from zoo.cli.options import open_log
from zoo.cli.recipe_options import RULES
from zoo.cli.recipe_options import add_recipe_options
from zoo.cli.tables import verdict_table
from zoo.registry import NAMES
from zoo.runtime.memory import keep_freed_memory
from zoo.training.clip_choice import ADAPTIVE_COLUMN
from zoo.training.clip_choice import CLIP_VARIANTS


# The study varies these by options of its own.
@add_recipe_options(
    *("model", "rule", "batch_size", "embedding_batch_size", "seed"),
    *("clip_variant", "clip_ratio", "clip_threshold"),
)
def scale(
    output: Annotated[
        Path,
        typer.Option(
            help="Folder for results.csv, the runs' reports and the figures. "
            "An interrupted study resumes there.",
        ),
    ],
    data: Data = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            help=f"A network, {' | '.join(NAMES)}; may be repeated. "
            "Default: deepfm.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="Rows per step; may be repeated. Default: 1024 to 131072 by "
            "doubling.",
            show_default=False,
        ),
    ] = None,
    dense_batch_size: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="Rows per step of the dense weights where --batch-size, then "
            "that of the embedding tables, is larger; may be repeated. "
            "Default: --batch-size.",
            show_default=False,
        ),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(
            help=f"A scaling rule, {' | '.join(RULES)}; may be repeated. "
            "Default: all.",
            show_default=False,
        ),
    ] = None,
    clip: Annotated[
        list[str] | None,
        typer.Option(
            help="r=1 is CowClip with that ratio, off is no clip; column=1e-6, "
            "field=1e-3 and global=0.1 are constant clips with that "
            "threshold. May be repeated. Default: r=1.",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Number of seeds, counted from 0.")
    ] = 1,
    **settings: Any,
) -> None:
    """Find the largest batch that keeps the AUC, for each scaling rule."""
    from zoo.scaling.study import BATCH_SIZES
    from zoo.scaling.study import scaling_study
    from zoo.scaling.verdict import verdicts

    variants = _with_dense_batches(
        dict(map(_clip_variant, clip)) if clip else {"": {}},
        dense_batch_size or [],
    )
    keep_freed_memory()
    log = open_log(data)
    with explaining_interruption(
        lambda: f"Run the same command to resume the study in {output}"
    ):
        rows = scaling_study(
            log,
            output,
            models=model or ("deepfm",),
            batch_sizes=batch_size or BATCH_SIZES,
            rules=rule or RULES,
            variants=variants,
            seeds=range(seeds),
            verbose=sys.stdout.isatty(),
            **settings,
        )
    Console().print(verdict_table(verdicts(rows)))
    print(f"Results and figures: {output}")


def _with_dense_batches(
    variants: dict[str, dict[str, Any]], batch_sizes: list[int]
) -> dict[str, dict[str, Any]]:
    if not batch_sizes:
        return variants
    return {
        ", ".join(filter(None, (name, f"dense batch {size}"))): {
            **settings,
            "batch_size": size,
        }
        for name, settings in variants.items()
        for size in batch_sizes
    }


def _clip_variant(text: str) -> tuple[str, dict[str, Any]]:
    """Returns the name of a clip, and the settings that make it."""
    kind, _, value = text.partition("=")
    constant = [v for v in CLIP_VARIANTS if v != ADAPTIVE_COLUMN]
    if text == "off":
        return text, {"clip_ratio": None}
    try:
        number = float(value)
    except ValueError:
        number = None
    if number is None or kind not in ("r", *constant):
        raise typer.BadParameter(
            "`--clip` must be off or one of "
            f"{', '.join(f'{k}=NUMBER' for k in ('r', *constant))}. "
            f"Received: {text}"
        )
    if kind == "r":
        # Without `--clip`, CowClip has no name either.
        name = "" if number == 1 else text
        return name, {"clip_ratio": None if number == math.inf else number}
    return text, {"clip_variant": kind, "clip_threshold": number}
