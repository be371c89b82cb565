from zoo.interop.networks.autoint import check_layers
from zoo.interop.sources import fuxictr
from zoo.models import AOANet


@fuxictr("AOANet")
def from_fuxictr(original):
    dim = original.embeddings()
    deep = original.perceptron(
        "dnn",
        original.width,
        units="dnn_hidden_units",
        activations="dnn_hidden_activations",
        outputs=None,
    )
    layers = check_layers(original, "gin.layers", "num_interaction_layers")
    subspaces = original.state.shape("gin.layers.0.h")[0]
    inputs = original.fields
    for i in range(layers):
        _take_fusion(original, i, inputs, subspaces, dim)
        inputs = subspaces
    original.output("fc", deep["hidden_units"][-1] + subspaces * dim)
    original.arguments.update(
        deep,
        num_layers=layers,
        num_subspaces=original.size("num_subspaces", subspaces),
    )
    return AOANet


def _take_fusion(original, i, inputs, subspaces, dim):
    prefix, layer = f"gin.layers.{i}", f"fusion_{i + 1}"
    fields = original.fields
    weights = original.take(f"{prefix}.alpha", inputs * fields, subspaces)
    original.put(
        f"{layer}/pair_weights", weights.reshape(inputs, fields, subspaces)
    )
    original.move(f"{prefix}.W", f"{layer}/mask", subspaces, dim, dim)
    projection = original.take(f"{prefix}.h", subspaces, dim, 1)
    original.put(f"{layer}/projection", projection[:, :, 0])
