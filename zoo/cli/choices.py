"""Adds the closest choice to the usage error of an option."""

import re
from typing import Any

import typer
from typer.core import TyperCommand

from zoo.checks import did_you_mean


class HintingCommand(TyperCommand):
    """A command that asks "Did you mean 'deepfm'?" for `--model deepfmm`.

    Typer lists the choices in the message alone.
    """

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().make_context(*args, **kwargs)
        except typer.BadParameter as error:
            found = re.search(r"'(.*)' is not one of (.*)", error.message)
            if found:
                choices = re.findall(r"'([^']*)'", found[2])
                hint = did_you_mean(found[1], choices)
                error.message = f"{error.message} {hint}".strip()
            raise
