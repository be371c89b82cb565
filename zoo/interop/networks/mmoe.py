from zoo.interop import deepctr_torch_labels
from zoo.interop import fuxictr_labels
from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import MMoE


@fuxictr("MMoE")
def from_fuxictr(original):
    original.embeddings()
    layer, width = "mmoe_layer", original.width
    number = original.count("num_experts", f"{layer}.experts")
    experts = fuxictr_labels.take_experts(
        original,
        [f"{layer}.experts.{i}" for i in range(number)],
        width,
        "experts",
    )
    gates = [f"{layer}.gate.{i}" for i in fuxictr_labels.labels_of(original)]
    fuxictr_labels.take_gates(original, gates, width, number, "gates")
    fuxictr_labels.take_towers(original, experts["hidden_units"][-1])
    original.arguments.update(experts, num_experts=number)
    return MMoE


@deepctr_torch(
    "MMOE",
    "num_experts",
    "expert_dnn_hidden_units",
    "gate_dnn_hidden_units",
    "tower_dnn_hidden_units",
    *deepctr_torch_labels.TASKS,
)
def from_deepctr_torch(original):
    original.embeddings()
    number = original.count("num_experts", "expert_dnn")
    width = deepctr_torch_labels.take_experts(
        original,
        [f"expert_dnn.{i}" for i in range(number)],
        original.width,
        "experts",
    )
    labels = deepctr_torch_labels.read_labels(original)
    deepctr_torch_labels.take_gates(
        original,
        [f"gate_dnn.{i}" for i in labels],
        [f"gate_dnn_final_layer.{i}" for i in labels],
        original.width,
        number,
        "gates",
    )
    deepctr_torch_labels.take_towers(original, width)
    original.arguments["num_experts"] = number
    return MMoE
