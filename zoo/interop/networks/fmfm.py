from zoo.checks import check_choice
from zoo.interop.sources import fuxictr
from zoo.models import FmFM

KINDS = {"matrixed": "matrix", "vectorized": "vector"}


@fuxictr("FmFM")
def from_fuxictr(original):
    kind = original.setting("field_interaction_type", "matrixed")
    check_choice("config['field_interaction_type']", kind, KINDS)
    original.arguments["pair_weights"] = KINDS[kind]
    dim = original.embeddings()
    original.linear("lr_layer")
    sizes = (dim, dim) if kind == "matrixed" else (dim,)
    kernel = original.take("interaction_weight", original.pairs, *sizes)
    original.put("pairs/kernel", kernel)
    return FmFM
