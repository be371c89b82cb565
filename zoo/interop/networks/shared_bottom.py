from zoo.interop import deepctr_torch_labels
from zoo.interop import fuxictr_labels
from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import SharedBottom


@fuxictr("ShareBottom")
def from_fuxictr(original):
    original.embeddings()
    bottom = original.perceptron(
        "bottom", original.width, units="bottom_hidden_units", outputs=None
    )
    original.arguments.update(bottom)
    fuxictr_labels.take_towers(original, bottom["hidden_units"][-1])
    return SharedBottom


@deepctr_torch(
    "SharedBottom",
    "bottom_dnn_hidden_units",
    "tower_dnn_hidden_units",
    *deepctr_torch_labels.TASKS,
)
def from_deepctr_torch(original):
    original.embeddings()
    bottom = original.perceptron(
        original.width, "bottom_dnn", "bottom_dnn_hidden_units"
    )
    deepctr_torch_labels.take_towers(original, bottom)
    return SharedBottom
