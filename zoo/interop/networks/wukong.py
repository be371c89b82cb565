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
    state, rank = original.state, None
    if state.has(f"{name}.proj_Y"):
        kernel = original.take(f"{name}.proj_Y", fields, None)
        original.put(f"{layer}_pairs/kernel", kernel)
        rank = kernel.shape[1]
    original.arguments["low_rank"] = original.size("fmp_rank_k", rank)
    width = fields * (rank or fields)
    original.layer_norm(f"{name}.layer_norm", f"{layer}_pairs_norm", width)
    stack = f"{name}.mlp.mlp"
    shapes = [state.shape(f"{stack}.{i}.weight") for i in state.numbers(stack)]
    widths = [shape[0] for shape in shapes if len(shape) == 2]
    settings = original.perceptron(
        f"{name}.mlp",
        width,
        units=original.size("fmb_mlp_units", widths[:-1]),
        activations="fmb_mlp_activations",
        default_activation="relu",
        dropout="net_dropout",
        batch_norm=False,
        outputs=None,
        followed=True,
        name=layer,
    )
    original.arguments.update(
        pair_units=settings["hidden_units"],
        pair_activation=settings["activation"],
        pair_dropout=settings["dropout"],
    )
    last = state.numbers(stack)[-1]
    original.dense(f"{stack}.{last}", f"{layer}_output", units=widths[-1])
    return widths[-1] // original.arguments["embedding_dim"]
