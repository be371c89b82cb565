from zoo.interop.sources import fuxictr
from zoo.models import EulerNet

LAYERS = "Euler_interaction_layers"


@fuxictr("EulerNet")
def from_fuxictr(original):
    dim = original.embeddings()
    fields = original.fields
    original.put("phases/modulus", original.take("mu", 1, fields, 1)[0])
    layer_norm = original.setting("layer_norm", False)
    units = []
    for i in original.state.numbers(LAYERS):
        units.append(_take_layer(original, i, fields, dim, layer_norm))
        fields = units[-1]
    original.dense("reg", "logit", fields * dim, 1, bias=False)
    # One layer gives the logit of the real and of the imaginary parts.
    original.put("click/bias", 2 * original.take("reg.bias", 1))
    original.arguments.update(
        interaction_units=tuple(original.size("shape", units)),
        explicit_dropout=float(original.setting("net_ex_dropout", 0)),
        implicit_dropout=float(original.setting("net_im_dropout", 0)),
        layer_norm=layer_norm,
    )
    return EulerNet


def _take_layer(original, number, fields, dim, layer_norm):
    name, layer = f"{LAYERS}.{number}", f"interaction_{number + 1}"
    orders = f"{name}.inter_orders"
    units = original.move(orders, f"{layer}/orders", fields, None).shape[1]
    for ours, theirs in (
        ("modulus_bias", "bias_lam"),
        ("angle_bias", "bias_theta"),
    ):
        bias = original.take(f"{name}.{theirs}", 1, dim, units)
        original.put(f"{layer}/{ours}", bias[0].T)
    original.dense(f"{name}.im", layer, fields * dim, units * dim)
    for ours, theirs in (
        ("real_norm", "norm_r"),
        ("imaginary_norm", "norm_p"),
    ):
        if layer_norm:
            original.layer_norm(f"{name}.{theirs}", f"{layer}/{ours}", dim)
        else:
            # The original makes them, but does not use them.
            original.take(f"{name}.{theirs}.weight", dim)
            original.take(f"{name}.{theirs}.bias", dim)
    return units
