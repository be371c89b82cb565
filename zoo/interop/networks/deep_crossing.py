from zoo.interop.activations import activations_of
from zoo.interop.activations import same_or_each
from zoo.interop.settings import dropouts_of
from zoo.interop.sources import fuxictr
from zoo.models import DeepCrossing


@fuxictr("DeepCrossing")
def from_fuxictr(original):
    original.embeddings()
    width, stack = original.width, "crossing_layer"
    blocks = len(original.state.numbers(stack)) - 1
    kinds = activations_of(
        "hidden_activations",
        original.setting("hidden_activations", "ReLU"),
        blocks,
    )
    units = []
    normed = original.setting("batch_norm", False)
    for i in range(blocks):
        name = f"{stack}.{i}"
        kernel = original.dense(f"{name}.layer.0", f"inner_{i + 1}", width)
        units.append(kernel.shape[1])
        original.dense(f"{name}.layer.2", f"hidden_{i + 1}", units[-1], width)
        if normed:
            original.batch_norm(f"{name}.batch_norm", f"norm_{i + 1}", width)
    original.output(f"{stack}.{blocks}", width)
    original.arguments.update(
        hidden_units=tuple(original.size("residual_blocks", units)),
        activation=same_or_each(kinds) if kinds else "relu",
        normalization="batch" if normed else None,
        dropout=dropouts_of(original.config, "net_dropout", 1)[0],
        residual=bool(original.setting("use_residual", True)),
    )
    return DeepCrossing
