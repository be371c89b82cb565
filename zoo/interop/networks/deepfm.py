from zoo.interop.networks.wide_deep import take_deep
from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import FM
from zoo.models import DeepFM


@fuxictr("DeepFM")
def from_fuxictr(original):
    original.embeddings()
    original.arguments.update(original.perceptron("mlp", original.width))
    original.linear("fm.lr_layer")
    return DeepFM


@deepctr_torch("DeepFM", "use_fm")
def from_deepctr_torch(original):
    if not original.setting("use_fm", True):
        raise ValueError(
            "`config['use_fm']` must be True; without it a DeepFM is a WDL: "
            "import it as model='WDL'. Received: "
            f"config['use_fm']={original.config['use_fm']!r}"
        )
    take_deep(original)
    return DeepFM if original.arguments["hidden_units"] else FM
