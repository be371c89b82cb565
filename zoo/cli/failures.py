"""Prints errors and warnings in a line each."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text


def print_error(message: str) -> None:
    _print("error:", "bold red", message)


def print_warning(message: str) -> None:
    _print("warning:", "bold yellow", message)


def _print(start: str, style: str, message: str) -> None:
    # A text has no markup, which brackets in a path would look like.
    line = Text.assemble((start, style), " ", message)
    Console(stderr=True, soft_wrap=True).print(line)


@contextmanager
def printing_warnings() -> Iterator[None]:
    """Prints each `UserWarning` of the block once the block is done."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in caught:
        print_warning(str(warning.message))


@contextmanager
def ending_on_useless_predictions() -> Iterator[None]:
    """Exits with 1 after the block if its model turned out to be useless.

    The block runs to its end first, so that the model and its report are kept.
    Other warnings of the zoo are printed in a line each.
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
