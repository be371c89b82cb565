import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.layers.places import take_at
from zoo.layers.places import top_places


@keras.saving.register_keras_serializable(package="zoo")
class KMaxPooling(keras.layers.Layer):
    """The `k` largest of the rows, in each column for itself.

    Args:
        k: integer. If there are fewer rows, all of them stay.
        keep_order: boolean. Whether they stay in the order of the rows; else
            the largest is the first. Defaults to `True`.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, rows, ..., columns)`.

    Output shape:
        `(batch, min(k, rows), ..., columns)`.

    Raises:
        ValueError: if `k` is no positive integer.

    Example:

    >>> rows = np.array([[[1.0], [9.0], [0.0], [5.0]]], dtype="float32")
    >>> KMaxPooling(3)(rows)  # [[[1.0], [9.0], [5.0]]]

    Reference:
    - [Liu et al., 2015](https://doi.org/10.1145/2806416.2806603), section 3.2.
    """

    def __init__(self, k, keep_order=True, **kwargs):
        super().__init__(**kwargs)
        check_positive_integer("k", k)
        check_boolean("keep_order", keep_order)
        self.k = k
        self.keep_order = keep_order

    def call(self, inputs):
        rows = inputs.shape[1]
        # ONNX takes no negative axis here.
        behind = len(inputs.shape) - 1
        last = ops.moveaxis(inputs, 1, behind)
        places = top_places(last, min(self.k, rows))
        if self.keep_order:
            places = ops.sort(places, axis=-1)
        values = take_at(last, places, axis=-1)
        return ops.moveaxis(values, behind, 1)

    def compute_output_shape(self, input_shape):
        batch, rows, *rest = input_shape
        return (batch, min(self.k, rows), *rest)

    def get_config(self):
        return {
            **super().get_config(),
            "k": self.k,
            "keep_order": self.keep_order,
        }
