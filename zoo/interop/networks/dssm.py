import numpy as np

from zoo.interop.sources import fuxictr
from zoo.models import DSSM


@fuxictr("DSSM")
def from_fuxictr(original):
    dim = original.embeddings("")
    user = _take_tower(original, "user", dim)
    item = _take_tower(original, "item", dim)
    if user.pop("output_units") != item["output_units"]:
        raise ValueError(
            "`config['user_tower_units']` and `config['item_tower_units']` "
            "must end with one width. Received: "
            f"config['user_tower_units']={original.config['user_tower_units']}"
        )
    del item["normalization"]
    kind = item.pop("activation")
    original.arguments.update(
        user,
        output_units=item.pop("output_units"),
        item_units=item.pop("hidden_units"),
        item_activation="linear" if kind is None else kind,
        item_dropout=item.pop("dropout"),
    )
    # The original has no bias of the logit.
    original.put("click/bias", np.zeros(1, "float32"))
    return DSSM


def _take_tower(original, role, dim):
    prefix = f"{role}_tower"
    stack, columns = f"{prefix}.mlp", original.columns.schema.columns_of(role)
    weights = [
        f"{stack}.{number}"
        for number in original.state.numbers(stack)
        if original.state.has(f"{stack}.{number}.weight")
    ]
    shapes = [original.state.shape(f"{name}.weight") for name in weights]
    widths = [shape[0] for shape in shapes if len(shape) == 2]
    inputs = len(columns) * dim
    *hidden, outputs = original.size(f"{prefix}_units", widths)
    tower = original.perceptron(
        prefix,
        inputs,
        units=hidden,
        activations=f"{prefix}_activations",
        dropout=f"{prefix}_dropout",
        outputs=None,
        name=role,
    )
    original.dense(
        weights[-1], f"{role}_vector", [inputs, *hidden][-1], outputs
    )
    return {**tower, "output_units": outputs}
