from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from zoo.cli.options import EncodedFolder
from zoo.cli.options import Preset
from zoo.cli.options import Split
from zoo.cli.tables import explanation_tables
from zoo.runtime.memory import keep_freed_memory


def explain(
    preset: Preset,
    data: EncodedFolder,
    output: Annotated[
        Path,
        typer.Option(help="Folder for explanation.json and explanation.png."),
    ],
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite", help="Replace an earlier explanation in the folder."
        ),
    ] = False,
    split: Split = "test",
    rows: Annotated[
        int,
        typer.Option(
            min=1,
            help="Largest number of rows; a larger split is sampled.",
        ),
    ] = 100_000,
    repeats: Annotated[
        int, typer.Option(min=2, help="Shuffles of each column.")
    ] = 5,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the sample and the shuffles.")
    ] = 0,
    label: Annotated[
        str | None,
        typer.Option(
            help="The label to explain, of several. Default: the first.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Explain a trained model: importance of its columns, calibration."""
    from zoo.data.encoded_log import EncodedLog
    from zoo.evaluation.explanation import FIGURE_FILE
    from zoo.evaluation.explanation import explain as explain_model

    keep_freed_memory()
    report = explain_model(
        preset,
        EncodedLog.load(data),
        output,
        split,
        rows,
        repeats,
        seed,
        label=label,
        overwrite=overwrite,
    )
    Console().print(*explanation_tables(report))
    print(f"Numbers and picture: {output / FIGURE_FILE}")
