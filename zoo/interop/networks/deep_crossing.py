from zoo.interop.activations import activations_of
from zoo.interop.settings import hidden_arguments
from zoo.interop.sources import fuxictr
from zoo.models import DeepCrossing


@fuxictr("DeepCrossing")
def from_fuxictr(original):
    original.embeddings()
    width, stack = original.width, "crossing_layer"
    blocks = len(original.state.numbers(stack)) - 1
    kinds = activations_of(original.config, "hidden_activations", blocks)
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
        hidden_arguments(kinds, normed, [original.dropout("net_dropout")]),
        hidden_units=tuple(original.size("residual_blocks", units)),
        residual=bool(original.setting("use_residual", True)),
    )
    return DeepCrossing
