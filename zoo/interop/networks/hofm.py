from zoo.interop.sources import fuxictr
from zoo.models import HOFM


@fuxictr("HOFM")
def from_fuxictr(original):
    original.linear("lr_layer")
    reused = original.setting("reuse_embedding", False)
    original.arguments["shared_table"] = reused
    if reused:
        # The checkpoint does not tell it.
        original.arguments["order"] = original.setting("order", 3)
        original.embeddings()
        return HOFM
    orders = len(original.state.numbers("embedding_layers"))
    original.arguments["order"] = original.size("order", orders + 1)
    dims = [
        original.embeddings(
            f"embedding_layers.{i}",
            "embeddings" if i == 0 else f"embeddings_{i + 2}",
            sized=False,
        )
        for i in range(orders)
    ]
    one = isinstance(original.setting("embedding_dim", dims), int)
    original.size("embedding_dim", dims[0] if one else dims)
    original.arguments.update(
        embedding_dim=dims[0],
        order_dims=() if len(set(dims)) == 1 else tuple(dims),
    )
    return HOFM
