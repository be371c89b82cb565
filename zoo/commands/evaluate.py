from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from zoo.encoded_log import EncodedLog
from zoo.evaluation import evaluate as evaluate_model
from zoo.tables import metrics_table


def evaluate(
    model_dir: Annotated[
        Path, typer.Argument(help="Folder written by `train`.")
    ],
    data: Annotated[Path, typer.Option(help="Folder written by `prepare`.")],
    split: Annotated[
        str, typer.Option(help="train, validation or test.")
    ] = "test",
) -> None:
    """Evaluate a trained model on a split, exactly."""
    metrics = evaluate_model(model_dir, EncodedLog.load(data), split)
    Console().print(metrics_table(metrics, split, model_dir))
