"""Takes the parts that FuxiCTR's networks for several labels share."""

from collections.abc import Iterable
from typing import Any

from zoo.interop.fuxictr_original import FuxiCTR
from zoo.interop.stacked import take_stacked


def labels_of(original: FuxiCTR) -> range:
    """Returns the numbers of the labels, for each of which there is a part."""
    labels = original.size("num_tasks", len(original.columns.labels))
    tasks = original.setting("task", None)
    if isinstance(tasks, list | tuple) and len(tasks) != labels:
        raise ValueError(
            f"`config['task']` must have one task for each of the {labels} "
            f"labels of `features`. Received: config['task']={tasks!r}"
        )
    return range(labels)


def take_experts(
    original: FuxiCTR, prefixes: Iterable[str], inputs: int, name: str
) -> dict[str, Any]:
    """Takes experts as `stacked_mlp` builds them.

    Args:
        original: `FuxiCTR`.
        prefixes: strings, what it calls them.
        inputs: integer, length of their input.
        name: string, as `stacked_mlp` takes it.

    Returns:
        The arguments of the hidden layers.
    """
    return take_stacked(
        original,
        prefixes,
        lambda prefix: original.perceptron(
            prefix,
            inputs,
            units="expert_hidden_units",
            outputs=None,
            name=name,
        ),
    )


def take_gates(
    original: FuxiCTR,
    prefixes: Iterable[str],
    inputs: int,
    choices: int,
    name: str,
) -> None:
    """Takes gates as `stacked_gates` builds them, and sets `gate_units`.

    Args:
        original, prefixes, inputs: as `take_experts` takes them.
        choices: integer, the number of experts that they mix.
        name: string, as `stacked_gates` takes it.
    """

    def take(prefix: str) -> dict[str, Any]:
        settings = original.tower(prefix, inputs, name, name=name)
        original.size("gate_hidden_units", list(settings["hidden_units"]))
        return settings

    settings = take_stacked(original, prefixes, take)
    original.arguments["gate_units"] = settings["hidden_units"]


def take_towers(original: FuxiCTR, inputs: int) -> None:
    """Takes the tower of each label, and sets `tower_units`.

    Args:
        original: `FuxiCTR`.
        inputs: integer, length of their input.
    """
    settings = take_stacked(
        original,
        [f"tower.{i}" for i in labels_of(original)],
        lambda prefix: original.perceptron(
            prefix,
            inputs,
            units="tower_hidden_units",
            outputs="logits",
            name="towers",
        ),
    )
    original.arguments["tower_units"] = settings["hidden_units"]
