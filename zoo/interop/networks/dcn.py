from zoo.interop.networks.wide_deep import take_deep
from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import DCN
from zoo.models import DCNv2


@fuxictr("DCN")
def from_fuxictr(original):
    original.embeddings()
    width = original.width
    layers = original.count("num_cross_layers", "crossnet.cross_net")
    for i in range(layers):
        name, layer = f"crossnet.cross_net.{i}", f"cross_{i + 1}"
        original.dense(f"{name}.weight", layer, width, 1, bias=False)
        original.move(f"{name}.bias", f"{layer}/bias", width)
    original.arguments.update(num_cross_layers=layers, linear=False)
    original.output("fc", width + take_beside(original, "dnn"))
    return DCN


def take_beside(original, prefix, units="dnn_hidden_units", inputs=None):
    """Takes the perceptron beside cross layers, if there is one.

    Returns:
        The length of its output.
    """
    if not original.state.numbers(f"{prefix}.mlp"):
        original.size(units, [])
        original.arguments["hidden_units"] = ()
        return 0
    deep = original.perceptron(
        prefix,
        original.width if inputs is None else inputs,
        units=units,
        activations="dnn_activations",
        outputs=None,
    )
    original.arguments.update(deep)
    return deep["hidden_units"][-1]


@deepctr_torch("DCN", "cross_num", "cross_parameterization")
def from_deepctr_torch(original):
    kinds = ("vector", "matrix")
    kind = original.choice("cross_parameterization", "vector", kinds)
    width, layers = original.width, cross_layers(original, "kernels")
    size = 1 if kind == "vector" else width
    kernels = original.take("crossnet.kernels", layers, width, size)
    biases = original.take("crossnet.bias", layers, width, 1)
    for i in range(layers):
        kernel = kernels[i] if kind == "vector" else kernels[i].T
        original.put(f"cross_{i + 1}/kernel", kernel)
        original.put(f"cross_{i + 1}/bias", biases[i, :, 0])
    original.arguments["num_cross_layers"] = layers
    take_deep(original, beside=width)
    if kind == "vector":
        return DCN
    original.arguments["mixture"] = False
    return DCNv2


def cross_layers(original, name):
    """Returns the number of cross layers, and checks it."""
    layers = original.state.shape(f"crossnet.{name}")[0]
    if not layers:
        raise ValueError(
            f"{original.state.path}: there must be a cross layer; without one "
            "the network is a WDL with weights to spare. Received: cross_num=0"
        )
    return original.size("cross_num", layers)
