from zoo.interop.activations import activations_of
from zoo.interop.fuxictr_original import TABLES
from zoo.interop.settings import dropouts_of
from zoo.interop.settings import hidden_arguments
from zoo.interop.sources import fuxictr
from zoo.models import PPNet


@fuxictr("PPNet")
def from_fuxictr(original):
    original.embeddings()
    priors = _priors(original)
    prefix = f"gate_embed_layer.{TABLES}.{{}}"
    dim = original.selected(priors, prefix, "gate_embeddings")
    original.arguments.update(
        gate_priors=tuple(priors),
        gate_embedding_dim=original.size("gate_emb_dim", dim),
    )
    _take_layers(original, original.width + len(priors) * dim)
    return PPNet


def _priors(original):
    """The names of the priors, in the order that the original joins them."""
    names = original.listed("gate_priors")
    if not names:
        raise ValueError(
            "`config['gate_priors']` must have a feature, for without one the "
            f"original does not run. Received: config['gate_priors']={names!r}"
        )
    return names


def _take_layers(original, gate_inputs):
    stack, inputs = "ppn.mlp_layers", original.width
    layers = original.state.numbers(stack)[:-1]
    count = len(layers)
    kinds = activations_of(original.config, "hidden_activations", count)
    rates = dropouts_of(original.config, "net_dropout", count)
    normed = original.setting("batch_norm", False)
    units = original.setting("gate_hidden_dim", 64)
    widths = []
    for i in layers:
        kernel = original.dense(f"{stack}.{i}.0", f"hidden_{i + 1}", inputs)
        inputs = kernel.shape[1]
        widths.append(inputs)
        if normed:
            original.batch_norm(f"{stack}.{i}.1", f"norm_{i + 1}", inputs)
        gate = f"ppn.gate_layers.{i}.gate"
        width = inputs if units is None else units
        original.dense(f"{gate}.0", f"gate_hidden_{i + 1}", gate_inputs, width)
        original.dense(f"{gate}.2", f"gate_{i + 1}", width, inputs)
    original.output(f"{stack}.{len(layers)}", inputs)
    original.arguments.update(
        hidden_arguments(kinds, normed, rates),
        hidden_units=tuple(original.size("hidden_units", widths)),
        gate_units=units,
    )
