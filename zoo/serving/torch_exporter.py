"""Makes PyTorch's exporters take what the layers of Keras call."""

import contextlib

SINCE = 17
"""The first ONNX opset that has `LayerNormalization`."""


@contextlib.contextmanager
def torch_symbols():
    """Lets PyTorch export `ravel` and `layer_norm` within the block.

    Neither the exporter of ONNX nor OpenVINO knows `ravel`, which
    `keras.ops.take` calls.
    """
    import torch
    from torch.onnx.symbolic_helper import parse_args

    name = "aten::layer_norm"
    symbol = parse_args("v", "v", "v", "v", "f", "none")(_layer_norm)
    torch.onnx.register_custom_op_symbolic(name, symbol, SINCE)
    # It hides the method of a base class, until it is deleted.
    torch.Tensor.ravel = lambda tensor: tensor.reshape(-1)
    try:
        yield
    finally:
        del torch.Tensor.ravel
        torch.onnx.unregister_custom_op_symbolic(name, SINCE)


def _layer_norm(g, values, shape, weight, bias, epsilon, cudnn_enable):
    """Exports a layer normalization whose `shape` has tensors for numbers.

    That is so while Keras is traced, and PyTorch's own symbol refuses it.
    """
    import torch

    numbers = shape.toIValue()
    axes = len(list(shape.node().inputs()) if numbers is None else numbers)
    if weight.node().mustBeNone():
        sizes = g.op("Shape", values, start_i=-axes)
        weight = g.op("ConstantOfShape", sizes, value_t=torch.ones(1))
    tensors = [values, weight]
    if not bias.node().mustBeNone():
        tensors.append(bias)
    return g.op(
        *("LayerNormalization", *tensors), epsilon_f=epsilon, axis_i=-axes
    )
