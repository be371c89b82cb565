import numpy as np

from zoo.interop.activations import activation_of
from zoo.interop.settings import check_size
from zoo.interop.sources import deepctr_torch
from zoo.interop.sources import fuxictr
from zoo.models import CCPM


@fuxictr("CCPM")
def from_fuxictr(original):
    dim = original.embeddings()
    stack = "conv_layer.conv_layer"
    filters, heights = _take_convolutions(original, stack)
    original.size("channels", filters)
    check_heights(original, "kernel_heights", heights)
    original.output("fc", dim * 3 * filters[-1])
    kernel = original.weights["logit/kernel"]
    original.put("logit/kernel", channels_last(kernel, filters[-1], 3))
    original.arguments["convolution_activation"] = map_activation(
        original, "activation"
    )
    return CCPM


@deepctr_torch("CCPM", "conv_kernel_width", "conv_filters")
def from_deepctr_torch(original):
    original.embeddings()
    original.linear()
    original.bias()
    stack = "conv_layer.conv_layer"
    filters, heights = _take_convolutions(original, stack)
    original.size("conv_filters", filters)
    check_size(original.config, "conv_kernel_width", heights)
    original.arguments.update(
        padding="same", keep_order=False, smallest_k=1, linear=True,
        # Numeric columns are in the linear part alone.
        dense="concat",
    )  # fmt: skip
    dim = original.columns.embedding_dim
    inputs = original.state.shape("dnn.linears.0.weight")[1]
    rows = inputs // (dim * filters[-1])
    width = original.perceptron(inputs)
    original.arguments["top_units"] = original.arguments.pop("hidden_units")
    kernel = original.weights["hidden_1/kernel"]
    original.put("hidden_1/kernel", channels_last(kernel, filters[-1], rows))
    original.output("dnn_linear", width, bias=False)
    return CCPM


def map_activation(original, name, default="Tanh"):
    """Returns the activation of feature maps.

    Softmax, PReLU and Dice are refused: the original applies them along another
    axis than the zoo.
    """
    kind = activation_of(name, original.setting(name, default))
    if kind in ("softmax", "prelu", "dice"):
        raise ValueError(
            f"`config['{name}']` must be an activation of each number for "
            f"itself. Received: config['{name}']={kind!r}"
        )
    return kind


def check_heights(original, name, heights):
    """Checks a setting that may be one height for all layers."""
    if isinstance(original.setting(name, heights), list | tuple):
        check_size(original.config, name, heights)
    else:
        check_size(original.config, name, heights[0])


def take_convolution(original, name, layer):
    """Takes a `Conv2d` over rows as a `FieldConvolution`.

    Returns:
        The number of its filters, and its height.
    """
    kernel = original.take(f"{name}.weight", None, None, None, 1)
    filters, _, height, _ = kernel.shape
    original.put(f"{layer}/kernel", kernel.transpose(2, 3, 1, 0))
    original.move(f"{name}.bias", f"{layer}/bias", filters)
    return filters, height


def channels_last(kernel, channels, rows):
    """Turns a kernel on flat (channel, row, dim) into (row, dim, channel)."""
    maps = kernel.reshape(channels, rows, -1, kernel.shape[-1])
    return np.moveaxis(maps, 0, 2).reshape(kernel.shape)


def _take_convolutions(original, stack):
    filters, heights = [], []
    numbers = original.state.numbers(stack)
    for i, number in enumerate(numbers, start=1):
        channels, height = take_convolution(
            original, f"{stack}.{number}", f"convolution_{i}"
        )
        filters.append(channels)
        heights.append(height)
    original.arguments.update(
        filters=tuple(filters), kernel_heights=tuple(heights)
    )
    return filters, heights
