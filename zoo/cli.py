"""The command line: `python -m zoo prepare | describe | train | ...`."""

import sys

import typer
from rich.console import Console
from rich.markup import escape

from zoo.commands.describe import describe
from zoo.commands.evaluate import evaluate
from zoo.commands.explain import explain
from zoo.commands.export import export
from zoo.commands.predict import predict
from zoo.commands.prepare import prepare
from zoo.commands.scale import scale
from zoo.commands.train import train
from zoo.commands.upload import upload

app = typer.Typer(
    help="Click-through-rate models, from a raw log to a trained network. "
    "The backend is the environment variable KERAS_BACKEND: tensorflow, jax "
    "or torch.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for command in (
    prepare,
    describe,
    train,
    evaluate,
    explain,
    predict,
    export,
    upload,
    scale,
):
    app.command()(command)


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line; bad input ends in one line, not in a traceback."""
    try:
        app(arguments)
    except (ValueError, OSError, ImportError, MemoryError) as error:
        Console(stderr=True, soft_wrap=True).print(
            f"[bold red]error:[/] {escape(str(error))}", highlight=False
        )
        sys.exit(1)
