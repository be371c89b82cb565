from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import LR
from zoo.models import WideDeep


@fuxictr("WideDeep")
def from_fuxictr(original):
    original.embeddings()
    original.arguments.update(original.perceptron("dnn", original.width))
    original.linear("lr_layer", bias=False)
    return WideDeep


@deepctr_torch("WDL")
def from_deepctr_torch(original):
    return take_wide_deep(original)


def take_wide_deep(original):
    """Takes a linear part beside a perceptron, which may have no layers."""
    take_deep(original)
    if original.arguments["hidden_units"]:
        return WideDeep
    # Then the embeddings enter nowhere.
    del original.weights["embeddings/embeddings"]
    return LR


def take_deep(original, beside=0):
    """Takes what most networks of DeepCTR-Torch have.

    The embeddings, the linear part, the perceptron and the output.

    Args:
        original: `DeepCTRTorch`.
        beside: integer, length of what is put before the perceptron's output.
    """
    original.embeddings()
    original.linear()
    original.bias()
    width = original.perceptron(original.width)
    if original.arguments["hidden_units"]:
        original.output("dnn_linear", beside + width, bias=False)
