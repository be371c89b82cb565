from zoo.interop.sources import fuxictr
from zoo.models import GDCN


@fuxictr("GDCN")
def from_fuxictr(original):
    _take_cross(original)
    original.dnn(original.width)
    original.arguments["structure"] = "stacked"
    return GDCN


@fuxictr("GDCNP")
def from_fuxictr_parallel(original):
    _take_cross(original)
    deep = original.dnn(original.width, outputs=None)
    original.output("fc", original.width + deep)
    original.arguments["structure"] = "parallel"
    return GDCN


def _take_cross(original):
    original.embeddings()
    width = original.width
    layers = original.count("num_cross_layers", "cross_net.w")
    for i in range(layers):
        layer = f"cross_{i + 1}"
        for ours, theirs in (("kernel", "w"), ("gate", "wg")):
            kernel = original.take(
                f"cross_net.{theirs}.{i}.weight", width, width
            )
            original.put(f"{layer}/{ours}", kernel.T)
        original.move(f"cross_net.b.{i}", f"{layer}/bias", width)
    original.arguments["num_cross_layers"] = layers
