from zoo.interop.networks.autoint import check_layers
from zoo.interop.networks.autoint import take_deep_logit
from zoo.interop.networks.autoint import take_projections
from zoo.interop.networks.interhat import check_one_head
from zoo.interop.sources import fuxictr
from zoo.models import DESTINE
from zoo.models.destine import RESIDUALS


@fuxictr("DESTINE")
def from_fuxictr(original):
    defaults = {"net_dropout": 0.1, "att_dropout": 0.1}
    original.config = {**defaults, **original.config}
    check_one_head(original, default=2)
    dim = original.embeddings()
    # FuxiCTR takes any other value for none.
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
        attention_dropout=original.dropout("att_dropout"),
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
    unary, kernel = f"{prefix}.W_unary", f"{layer}/unary_kernel"
    original.move(f"{unary}.weight", kernel, 1, inputs, transposed=True)
    # The softmax over the fields ignores it.
    original.take(f"{unary}.bias", 1)
    if residual == "each_layer":
        kernel = original.take(f"{prefix}.W_res.weight", units, inputs).T
        original.put(f"{layer}/residual_kernel", kernel)
        original.move(f"{prefix}.W_res.bias", f"{layer}/residual_bias", units)
    return units
