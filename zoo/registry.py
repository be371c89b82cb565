"""Knows the networks by name, so that presets need not import them."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeVar

if TYPE_CHECKING:
    import keras

from zoo.checks import check_choice
from zoo.checks import check_known

Network = TypeVar("Network", bound="type[keras.Model]")

# The command line lists them in its help, for which it imports no network.
NAMES = ("dcn", "dcn_v2", "deepfm", "wide_deep")

NETWORKS: dict[str, Any] = {}
"""The network classes by the names that `--model` takes."""


def network(name: str) -> Callable[[Network], Network]:
    """Registers a network class under a name, and with Keras.

    Args:
        name: string, as `--model` and `zoo.create_model` take it.

    Raises:
        ValueError: if the name is not one of `NAMES`.
    """
    check_choice("name", name, NAMES)

    def register(cls: Network) -> Network:
        import keras

        NETWORKS[name] = cls
        return keras.saving.register_keras_serializable(package="zoo")(cls)

    return register


def network_class(name: str, argument: str = "model") -> Any:
    """Returns the class of a network.

    Args:
        name: string.
        argument: string, how a message calls `name`. Defaults to `"model"`.

    Raises:
        ValueError: if there is no network of that name.
    """
    check_choice(argument, name, NAMES)
    return NETWORKS[name]


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

    Example:

    >>> "deepfm" in zoo.list_models()
    True
    """
    return list(NAMES)


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
    taken = inspect.signature(cls.__init__).parameters
    # Keras drops an argument that it does not know without a word.
    known = [n for n in taken if n not in ("self", "schema", "kwargs")]
    check_known(f"Arguments of `{cls.__name__}`", arguments, known)
    return cls(schema, **arguments)
