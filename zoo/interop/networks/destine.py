from zoo.interop.networks.autoint import check_layers
from zoo.interop.networks.autoint import take_deep_logit
from zoo.interop.networks.autoint import take_projections
from zoo.interop.networks.interhat import check_one_head
from zoo.interop.settings import dropouts_of
from zoo.interop.sources import fuxictr
from zoo.models import DESTINE
from zoo.models.destine import RESIDUALS


@fuxictr("DESTINE")
def from_fuxictr(original):
    defaults = {"net_dropout": 0.1, "att_dropout": 0.1}
    original.config = {**defaults, **original.config}
    check_one_head(original, default=2)
    dim = original.embeddings()
    # Any other is none there.
    residual = original.setting("residual_mode", "each_layer")
    residual = residual if residual in RESIDUALS else None
    units, layers = dim, check_layers(original, "self_attns")
    for i in range(layers):
        units = _take_attention(original, i, units, residual)
    if residual == "last_layer":
        original.dense("W_res", "residual", dim, units)
    original.arguments.update(
        attention_units=original.size("attention_dim", units),
        num_heads=1,
        num_layers=layers,
        scaled=original.setting("use_scale", False),
        relu_projections=original.setting("relu_before_att", False),
        residual=residual,
        attention_dropout=dropouts_of(original.config, "att_dropout", 1)[0],
        linear=original.setting("use_wide", True),
    )
    original.output("attn_fc", original.fields * units, "attention_logit")
    take_deep_logit(original)
    if original.arguments["linear"]:
        original.linear("lr")
    return DESTINE


def _take_attention(original, i, inputs, residual):
    prefix, layer = f"self_attns.{i}", f"attention_{i + 1}"
    units = take_projections(original, prefix, layer, inputs, None, bias=True)
    pieces = [("unary", "W_unary", 1)]
    if residual == "each_layer":
        pieces.append(("residual", "W_res", units))
    for ours, theirs, width in pieces:
        kernel = original.take(f"{prefix}.{theirs}.weight", width, inputs).T
        bias = original.take(f"{prefix}.{theirs}.bias", width)
        original.put(f"{layer}/{ours}_kernel", kernel)
        original.put(f"{layer}/{ours}_bias", bias)
    return units
