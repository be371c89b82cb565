"""Builds the options of a command from the fields of `Recipe`."""

import inspect
import math
import re
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated
from typing import Any
from typing import Literal
from typing import TypeVar
from typing import get_type_hints

import typer

from zoo.registry import NAMES
from zoo.training.clip_choice import CLIP_VARIANTS
from zoo.training.recipe import AVERAGES
from zoo.training.recipe import DECAYS
from zoo.training.recipe import Recipe

Command = TypeVar("Command", bound=Callable[..., None])

# `keras_cowclip` has them, and imports Keras; a test holds them to it.
RULES = ("cowclip", "none", "sqrt", "linear", "n2_lambda", "frequency")

CHOICES: dict[str, tuple[str, ...]] = {
    "model": NAMES,
    "rule": RULES,
    "decay": DECAYS,
    "average": AVERAGES,
    "clip_variant": CLIP_VARIANTS,
}
"""The only values that an option takes."""


def _none_if_infinite(value: float) -> float | None:
    return None if value == math.inf else value


def _integers(texts: list[str]) -> list[int]:
    """Reads `400,400`, or the same units as two values of the option."""
    parts = ",".join(texts).split(",")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise typer.BadParameter(
            "`--hidden-units` must be positive integers, such as 400,400,400. "
            f"Received: {','.join(texts)}"
        )
    return [int(part) for part in parts]


_DETAILS: dict[str, dict[str, Any]] = {
    "batch_size": {"min": 1},
    "embedding_batch_size": {"min": 1},
    "epochs": {"min": 1},
    "embedding_dim": {"min": 1},
    "clip_ratio": {"callback": _none_if_infinite},
    "hidden_units": {"callback": _integers, "metavar": "<int,int,...>"},
}


def add_recipe_options(*left_out: str) -> Callable[[Command], Command]:
    """Adds an option for each field of `Recipe` to a command.

    The command takes their values as `**settings`.

    Args:
        *left_out: strings, the fields that get no option.
    """

    def add(command: Command) -> Command:
        signature = inspect.signature(command)
        own = [
            p for p in signature.parameters.values() if p.kind != p.VAR_KEYWORD
        ]
        options = [o for o in _options() if o.name not in left_out]
        # Typer reads the options from the signature.
        signature = signature.replace(parameters=own + options)
        command.__signature__ = signature  # type: ignore[attr-defined]
        return command

    return add


def option_values(settings: dict[str, Any]) -> dict[str, Any]:
    """Returns settings of a recipe in the form that the options take."""
    values = dict(settings)
    if "clip_ratio" in values and values["clip_ratio"] is None:
        values["clip_ratio"] = math.inf
    if "hidden_units" in values:
        values["hidden_units"] = list(map(str, values["hidden_units"]))
    return values


def _options() -> list[inspect.Parameter]:
    help_texts, types = _help_texts(), get_type_hints(Recipe)
    options = []
    for field in fields(Recipe):
        name, type_ = field.name, types[field.name]
        default: Any = field.default
        names = [f"--{name}"] if type_ is bool else []
        if name in CHOICES:
            type_ = Literal[CHOICES[name]]
        elif name == "hidden_units":
            type_, default = list[str], [",".join(map(str, default))]
        option = typer.Option(
            *names,
            help=help_texts.get(name),
            show_default=default is not None,
            rich_help_panel="Recipe",
            **_DETAILS.get(name, {}),
        )
        options.append(
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=default,
                annotation=Annotated[type_, option],
            )
        )
    return options


def _help_texts() -> dict[str, str]:
    """Reads the help of each option from the docstring of `Recipe`.

    An entry is `name: type. Help. Defaults to ...`. Typer shows the type, and
    a default that is not `None`.
    """
    entries = re.findall(
        r"^    (\w+): [\w ]+\. (.*(?:\n {8}.*)*)",
        inspect.getdoc(Recipe) or "",
        re.MULTILINE,
    )
    texts = {}
    for name, entry in entries:
        text = " ".join(entry.split()).replace('"', "")
        text = text.replace("Defaults to `None`, ", "Default: ")
        texts[name] = re.sub(r" Defaults to `[^`]*`\.$", "", text)
    return texts
