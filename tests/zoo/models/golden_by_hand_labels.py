"""Turns torch-rechub's networks for several labels into the zoo's."""

import zoo
from tests.zoo.models.golden_by_hand import by_hand
from zoo.interop.stacked import take_stacked


def take_experts(original, prefixes, inputs, units, name):
    take_stacked(
        original,
        prefixes,
        lambda prefix: original.perceptron(
            f"{prefix}.mlp", inputs, units, name=name
        ),
    )
    original.arguments.update(hidden_units=units, normalization="batch")
    return units[-1]


def take_gates(original, prefixes, inputs, choices, name):
    def take(prefix):
        original.dense(f"{prefix}.mlp.0", name, inputs, choices)
        original.batch_norm(f"{prefix}.mlp.1", f"{name}_norm", choices)

    take_stacked(original, prefixes, take)
    original.arguments.update(gate_units=(), gate_normalization="batch")


def take_towers(original, inputs):
    towers = original.config["tower_params_list"]

    def take(prefix):
        units = towers[0]["dims"]
        original.perceptron(
            f"{prefix}.mlp", inputs, units, "logits", name="towers"
        )

    take_stacked(original, [f"towers.{i}" for i in range(len(towers))], take)
    original.arguments["tower_units"] = towers[0]["dims"]


def width_of(original):
    return original.tables("embedding") + original.schema.num_dense


@by_hand("torch-rechub/SharedBottom")
def rechub_shared_bottom(original):
    width, units = width_of(original), original.config["bottom_params"]["dims"]
    bottom = original.perceptron("bottom_mlp.mlp", width, units)
    original.arguments.update(hidden_units=units, normalization="batch")
    take_towers(original, bottom)
    return "shared_bottom"


@by_hand("torch-rechub/MMOE")
def rechub_mmoe(original):
    width, number = width_of(original), original.config["n_expert"]
    experts = take_experts(
        original,
        [f"experts.{i}" for i in range(number)],
        width,
        original.config["expert_params"]["dims"],
        "experts",
    )
    take_gates(
        original,
        [f"gates.{i}" for i in range(len(original.schema.labels))],
        width,
        number,
        "gates",
    )
    take_towers(original, experts)
    original.arguments["num_experts"] = number
    return "mmoe"


@by_hand("torch-rechub/PLE")
def rechub_ple(original):
    width, config = width_of(original), original.config
    labels, levels = len(original.schema.labels), config["n_level"]
    several, number = config["n_expert_specific"], config["n_expert_shared"]
    units = config["expert_params"]["dims"]
    for i in range(levels):
        layer, name = f"cgc_layers.{i}", f"level_{i + 1}"
        for theirs, ours, count in (
            ("experts_specific", "specific", labels * several),
            ("experts_shared", "shared", number),
        ):
            prefixes = [f"{layer}.{theirs}.{j}" for j in range(count)]
            take_experts(original, prefixes, width, units, f"{name}_{ours}")
        gates = [f"{layer}.gates_specific.{j}" for j in range(labels)]
        take_gates(original, gates, width, several + number, f"{name}_gates")
        if i + 1 < levels:
            gate, seen = f"{layer}.gate_shared", labels * several + number
            take_gates(original, [gate], width, seen, f"{name}_shared_gate")
        width = units[-1]
    take_towers(original, width)
    original.arguments.update(
        num_levels=levels,
        num_specific_experts=several,
        num_shared_experts=number,
    )
    return "ple"


@by_hand("torch-rechub/AITM")
def rechub_aitm(original):
    width, units = width_of(original), original.config["bottom_params"]["dims"]
    labels = len(original.schema.labels)
    bottoms = [f"bottoms.{i}" for i in range(labels)]
    dim = take_experts(original, bottoms, width, units, "bottoms")
    for i in range(1, labels):
        info = f"info_gates.{i - 1}.mlp"
        original.perceptron(info, dim, (dim,), name=f"info_{i + 1}")
        for letter, ours in (("q", "query"), ("k", "key"), ("v", "value")):
            name = f"aits.{i - 1}.{letter}_layer.weight"
            original.put(
                f"transfer_{i + 1}/{ours}_kernel",
                original.take(name, dim, dim).T,
            )
    take_towers(original, dim)
    original.arguments["calibration"] = 0.0
    return "aitm"


@by_hand("torch-rechub/ESMM")
def rechub_esmm(original):
    """Its outputs are a click's conversion, the click, and both."""
    width, units = width_of(original), original.config["ctr_params"]["dims"]

    def take(prefix):
        original.perceptron(
            f"{prefix}.mlp", width, units, "logits", name="towers"
        )

    take_stacked(original, ["tower_ctr", "tower_cvr"], take)
    config = original.schema.get_config()
    config["labels"] = config["labels"][1:]
    original.arguments.update(
        schema=zoo.FeatureSchema.from_config(config),
        hidden_units=units,
        normalization="batch",
    )
    return "esmm"
