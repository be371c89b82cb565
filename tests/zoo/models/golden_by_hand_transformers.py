"""Maps the transformers of torch-rechub, which users do not import."""

import numpy as np

from tests.zoo.models.golden_by_hand import by_hand
from zoo.interop.networks.bst import take_block


@by_hand("torch-rechub/BST")
def rechub_bst(original):
    fields = original.tables("embedding")
    schema, dim = original.schema, original.arguments["embedding_dim"]
    history = tuple(schema.sequences)
    targets = tuple(schema.sequences[name].field for name in history)
    width = dim * len(history)
    length = schema.sequences[history[0]].max_length + 1
    vectors = original.take("pos_embedding.weight", None, width)
    original.put("positions_1/vectors", vectors[:length])
    for i in range(original.config["num_layers"]):
        layer = f"transformer_layers.layers.{i}"
        hidden = take_block(original, layer, f"block_1_{i + 1}", width)
    original.mlp("mlp", fields + width)
    # There the interest is first, then the targets, then the other fields.
    kernel = original.weights["hidden_1/kernel"]
    interest, offered, others = np.split(kernel, [width, 2 * width])
    original.put("hidden_1/kernel", np.concatenate([others, offered, interest]))
    assert tuple(schema.categorical)[-len(targets) :] == targets
    original.arguments.update(
        histories=[history],
        targets=[targets],
        num_heads=original.config["nhead"],
        num_layers=original.config["num_layers"],
        feedforward_units=hidden,
        position="add",
        pooling="target",
    )
    return "bst"
