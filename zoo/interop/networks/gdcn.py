from zoo.interop.sources import fuxictr
from zoo.models import GDCN


@fuxictr("GDCN")
def from_fuxictr(original):
    _take_cross(original)
    deep = original.perceptron(
        "dnn",
        original.width,
        units="dnn_hidden_units",
        activations="dnn_activations",
    )
    original.arguments.update(deep, structure="stacked")
    return GDCN


@fuxictr("GDCNP")
def from_fuxictr_parallel(original):
    _take_cross(original)
    deep = original.perceptron(
        "dnn",
        original.width,
        units="dnn_hidden_units",
        activations="dnn_activations",
        outputs=None,
    )
    original.output("fc", original.width + deep["hidden_units"][-1])
    original.arguments.update(deep, structure="parallel")
    return GDCN


def _take_cross(original):
    original.embeddings()
    width = original.width
    layers = original.size(
        "num_cross_layers", len(original.state.numbers("cross_net.w"))
    )
    for i in range(layers):
        layer = f"cross_{i + 1}"
        for ours, theirs in (("kernel", "w"), ("gate", "wg")):
            kernel = original.take(
                f"cross_net.{theirs}.{i}.weight", width, width
            )
            original.put(f"{layer}/{ours}", kernel.T)
        original.put(f"{layer}/bias", original.take(f"cross_net.b.{i}", width))
    original.arguments["num_cross_layers"] = layers
