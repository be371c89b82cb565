from pathlib import Path
from typing import Annotated

import typer

from zoo.cli.options import Preset
from zoo.runtime.memory import keep_freed_memory


def predict(
    preset: Preset,
    input: Annotated[
        Path,
        typer.Option(
            help="Raw rows in the log's own format, with or without labels: a "
            "file (text, .gz, .bz2, .xz, .zip or Parquet) or a folder of them."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            help="File to write, .parquet or .csv, with one probability a row."
        ),
    ],
    batch_size: Annotated[
        int, typer.Option(min=1, help="Rows per batch.")
    ] = 16_384,
    max_unknown: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Largest share of a column's values that training may not "
            "have seen; more is an error.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Score raw rows: one click probability a row, in their order."""
    from zoo.serving.predictor import CTRPredictor

    keep_freed_memory()
    predictor = CTRPredictor.from_preset(preset)
    rows = predictor.predict_file(
        input, output, batch_size, max_unknown=max_unknown
    )
    print(f"{rows:,} rows scored: {output}")
