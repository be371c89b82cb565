import keras
from keras import ops

from zoo.layers.xavier import xavier_normal


@keras.saving.register_keras_serializable(package="zoo")
class GraphMessage(keras.layers.Layer):
    """The message that each field of a graph receives in one step.

    `outputs_i = (sum_j a_ij v_j P_j) Q_i + b`, with a matrix `P` of what a
    field sends and a matrix `Q` of what it receives for each field.

    Input shape:
        List of the fields `v`, `(batch, fields, dim)`, and the edges `a`,
        `(batch, fields, fields)`.

    Output shape:
        `(batch, fields, dim)`.

    Example:

    >>> vectors = np.ones((2, 3, 4), dtype="float32")
    >>> GraphMessage()([vectors, FieldGraph()(vectors)]).shape
    (2, 3, 4)

    Reference:
    - [Li et al., 2019](https://arxiv.org/abs/1910.05552)
    """

    def build(self, input_shape):
        _, fields, dim = input_shape[0]
        shape = (fields, dim, dim)
        self.send_kernel, self.receive_kernel = (
            self.add_weight(
                shape=shape, initializer=xavier_normal(shape), name=name
            )
            for name in ("send_kernel", "receive_kernel")
        )
        self.bias = self.add_weight(
            shape=(dim,), initializer="zeros", name="bias"
        )

    def call(self, inputs):
        fields, edges = inputs
        received = ops.matmul(edges, _of_each(fields, self.send_kernel))
        return _of_each(received, self.receive_kernel) + self.bias

    def compute_output_shape(self, input_shape):
        return input_shape[0]


def _of_each(fields, kernel):
    """Each field times its own matrix."""
    products = ops.matmul(ops.swapaxes(fields, 0, 1), kernel)
    return ops.swapaxes(products, 0, 1)
