from zoo.interop.sources import fuxictr
from zoo.models import WuKong


@fuxictr("WuKong")
def from_fuxictr(original):
    original.embeddings()
    layers = original.state.numbers("wukong_stack")
    # The first one's sizes are those of all.
    mixed = original.state.shape("wukong_stack.0.lcb.linear.weight")[0]
    fields = original.fields
    for i in layers:
        fields = _take_layer(original, i, fields, mixed)
    pair_fields = original.size("fmb_features", fields - mixed)
    width = fields * original.arguments["embedding_dim"]
    original.arguments.update(
        original.perceptron(
            "fc",
            width,
            units="mlp_hidden_units",
            activations="mlp_hidden_activations",
            default_activation="relu",
            dropout=None,
            batch_norm="mlp_batch_norm",
            default_batch_norm=True,
        ),
        num_layers=original.size("num_wukong_layers", len(layers)),
        mixed_fields=original.size("lcb_features", mixed),
        pair_fields=pair_fields,
        layer_norm=original.setting("layer_norm", True),
    )
    return WuKong


def _take_layer(original, number, fields, mixed):
    """Takes a layer; returns the number of fields that it makes."""
    name, layer = f"wukong_stack.{number}", f"layer_{number + 1}"
    dim = original.arguments["embedding_dim"]
    original.dense(
        f"{name}.lcb.linear", f"{layer}_mixing", fields, mixed, False
    )
    new = mixed + _take_pairs(original, f"{name}.fmb", layer, fields)
    normed, residual = original.setting("layer_norm", True), new != fields
    if residual:
        theirs, ours = f"{name}.residual_proj", f"{layer}_residual"
        original.dense(theirs, ours, fields, new, bias=not normed)
    if residual and normed:
        # It is the same for all elements, which the normalization takes away.
        original.take(f"{name}.residual_proj.bias", new)
    if normed:
        original.layer_norm(f"{name}.layer_norm", f"{layer}_norm", dim)
    return new


def _take_pairs(original, name, layer, fields):
    """Takes the part of the inner products; returns its number of fields."""
    rank, mixes = None, f"{name}.proj_Y"
    if original.state.has(mixes):
        kernel = original.move(mixes, f"{layer}_pairs/kernel", fields, None)
        rank = kernel.shape[1]
    original.arguments["low_rank"] = original.size("fmp_rank_k", rank)
    width = fields * (rank or fields)
    original.layer_norm(f"{name}.layer_norm", f"{layer}_pairs_norm", width)
    settings = original.tower(
        f"{name}.mlp",
        width,
        f"{layer}_output",
        activations="fmb_mlp_activations",
        default_activation="relu",
        batch_norm=False,
        name=layer,
    )
    original.size("fmb_mlp_units", list(settings["hidden_units"]))
    original.arguments.update(
        pair_units=settings["hidden_units"],
        pair_activation=settings["activation"],
        pair_dropout=settings["dropout"],
    )
    return settings["output_units"] // original.arguments["embedding_dim"]
