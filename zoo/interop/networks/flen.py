import numpy as np

from zoo.interop.sources import fuxictr
from zoo.models import FLEN


@fuxictr("FLEN")
def from_fuxictr(original):
    dim = original.embeddings("")
    original.linear("lr_layer", bias=False)
    original.put("linear_bias/bias", original.take("lr_layer.bias", 1))
    for ours, theirs in (("pair", "r_ij"), ("group", "r_mm")):
        original.put(
            f"group_products/{ours}_weights",
            original.take(f"{theirs}.weight", 1, 3).T,
        )
    original.dense("w_FwBI.0", "shallow", dim + 1, dim + 1, bias=False)
    deep = original.perceptron(
        "dnn",
        original.width,
        units="dnn_hidden_units",
        activations="dnn_activations",
        outputs=None,
    )
    original.arguments.update(deep)
    inputs = dim + 1 + deep["hidden_units"][-1]
    original.output("w_F", inputs, bias=False)
    # The original has no bias of the logit.
    original.put("click/bias", np.zeros(1, "float32"))
    return FLEN
