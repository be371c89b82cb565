import pytest

from zoo.layers import AttentionPooling
from zoo.layers import EulerInteraction
from zoo.layers import KhatriRaoNeuron


@pytest.mark.parametrize(
    "layer, names",
    [
        (AttentionPooling, ["dropout"]),
        (EulerInteraction, ["explicit_dropout", "implicit_dropout"]),
        (KhatriRaoNeuron, ["dropout"]),
    ],
)
def test_a_dropout_within_a_layer_has_its_dtype(layer, names):
    # A dropout in 16 bits would round what a layer in 32 computes.
    made = layer(2, dtype="mixed_bfloat16")
    for name in names:
        assert getattr(made, name).compute_dtype == "bfloat16"
