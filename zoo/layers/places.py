"""Finds and takes values at places that differ from row to row."""

import keras
from keras import ops


def top_places(values, k):
    """Returns the places of the `k` largest values along the last axis.

    The largest is the first, and of equal ones that which came first. On JAX
    they are sorted: TensorFlow, which serves a SavedModel of JAX, may be too
    old to read its `top_k`.

    Example:

    >>> top_places(np.array([5, 9, 7]), 2)  # [1, 2]
    """
    if keras.backend.backend() == "jax":
        values = ops.convert_to_tensor(values)
        return ops.argsort(-values, axis=-1)[..., :k]
    return ops.top_k(values, k)[1]


def take_at(values, places, axis):
    """`ops.take_along_axis`, which `torch.export` takes for any batch size.

    On PyTorch, Keras calls `take_along_dim`, which compares the shapes as
    numbers and so fixes the batch size.

    Args:
        values: tensor.
        places: tensor of integers from 0 on, of as many axes; those beside
            `axis` are as long as those of `values`, or 1 long.
        axis: integer, the axis that the places count along.

    Returns:
        Tensor of the shape of `values`, along `axis` as long as `places`.

    Example:

    >>> take_at(np.array([[5, 6]]), np.array([[1]]), axis=1)  # [[6]]
    """
    if keras.backend.backend() != "torch":
        return ops.take_along_axis(values, places, axis=axis)
    import torch

    values = ops.convert_to_tensor(values)
    places = ops.convert_to_tensor(places).long()
    shape = list(values.shape)
    shape[axis] = places.shape[axis]
    return torch.gather(values, axis, places.expand(shape))
