"""Ends a command whose work is done, and of no use, with an error."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape


def print_error(message: str) -> None:
    _print("[bold red]error:[/]", message)


def print_warning(message: str) -> None:
    _print("[bold yellow]warning:[/]", message)


def _print(start: str, message: str) -> None:
    Console(stderr=True, soft_wrap=True).print(
        f"{start} {escape(message)}", highlight=False
    )


@contextmanager
def ending_on_useless_predictions() -> Iterator[None]:
    """Exits with 1 behind the block if its model turned out to be useless.

    The block runs to its end first, so that the model and its report are kept.
    Other warnings of the zoo are a line each.
    """
    from zoo.metrics import UselessPredictionsWarning

    messages = []

    def show(message, category, *place, **options):
        if issubclass(category, UselessPredictionsWarning):
            messages.append(str(message))
        elif category.__module__.startswith("zoo."):
            print_warning(str(message))
        else:
            shown(message, category, *place, **options)

    with warnings.catch_warnings():
        warnings.simplefilter("always", UselessPredictionsWarning)
        shown, warnings.showwarning = warnings.showwarning, show
        yield
    for message in messages:
        print_error(message)
    if messages:
        sys.exit(1)
