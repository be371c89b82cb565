from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import AFM


@fuxictr("AFM")
def from_fuxictr(original):
    dim = original.embeddings()
    original.linear("lr_layer")
    kernel = original.take("attention.0.weight", None, dim).T
    units = original.size("attention_dim", kernel.shape[1])
    weights = {
        "attention/kernel": kernel,
        "attention/bias": original.take("attention.0.bias", units),
        "attention/score": original.take("attention.2.weight", 1, units).T,
        "logit/kernel": original.take("weight_p.weight", 1, dim).T,
    }
    attention = original.setting("use_attention", True)
    # A checkpoint has these weights even without attention.
    original.weights.update(weights if attention else {})
    rates = original.setting("attention_dropout", (0.0, 0.0))
    original.arguments.update(
        attention=attention,
        attention_units=units,
        attention_dropout=rates[0],
        pooled_dropout=rates[1],
    )
    return AFM


@deepctr_torch("AFM", "use_attention", "attention_factor", "afm_dropout")
def from_deepctr_torch(original):
    original.embeddings()
    original.linear()
    original.bias()
    attention = original.setting("use_attention", True)
    original.arguments["attention"] = attention
    if not attention:
        return AFM
    dim = original.columns.embedding_dim
    kernel = original.move("fm.attention_W", "attention/kernel", dim, None)
    units = original.size("attention_factor", kernel.shape[1])
    original.move("fm.attention_b", "attention/bias", units)
    original.move("fm.projection_h", "attention/score", units, 1)
    original.move("fm.projection_p", "logit/kernel", dim, 1)
    original.arguments.update(
        attention_units=units,
        pooled_dropout=original.setting("afm_dropout", 0.0),
    )
    return AFM
