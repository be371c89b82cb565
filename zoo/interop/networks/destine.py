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
    kernel = original.take(f"{prefix}.W_unary.weight", 1, inputs).T
    original.put(f"{layer}/unary_kernel", kernel)
    # The softmax over the fields ignores it.
    original.take(f"{prefix}.W_unary.bias", 1)
    if residual == "each_layer":
        kernel = original.take(f"{prefix}.W_res.weight", units, inputs).T
        bias = original.take(f"{prefix}.W_res.bias", units)
        original.put(f"{layer}/residual_kernel", kernel)
        original.put(f"{layer}/residual_bias", bias)
    return units
