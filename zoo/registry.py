"""Knows the networks by name, so that presets need not import them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeVar

if TYPE_CHECKING:
    import keras

from zoo.checks import check_choice
from zoo.checks import check_known

Network = TypeVar("Network", bound="type[keras.Model]")

NETWORKS: dict[str, Any] = {}
"""The network classes by the names that `--model` takes."""


def _names_of_files() -> tuple[str, ...]:
    """The networks of this package; each is the file of its name."""
    files = (Path(__file__).parent / "models").glob("*.py")
    is_network = re.compile(r"^@network$", re.MULTILINE)
    return tuple(
        sorted(f.stem for f in files if is_network.search(f.read_text()))
    )


# Read from the files, so that the command line's help imports no network.
NAMES = _names_of_files()


def network(cls: Network) -> Network:
    """Registers a network of this package under its file's name.

    A network of yours is registered by `zoo.register_network`.
    """
    return register_network(cls.__module__.rpartition(".")[2], "zoo")(cls)


def register_network(
    name: str, package: str = "Custom"
) -> Callable[[Network], Network]:
    """Registers a network of yours, so that `zoo.train` takes its name.

    Keras then also loads saved models of the class.

    Args:
        name: string, as `zoo.train(model=...)` and `zoo.create_model` take it.
        package: string, as in `keras.saving.register_keras_serializable`.
            Defaults to `"Custom"`.

    Raises:
        ValueError: if the name is that of another network.

    Example:

    ```python
    @zoo.register_network("tower")
    class Tower(zoo.CTRModel):
        def logits(self, x):
            return x.output(x.mlp())

    model = zoo.create_model("tower", zoo.FeatureSchema([], {"site": 1000}))
    ```
    """

    def register(cls: Network) -> Network:
        import keras

        taken = NETWORKS.get(name)
        # A notebook's cell that is run again defines the same class anew.
        if taken is not None and (
            (taken.__module__, taken.__qualname__)
            != (cls.__module__, cls.__qualname__)
        ):
            raise ValueError(
                f"`name` must be one that no other network has. Received: "
                f"name={name!r}, the name of {taken.__name__}"
            )
        NETWORKS[name] = cls
        return keras.saving.register_keras_serializable(package=package)(cls)

    return register


def network_class(name: str, argument: str = "model") -> Any:
    """Returns the class of a network.

    Args:
        name: string.
        argument: string, how a message calls `name`. Defaults to `"model"`.

    Raises:
        ValueError: if there is no network of that name.
    """
    check_choice(argument, name, list_models())
    return NETWORKS[name]


def is_network(model: "keras.Model") -> bool:
    """Whether a model is of a network that has a name."""
    return type(model) in NETWORKS.values()


def network_name(model: "keras.Model") -> str:
    """Returns the name of a model's network.

    Raises:
        ValueError: if it is no network of the zoo.
    """
    for name, cls in NETWORKS.items():
        if type(model) is cls:
            return name
    raise ValueError(
        f"The model must be one of the zoo's networks, {list_models()}. "
        f"Received: {type(model).__name__}"
    )


def list_models() -> list[str]:
    """Returns the names of the networks, as `--model` takes them.

    Those of this package, and those that `zoo.register_network` added.

    Example:

    >>> "deepfm" in zoo.list_models()
    True
    """
    return [*NAMES, *(name for name in NETWORKS if name not in NAMES)]


def create_model(name: str, schema: Any, **arguments: Any) -> Any:
    """Builds a network of the zoo by its name.

    Args:
        name: string, one of `zoo.list_models()`.
        schema: `zoo.FeatureSchema`, the columns of the click log.
        **arguments: arguments of the network's class, such as
            `embedding_dim` and `hidden_units`.

    Returns:
        The model, uncompiled.

    Raises:
        ValueError: for an unknown name, an argument that the network does not
            have, or one out of its range.

    Example:

    >>> schema = zoo.FeatureSchema(["price"], {"site": 1000})
    >>> model = zoo.create_model("dcn", schema, num_cross_layers=2)
    >>> type(model).__name__
    'DCN'
    """
    cls = network_class(name, "name")
    # Keras drops unknown arguments in silence.
    known = [*cls.argument_defaults(), "dtype"]
    check_known(f"Arguments of `{cls.__name__}`", arguments, known)
    return cls(schema, **arguments)


def networks_by_needs() -> str:
    """Returns the table of the README, in Markdown: the names by their needs.

    Example:

    >>> print(networks_by_needs().splitlines()[0])
    | the log needs | `--model` |
    """
    names: dict[str, list[str]] = {}
    for name in NAMES:
        names.setdefault(_needs(NETWORKS[name]), []).append(f"`{name}`")
    lines = ["| the log needs | `--model` |", "|---|---|"]
    for needs in sorted(names, key=lambda needs: -len(names[needs])):
        lines.append(f"| {needs or 'fields'} | {', '.join(names[needs])} |")
    return "\n".join(lines)


def networks_table() -> str:
    """Returns the table of the guide, in Markdown, from the docstrings.

    The first line of a class says what it computes, its first reference where
    it comes from, `ROLES` what a log must have and `ORIGINALS` which
    implementations it equals: logits differ by 1e-5 at most.
    """
    columns = (
        *("class", "`--model`", "what it computes", "needs"),
        *("equals, to 1e-5", "paper"),
    )
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name in NAMES:
        cls = NETWORKS[name]
        text = cls.__doc__ or ""
        what = text.partition("\n")[0].partition(": ")[2].rstrip(".")
        reference = text.partition("Reference:\n")[2]
        link = re.search(r"\[[^]]+\]\([^)]+\)", reference)
        cells = (
            *(f"`zoo.{cls.__name__}`", f"`{name}`", what, _needs(cls)),
            *(", ".join(cls.ORIGINALS), link.group() if link else ""),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _needs(cls: Any) -> str:
    """Names in words the columns that a network needs, beside fields."""
    needs = []
    # This module imports no `HistoryModel`.
    if hasattr(cls, "histories_of"):
        needs.append("a history")
    if cls.SEVERAL_LABELS:
        needs.append("several labels")
    if cls.ROLES:
        needs.append(f"roles {', '.join(cls.ROLES)}")
    return "; ".join(needs)
