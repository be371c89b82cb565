import numpy as np

from zoo.interop import deepctr_torch_labels
from zoo.interop.sources import deepctr_torch
from zoo.interop.stacked import take_stacked
from zoo.models import ESMM


@deepctr_torch("ESMM", "tower_dnn_hidden_units", *deepctr_torch_labels.TASKS)
def from_deepctr_torch(original):
    original.embeddings()
    labels = deepctr_torch_labels.read_labels(original)

    def take(tower):
        hidden = original.hidden(
            original.width, f"{tower}_dnn", "tower_dnn_hidden_units", "towers"
        )
        width = hidden["hidden_units"][-1]
        original.output(f"{tower}_dnn_final_layer", width, "logits", bias=False)
        return hidden

    original.arguments.update(take_stacked(original, ("ctr", "cvr"), take))
    # In DeepCTR-Torch both towers share one bias.
    original.put(
        "click/bias", np.repeat(original.take("out.bias", 1), len(labels))
    )
    return ESMM
