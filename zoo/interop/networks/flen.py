import numpy as np

from zoo.interop.sources import fuxictr
from zoo.models import FLEN


@fuxictr("FLEN")
def from_fuxictr(original):
    dim = original.embeddings("")
    original.linear("lr_layer", bias=False)
    original.move("lr_layer.bias", "linear_bias/bias", 1)
    for ours, theirs in (("pair", "r_ij"), ("group", "r_mm")):
        weights = f"group_products/{ours}_weights"
        original.move(f"{theirs}.weight", weights, 1, 3, transposed=True)
    original.dense("w_FwBI.0", "shallow", dim + 1, dim + 1, bias=False)
    deep = original.dnn(original.width, outputs=None)
    original.output("w_F", dim + 1 + deep, bias=False)
    # The original has no bias of the logit.
    original.put("click/bias", np.zeros(1, "float32"))
    return FLEN
