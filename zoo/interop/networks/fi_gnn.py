import numpy as np

from zoo.interop.networks.autoint import check_layers
from zoo.interop.sources import fuxictr
from zoo.models import FiGNN


@fuxictr("FiGNN")
def from_fuxictr(original):
    dim = original.embeddings()
    shared = original.setting("reuse_graph_layer", False)
    gru = original.setting("use_gru", True)
    if shared:
        # The checkpoint does not have their number.
        layers, prefixes = original.setting("gnn_layers", 3), ["fignn.gnn"]
    else:
        layers = check_layers(original, "fignn.gnn", "gnn_layers")
        prefixes = [f"fignn.gnn.{i}" for i in range(layers)]
    for i, prefix in enumerate(prefixes, start=1):
        _take_message(original, prefix, f"message_{i}", dim)
    original.dense("fignn.W_attn", "edges", 2 * dim, 1, bias=False)
    if gru:
        _take_gru_cell(original, "fignn.gru", "gru", dim)
    original.output("fc.mlp1", dim, bias=False)
    original.dense(
        "fc.mlp2.0", "votes", original.width, original.fields, bias=False
    )
    # The original's logit has no bias.
    original.put("click/bias", np.zeros(1))
    original.arguments.update(
        num_layers=layers,
        gru=gru,
        residual=original.setting("use_residual", True),
        shared_messages=shared,
    )
    return FiGNN


def _take_message(original, prefix, layer, dim):
    for ours, theirs in (("send", "W_out"), ("receive", "W_in")):
        kernels = original.take(f"{prefix}.{theirs}", original.fields, dim, dim)
        original.put(f"{layer}/{ours}_kernel", kernels.swapaxes(1, 2))
    original.move(f"{prefix}.bias_p", f"{layer}/bias", dim)


def _take_gru_cell(original, prefix, layer, dim):
    """Takes a `torch.nn.GRUCell` as a `keras.layers.GRUCell`."""
    taken = {
        name: original.take(f"{prefix}.{name}", 3 * dim, *shape)
        for name, shape in (
            ("weight_ih", (dim,)),
            ("weight_hh", (dim,)),
            ("bias_ih", ()),
            ("bias_hh", ()),
        )
    }
    # PyTorch has the reset gate first, Keras the update gate.
    order = np.r_[dim : 2 * dim, :dim, 2 * dim : 3 * dim]
    taken = {name: tensor[order] for name, tensor in taken.items()}
    original.put(f"{layer}/kernel", taken["weight_ih"].T)
    original.put(f"{layer}/recurrent_kernel", taken["weight_hh"].T)
    biases = np.stack([taken["bias_ih"], taken["bias_hh"]])
    original.put(f"{layer}/bias", biases)
