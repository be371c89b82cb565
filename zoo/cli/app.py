"""Runs the command line, `cowclip` or `python -m zoo`."""

import sys

import typer

from zoo.cli.choices import HintingCommand
from zoo.cli.describe_command import describe
from zoo.cli.evaluate_command import evaluate
from zoo.cli.explain_command import explain
from zoo.cli.export_command import export
from zoo.cli.failures import print_error
from zoo.cli.failures import printing_warnings
from zoo.cli.predict_command import predict
from zoo.cli.prepare_command import prepare
from zoo.cli.recipes_command import recipes
from zoo.cli.scale_command import scale
from zoo.cli.serve_command import serve
from zoo.cli.train_command import train
from zoo.cli.tune_command import tune
from zoo.cli.upload_command import upload
from zoo.runtime.backend_check import check_backend

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
    recipes,
    evaluate,
    explain,
    predict,
    serve,
    export,
    upload,
    scale,
    tune,
):
    app.command(cls=HintingCommand)(command)


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line; bad input ends in one line, not in a traceback."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        # A help needs no backend, and imports none.
        if given and "--help" not in given:
            with printing_warnings():
                check_backend()
        app(given)
    except (
        ValueError,
        OSError,
        ImportError,
        MemoryError,
        NotImplementedError,
    ) as error:
        print_error(str(error))
        sys.exit(1)
