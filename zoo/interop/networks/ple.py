from zoo.interop import deepctr_torch_labels
from zoo.interop import fuxictr_labels
from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import PLE


@fuxictr("PLE")
def from_fuxictr(original):
    original.embeddings()
    state, labels = original.state, fuxictr_labels.labels_of(original)
    levels = state.numbers("cgc_layers")
    # The gate of the last level has no use there.
    state.drop(f"cgc_layers.{levels[-1]}.gate.{len(labels)}.")
    width = original.width
    first = "cgc_layers.0"
    several = original.count(
        "num_specific_experts", f"{first}.specific_experts.0"
    )
    number = original.count("num_shared_experts", f"{first}.shared_experts")
    for i in levels:
        layer, name = f"cgc_layers.{i}", f"level_{i + 1}"
        specific = [
            f"{layer}.specific_experts.{label}.{j}"
            for label in labels
            for j in range(several)
        ]
        shared = [f"{layer}.shared_experts.{j}" for j in range(number)]
        gates = [f"{layer}.gate.{label}" for label in labels]
        experts = fuxictr_labels.take_experts(
            original, specific, width, f"{name}_specific"
        )
        fuxictr_labels.take_experts(original, shared, width, f"{name}_shared")
        fuxictr_labels.take_gates(
            original, gates, width, several + number, f"{name}_gates"
        )
        if i != levels[-1]:
            fuxictr_labels.take_gates(
                original,
                [f"{layer}.gate.{len(labels)}"],
                width,
                number,
                f"{name}_shared_gate",
            )
        width = experts["hidden_units"][-1]
    fuxictr_labels.take_towers(original, width)
    original.arguments.update(
        experts,
        num_levels=original.size("num_layers", len(levels)),
        num_specific_experts=several,
        num_shared_experts=number,
        shared_gate="shared",
    )
    return PLE


@deepctr_torch(
    "PLE",
    "shared_expert_num",
    "specific_expert_num",
    "num_levels",
    "expert_dnn_hidden_units",
    "gate_dnn_hidden_units",
    "tower_dnn_hidden_units",
    *deepctr_torch_labels.TASKS,
)
def from_deepctr_torch(original):
    original.embeddings()
    state, labels = original.state, deepctr_torch_labels.read_labels(original)
    levels = state.numbers("specific_experts")
    # The gate of the last level has no use there.
    state.drop(
        f"shared_gate_dnn.{levels[-1]}.",
        f"shared_gate_dnn_final_layer.{levels[-1]}.",
    )
    several = original.count("specific_expert_num", "specific_experts.0.0")
    choices, _ = state.shape("specific_gate_dnn_final_layer.0.0.weight")
    # It makes as many shared experts as specific ones, but uses only these.
    number = choices - several
    width = original.width
    for i in levels:
        name = f"level_{i + 1}"
        state.drop(
            *(f"shared_experts.{i}.0.{j}." for j in range(number, several))
        )
        specific = [
            f"specific_experts.{i}.{label}.{j}"
            for label in labels
            for j in range(several)
        ]
        shared = [f"shared_experts.{i}.0.{j}" for j in range(number)]
        out = deepctr_torch_labels.take_experts(
            original, specific, width, f"{name}_specific"
        )
        deepctr_torch_labels.take_experts(
            original, shared, width, f"{name}_shared"
        )
        deepctr_torch_labels.take_gates(
            original,
            [f"specific_gate_dnn.{i}.{label}.0" for label in labels],
            [f"specific_gate_dnn_final_layer.{i}.{label}" for label in labels],
            width,
            choices,
            f"{name}_gates",
        )
        if i != levels[-1]:
            deepctr_torch_labels.take_gates(
                original,
                [f"shared_gate_dnn.{i}"],
                [f"shared_gate_dnn_final_layer.{i}"],
                width,
                len(labels) * several + number,
                f"{name}_shared_gate",
            )
        width = out
    deepctr_torch_labels.take_towers(original, width)
    original.arguments.update(
        num_levels=original.size("num_levels", len(levels)),
        num_specific_experts=several,
        num_shared_experts=original.size("shared_expert_num", number),
    )
    return PLE
