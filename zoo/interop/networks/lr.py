from zoo.interop.sources import fuxictr
from zoo.models import LR


@fuxictr("LR")
def from_fuxictr(original):
    # It has no embeddings, nor does ours.
    original.arguments["embedding_dim"] = 1
    original.linear("lr_layer")
    return LR
