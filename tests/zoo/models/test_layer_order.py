"""Pins the layers of the four first networks, in their order.

A weight file of Keras names a layer by its class and its position among the
layers of that class, not by its name. Another order loads an old preset with
layers swapped, without an error where their shapes agree.
"""

import pytest

import zoo
from zoo.registry import NETWORKS

SCHEMA = zoo.FeatureSchema(["price"], {"site": 7, "hour": 5})

LAYERS = {
    "wide_deep": """
        ids rows embeddings dense flatten features hidden_1 linear_rows
        dropout_1 linear_embeddings hidden_2 linear_ids linear_dense dropout_2
        linear logit logits click""",
    "deepfm": """
        ids rows embeddings dense flatten features hidden_1 linear_rows
        dropout_1 linear_embeddings hidden_2 linear_ids linear_dense dropout_2
        linear fm logit logits click""",
    "dcn": """
        ids rows embeddings dense flatten features hidden_1 cross_1 dropout_1
        linear_rows cross_2 hidden_2 linear_embeddings cross_3 dropout_2
        linear_ids linear_dense cross_and_deep linear logit logits click""",
    "dcn_v2": """
        ids rows embeddings dense flatten features hidden_1 dropout_1
        linear_rows hidden_2 linear_embeddings cross dropout_2 linear_ids
        linear_dense cross_and_deep linear logit logits click""",
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_in_the_order_that_weight_files_have(name):
    model = NETWORKS[name](
        SCHEMA, embedding_dim=4, hidden_units=(8, 6), dropout=0.1
    )
    layers = [
        # Keras numbers the one layer without a name of its own.
        "flatten" if layer.name.startswith("flatten") else layer.name
        for layer in model.layers
    ]
    assert layers == LAYERS[name].split()


def test_layers_without_a_mixture_keep_their_order():
    model = zoo.DCNv2(
        SCHEMA, embedding_dim=4, hidden_units=(8, 6), mixture=False
    )
    assert [layer.name for layer in model.layers if layer.weights] == [
        "embeddings",
        "cross_1",
        "cross_2",
        "hidden_1",
        "linear_embeddings",
        "cross_3",
        "hidden_2",
        "linear_dense",
        "logit",
        "click",
    ]
