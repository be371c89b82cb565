from zoo.interop.sources import deepctr_torch
from zoo.models import IFM


@deepctr_torch("IFM")
def from_deepctr_torch(original):
    take_factors(
        original,
        "factor_estimating_net",
        "transform_weight_matrix_P",
        "factors",
    )
    return IFM


def take_factors(original, prefix, name, layer):
    """Takes a factorization machine and the perceptron of its factors.

    Args:
        original: `DeepCTRTorch`.
        prefix: string, what the original calls the perceptron.
        name: string, what it calls the weights that make factors of it.
        layer: string, what the zoo calls these.
    """
    original.embeddings()
    original.linear()
    original.bias()
    # Numeric columns are in the linear part alone.
    width = original.perceptron(original.embedded, prefix)
    original.dense(name, layer, width, original.fields, bias=False)
