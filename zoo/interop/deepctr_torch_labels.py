"""Takes the parts that DeepCTR-Torch's networks for several labels share."""

from collections.abc import Iterable

from zoo.feature_schema import FeatureSchema
from zoo.interop.deepctr_torch_original import DeepCTRTorch
from zoo.interop.stacked import take_stacked

# The settings of the labels.
TASKS = ("task_types", "task_names")


def read_labels(original: DeepCTRTorch) -> range:
    """Reads the names of the labels into the schema; returns their numbers."""
    names = list(original.setting("task_names", ("ctr", "ctcvr")))
    types = original.setting("task_types", ["binary"] * len(names))
    if list(types) != ["binary"] * len(names):
        raise ValueError(
            "`config['task_types']` must be 'binary' for each of "
            f"{names}. Received: config['task_types']={types!r}"
        )
    columns = original.columns
    original.arguments["schema"] = FeatureSchema(
        columns.dense,
        columns.categorical,
        sequences=columns.sequences,
        labels=names,
    )
    return range(len(names))


def take_experts(
    original: DeepCTRTorch, prefixes: Iterable[str], inputs: int, name: str
) -> int:
    """Takes experts as `stacked_mlp` builds them, and sets their arguments.

    Args:
        original: `DeepCTRTorch`.
        prefixes: strings, what it calls them.
        inputs: integer, length of their input.
        name: string, as `stacked_mlp` takes it.

    Returns:
        The length of their output.
    """
    units = "expert_dnn_hidden_units"
    hidden = take_stacked(
        original,
        prefixes,
        lambda prefix: original.hidden(inputs, prefix, units, name),
    )
    original.arguments.update(hidden)
    return hidden["hidden_units"][-1]


def take_gates(
    original: DeepCTRTorch,
    hidden: Iterable[str],
    last: Iterable[str],
    inputs: int,
    choices: int,
    name: str,
) -> None:
    """Takes gates as `stacked_gates` builds them, and sets their arguments.

    Args:
        original: `DeepCTRTorch`.
        hidden: strings, what it calls their hidden layers.
        last: strings, what it calls their last layers.
        inputs: integer, length of their input.
        choices: integer, the number of experts that they mix.
        name: string, as `stacked_gates` takes it.
    """
    units = "gate_dnn_hidden_units"
    taken = take_stacked(
        original,
        hidden,
        lambda prefix: original.hidden(inputs, prefix, units, name),
    )
    width = [inputs, *taken["hidden_units"]][-1]
    take_stacked(
        original,
        last,
        lambda prefix: original.dense(prefix, name, width, choices, bias=False),
    )
    original.arguments.update(gate_units=taken["hidden_units"], gate_bias=False)


def take_towers(original: DeepCTRTorch, inputs: int) -> None:
    """Takes the tower of each label, and sets `tower_units`.

    Args:
        original: `DeepCTRTorch`.
        inputs: integer, length of their input.
    """

    def take(number: str) -> tuple[int, ...]:
        hidden = original.hidden(
            inputs, f"tower_dnn.{number}", "tower_dnn_hidden_units", "towers"
        )
        widths = hidden["hidden_units"]
        name = f"tower_dnn_final_layer.{number}"
        original.output(name, [inputs, *widths][-1], "logits", bias=False)
        original.add_bias(f"out.{number}.bias")
        return widths

    original.arguments["tower_units"] = take_stacked(
        original, map(str, read_labels(original)), take
    )
