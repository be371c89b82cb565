from zoo.interop.sources import fuxictr
from zoo.models import EDCN

BRIDGES = {
    "hadamard_product": "hadamard",
    "pointwise_addition": "sum",
    "concatenation": "concat",
    "attention_pooling": "attention",
}


@fuxictr("EDCN")
def from_fuxictr(original):
    bridge = original.choice("bridge_type", "hadamard_product", BRIDGES)
    original.embeddings()
    width = original.width
    layers = original.count("num_cross_layers", "cross_layers")
    for i in range(layers):
        name, layer = f"cross_layers.{i}", f"cross_{i + 1}"
        original.dense(f"{name}.weight", layer, width, 1, bias=False)
        original.move(f"{name}.bias", f"{layer}/bias", width)
        deep = original.perceptron(
            f"dense_layers.{i}",
            width,
            units=[width],
            batch_norm=False,
            outputs=None,
            name=f"deep_{i + 1}",
        )
        original.arguments["activation"] = deep["activation"]
        original.arguments["dropout"] = deep["dropout"]
        _take_bridge(original, i, bridge)
        _take_regulation(original, i)
    original.output("fc", 3 * width)
    normed = original.setting("batch_norm", False)
    original.arguments.update(
        num_cross_layers=layers,
        bridge=BRIDGES[bridge],
        temperature=original.setting("temperature", 1),
        normalization="batch" if normed else None,
    )
    return EDCN


def _take_bridge(original, place, bridge):
    name, layer = f"bridge_modules.{place}", f"bridge_{place + 1}"
    width = original.width
    if bridge == "concatenation":
        pooling = f"{name}.concat_pooling.0"
        original.dense(pooling, f"{layer}_hidden_1", 2 * width, width)
    elif bridge == "attention_pooling":
        attention = f"{name}.attention1"
        original.dense(f"{attention}.0", f"{layer}_hidden", width, width)
        original.dense(
            f"{attention}.2", f"{layer}_score", width, width, bias=False
        )
        # FuxiCTR makes a second attention, but calls the first one twice.
        original.take(f"{name}.attention2.0.weight", width, width)
        original.take(f"{name}.attention2.0.bias", width)
        original.take(f"{name}.attention2.2.weight", width, width)


def _take_regulation(original, place):
    name = f"regulation_modules.{place}"
    for number, branch in enumerate(("cross", "deep"), start=1):
        layer = f"{branch}_{place + 1}"
        gate = original.take(f"{name}.g{number}", original.fields)
        original.put(f"{layer}_regulation/gate", gate[:, None])
        if original.setting("batch_norm", False):
            original.batch_norm(
                f"{name}.bn{number}", f"{layer}_norm", original.width
            )
