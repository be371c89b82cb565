from zoo.interop.networks.autoint import take_projections
from zoo.interop.sources import fuxictr
from zoo.models import InterHAt


@fuxictr("InterHAt")
def from_fuxictr(original):
    check_one_head(original, default=1)
    dim = original.embeddings()
    layer_norm = original.setting("layer_norm", True)
    units = _take_attention(original, dim, layer_norm)
    hidden = _take_feedforward(original, dim, layer_norm)
    order = original.count("order", "aggregation_layers")
    for i in range(order):
        _take_pooling(
            original, f"aggregation_layers.{i}", f"pooling_{i + 1}", dim, hidden
        )
    _take_pooling(original, "attentional_score", "order_pooling", dim, hidden)
    deep = original.perceptron("mlp", dim, default_activation="relu")
    original.arguments.update(
        deep,
        order=order,
        attention_units=units,
        num_heads=1,
        feedforward_units=hidden,
        residual=original.setting("use_residual", True),
        layer_norm=layer_norm,
        attention_dropout=original.dropout("net_dropout"),
    )
    return InterHAt


def check_one_head(original, default):
    """Refuses several heads, which these originals do not keep apart."""
    heads = original.setting("num_heads", default)
    if heads != 1:
        raise ValueError(
            "`config['num_heads']` must be 1: with more, the original mixes "
            "fields and heads by a reshape, which is not in the paper and not "
            f"in the zoo. Received: config['num_heads']={heads!r}"
        )


def _take_attention(original, dim, layer_norm):
    prefix = "multi_head_attention"
    units = take_projections(original, prefix, "attention", dim, None)
    _check_unless_none(original, "attention_dim", units)
    if units != dim:
        original.dense(
            f"{prefix}.W_res", "attention_output", units, dim, bias=False
        )
    if layer_norm:
        original.layer_norm(f"{prefix}.layer_norm", "attention_norm", dim)
    return units


def _take_feedforward(original, dim, layer_norm):
    kernel = original.dense("feedforward.ffn.0", "feedforward_1", dim)
    hidden = kernel.shape[1]
    _check_unless_none(original, "hidden_dim", hidden)
    original.dense("feedforward.ffn.2", "feedforward_2", hidden, dim)
    if layer_norm:
        original.layer_norm("feedforward.layer_norm", "feedforward_norm", dim)
    return hidden


def _take_pooling(original, prefix, layer, dim, hidden):
    original.dense(f"{prefix}.agg.0", layer, dim, hidden)
    score, variable = f"{prefix}.agg.2.weight", f"{layer}/score"
    original.move(score, variable, 1, hidden, transposed=True)


def _check_unless_none(original, name, size):
    # `None` there means a size that follows from others.
    if original.setting(name, None) is not None:
        original.size(name, size)
