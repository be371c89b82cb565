"""Builds the options of a command from the fields of `Recipe`."""

import functools
import inspect
import json
import math
import re
from collections.abc import Callable
from dataclasses import fields
from typing import Annotated
from typing import Any
from typing import Literal
from typing import TypeVar
from typing import cast
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


def _arguments(texts: list[str]) -> dict[str, Any]:
    """Reads `name=value`, the value as JSON or else as text."""
    arguments = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise typer.BadParameter(
                "`--network` must be an argument of the network and its value, "
                f"such as num_cross_layers=2. Received: {text}"
            )
        try:
            arguments[name] = json.loads(value)
        except ValueError:
            arguments[name] = value
    return arguments


_DETAILS: dict[str, dict[str, Any]] = {
    "batch_size": {"min": 1},
    "embedding_batch_size": {"min": 1},
    "epochs": {"min": 1},
    "embedding_dim": {"min": 1},
    "patience": {"min": 1},
    "clip_ratio": {"callback": _none_if_infinite},
    "hidden_units": {"callback": _integers, "metavar": "<int,int,...>"},
    # The help of the setting describes a dict.
    "network": {
        "metavar": "<name=value>",
        "help": "Another argument of the network's class and its value, as in "
        "num_cross_layers=2; may be given several times.",
    },
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

        @functools.wraps(command)
        def run(**settings: Any) -> None:
            # Typer makes a list of what a callback returns for a list.
            if "network" in settings:
                settings["network"] = _arguments(settings["network"])
            command(**settings)

        # Typer reads the options from the signature.
        signature = signature.replace(parameters=own + options)
        run.__signature__ = signature  # type: ignore[attr-defined]
        return cast(Command, run)

    return add


def option_values(settings: dict[str, Any]) -> dict[str, Any]:
    """Returns settings of a recipe in the form that the options take."""
    values = dict(settings)
    if "clip_ratio" in values and values["clip_ratio"] is None:
        values["clip_ratio"] = math.inf
    if "hidden_units" in values:
        values["hidden_units"] = list(map(str, values["hidden_units"]))
    if "network" in values:
        values["network"] = [
            f"{name}={json.dumps(value)}"
            for name, value in values["network"].items()
        ]
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
        elif name == "network":
            type_, default = list[str], []
        option = typer.Option(
            *names,
            show_default=default is not None,
            rich_help_panel="Recipe",
            **{"help": help_texts.get(name), **_DETAILS.get(name, {})},
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
