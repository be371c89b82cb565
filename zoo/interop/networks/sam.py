from zoo.interop.networks.autoint import check_layers
from zoo.interop.sources import fuxictr
from zoo.models import SAM
from zoo.models.sam import INTERACTIONS

# FuxiCTR's names of the zoo's aggregations.
AGGREGATIONS = {
    "concat": "concat",
    "weighted_pooling": "weighted",
    "mean_pooling": "mean",
    "sum_pooling": "sum",
}


@fuxictr("SAM")
def from_fuxictr(original):
    kind = original.choice("interaction_type", "SAM2E", INTERACTIONS)
    aggregation = original.choice("aggregation", "concat", AGGREGATIONS)
    dim = original.embeddings()
    layers, residual = 1, original.setting("use_residual", False)
    if kind.startswith("SAM3"):
        layers = _take_pooled(original, kind, residual, dim)
    elif kind == "SAM2A":
        _take_weight(original, 0, dim)
    width = dim
    if aggregation == "concat":
        pairs = kind.startswith("SAM2")
        width = original.width * (original.fields if pairs else 1)
    elif aggregation == "weighted_pooling":
        weights = "field_weights/kernel"
        original.move("block.weight", weights, original.fields, 1)
    original.output("fc", width)
    original.arguments.update(
        interaction=kind,
        aggregation=AGGREGATIONS[aggregation],
        num_layers=layers,
        residual=residual,
        interaction_dropout=original.dropout("net_dropout"),
    )
    return SAM


def _take_pooled(original, kind, residual, dim):
    layers = check_layers(original, "block.layers", "num_interaction_layers")
    for i in range(layers):
        prefix, layer = f"block.layers.{i}", f"interaction_{i + 1}"
        if kind == "SAM3A":
            _take_weight(original, i, dim)
        kernel = original.take(f"{prefix}.K.weight", dim, dim)
        original.put(f"{layer}/key_kernel", kernel.T)
        if residual:
            kernel = original.take(f"{prefix}.Q.weight", dim, dim)
            original.put(f"{layer}/residual_kernel", kernel.T)
    return layers


def _take_weight(original, i, dim):
    fields = original.fields
    name, variable = f"block.layers.{i}.W", f"interaction_{i + 1}/weight"
    original.move(name, variable, fields, fields, dim)
