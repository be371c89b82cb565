from zoo.interop.fuxictr_original import TABLES
from zoo.interop.sources import fuxictr
from zoo.models import FwFM
from zoo.models.fwfm import LINEAR_TYPES


@fuxictr("FwFM")
def from_fuxictr(original):
    linear_type = original.choice("linear_type", "FiLV", LINEAR_TYPES)
    original.arguments["linear_type"] = linear_type
    dim = original.embeddings()
    prefix = "linear_weight_layer"
    if linear_type == "LW":
        original.linear(prefix, bias=False, tables=TABLES)
    elif linear_type == "FiLV":
        original.output(
            prefix, original.width, layer="linear_fields", bias=False
        )
    else:
        original.embeddings(prefix, "linear_vectors", dim)
    original.output("interaction_weight", original.pairs, layer="pair_weights")
    return FwFM
