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
            "must end with one width. Received: checkpoints of "
            f"{original.state.path}"
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
    columns = original.columns.schema.columns_of(role)
    tower = original.tower(
        f"{role}_tower",
        len(columns) * dim,
        f"{role}_vector",
        activations=f"{role}_tower_activations",
        dropout=f"{role}_tower_dropout",
        name=role,
    )
    original.size(
        f"{role}_tower_units", [*tower["hidden_units"], tower["output_units"]]
    )
    return tower
