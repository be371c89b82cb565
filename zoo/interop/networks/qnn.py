from zoo.interop.activations import activation_of
from zoo.interop.sources import fuxictr
from zoo.layers.quadratic_neuron import PARTS
from zoo.models import QNN


@fuxictr("QNN_alpha")
def from_alpha(original):
    original.embeddings()
    width, layers = original.width, original.state.numbers("qnn.layer")
    size = original.state.shape("qnn.layer.0.linear.0.weight")[0]
    normed = original.setting("batch_norm", False)
    for i in layers:
        name = f"qnn.layer.{i}.linear"
        layer = f"neurons/quadratic_{i + 1}"
        original.dense(f"{name}.0", layer, width, size)
        if normed:
            original.batch_norm(f"{name}.1", f"{layer}/norm", size)
    original.dense("qnn.fc", "logit", width, 1)
    original.arguments.update(
        num_layers=original.size("num_layers", len(layers)),
        num_rows=original.size("num_row", size // width),
        num_heads=original.setting("num_heads", 1),
        normalization="batch" if normed else None,
        quadratic_dropout=original.dropout("net_dropout"),
    )
    return QNN


@fuxictr("QNN")
def from_fuxictr(original):
    kind = original.choice("neuron_type", "T1", PARTS)
    original.embeddings()
    width, layers = original.width, original.state.numbers("qnn.layer")
    normed = original.setting("batch_norm", False)
    for i in layers:
        name, layer = f"qnn.layer.{i}", f"quadratic_{i + 1}"
        theirs = "linear1" if kind == "T7" else "linear"
        original.dense(f"{name}.{theirs}", layer, width, PARTS[kind] * width)
        if kind == "T7":
            square, theirs = f"{layer}/square", f"{name}.linear2"
            kernel = original.take(f"{theirs}.weight", width, width)
            original.put(f"{square}_kernel", kernel.T)
            original.move(f"{theirs}.bias", f"{square}_bias", width)
        if normed:
            original.batch_norm(f"qnn.norm.{i}", f"norm_{i + 1}", width)
    original.dense("qnn.fc", "logit", width, 1)
    original.arguments.update(
        neuron_type=kind,
        num_layers=original.size("num_cross_layers", len(layers)),
        normalization="batch" if normed else None,
        activation=activation_of(
            "hidden_activations",
            original.setting("hidden_activations", "ReLU"),
        ),
        quadratic_dropout=original.dropout("net_dropout"),
    )
    return QNN
