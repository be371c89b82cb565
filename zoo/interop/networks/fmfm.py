from zoo.interop.sources import fuxictr
from zoo.models import FmFM

KINDS = {"matrixed": "matrix", "vectorized": "vector"}


@fuxictr("FmFM")
def from_fuxictr(original):
    kind = original.choice("field_interaction_type", "matrixed", KINDS)
    original.arguments["pair_weights"] = KINDS[kind]
    dim = original.embeddings()
    original.linear("lr_layer")
    sizes = (dim, dim) if kind == "matrixed" else (dim,)
    original.move("interaction_weight", "pairs/kernel", original.pairs, *sizes)
    return FmFM
