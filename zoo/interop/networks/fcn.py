from zoo.checks import check_positive_integer
from zoo.interop.sources import fuxictr
from zoo.models import FCN


# The authors' code is made of FuxiCTR's parts.
@fuxictr("DCNv3")
def from_dcnv3(original):
    units = _take_heads(original)
    deep = _take_branch(original, "exponential", "ECN", "dfc", units)
    shallow = _take_branch(original, "linear", "LCN", "sfc", units)
    original.arguments.update(
        num_exponential_layers=original.size("num_deep_cross_layers", deep),
        num_linear_layers=original.size("num_shallow_cross_layers", shallow),
        exponential_dropout=original.dropout("deep_net_dropout", 0.1),
        linear_dropout=original.dropout("shallow_net_dropout", 0.3),
    )
    return FCN


@fuxictr("ECN")
def from_ecn(original):
    units = _take_heads(original)
    layers = _take_branch(original, "exponential", "ECN", "fc", units)
    original.arguments.update(
        branches=("exponential",),
        num_exponential_layers=original.size("num_cross_layers", layers),
        exponential_dropout=original.dropout("net_dropout"),
    )
    return FCN


def _take_heads(original):
    """Takes the embeddings; returns the length of a head."""
    heads = original.setting("num_heads", 1)
    check_positive_integer("config['num_heads']", heads)
    if "embedding_dim" in original.config:
        # There it is the length of a head's part.
        dim = original.config["embedding_dim"]
        check_positive_integer("config['embedding_dim']", dim)
        dim *= heads
        original.config = {**original.config, "embedding_dim": dim}
    original.embeddings("embedding_layer.embedding_layer")
    original.arguments.update(
        num_heads=heads,
        layer_norm=original.setting("layer_norm", True),
        batch_norm=original.setting("batch_norm", False),
    )
    return original.width // heads


def _take_branch(original, branch, prefix, output, units):
    """Takes a branch; returns the number of its layers."""
    layers = original.state.numbers(f"{prefix}.w")
    for i in layers:
        layer = f"{branch}_cross_{i + 1}"
        original.dense(f"{prefix}.w.{i}", layer, units, units // 2, bias=False)
        original.move(f"{prefix}.b.{i}", f"{layer}/bias", units)
        if original.arguments["layer_norm"]:
            name = f"{layer}/layer_norm"
            original.layer_norm(f"{prefix}.layer_norm.{i}", name, units // 2)
        if original.arguments["batch_norm"]:
            original.batch_norm(
                f"{prefix}.batch_norm.{i}",
                f"{layer}/batch_norm",
                original.arguments["num_heads"],
            )
    original.dense(f"{prefix}.{output}", f"{branch}_logit", units, 1)
    return len(layers)
