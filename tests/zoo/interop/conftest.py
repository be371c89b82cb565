import keras
import numpy as np
import pytest


@pytest.fixture
def logits():
    """Logits of a model of the zoo, before its sigmoid rounds them."""

    def logits(model, inputs):
        click = model.get_layer("click")
        before_bias = keras.Model(model.input, click.input)
        logits = before_bias(inputs, training=False) + click.bias
        return keras.ops.convert_to_numpy(logits)

    return logits


@pytest.fixture
def randomize():
    """Draws all weights of a PyTorch model, biases too, far from 0.

    And the statistics of its batch normalizations, far from 0 and 1.
    """

    # Plain sessions, which leave this folder out, may have no PyTorch.
    import torch

    def randomize(module):
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for parameter in module.parameters():
                width = parameter.shape[-1] if parameter.dim() > 1 else 1
                deviation = 1.0 / np.sqrt(max(width, 4))
                parameter.normal_(0, deviation, generator=generator)
            for layer in module.modules():
                # Zero in every trained model: it gets no gradient.
                if getattr(layer, "padding_idx", None) is not None:
                    layer.weight[layer.padding_idx] = 0
                if getattr(layer, "running_var", None) is not None:
                    layer.running_mean.normal_(0, 0.3, generator=generator)
                    layer.running_var.uniform_(0.5, 2, generator=generator)

    return randomize
