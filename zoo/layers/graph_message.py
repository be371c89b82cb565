import keras
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class GraphMessage(keras.layers.Layer):
    """What each field of a graph receives from the others in one step.

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
    - [Li et al., 2019](https://arxiv.org/abs/1910.05552), section 3.4.
    """

    def build(self, input_shape):
        _, fields, dim = input_shape[0]
        # PyTorch's Xavier takes the number of fields for outputs.
        deviation = (2 / (dim * dim + fields * dim)) ** 0.5
        self.send_kernel, self.receive_kernel = (
            self.add_weight(
                shape=(fields, dim, dim),
                initializer=keras.initializers.RandomNormal(stddev=deviation),
                name=name,
            )
            for name in ("send_kernel", "receive_kernel")
        )
        self.bias = self.add_weight(
            shape=(dim,), initializer="zeros", name="bias"
        )

    def call(self, inputs):
        fields, edges = inputs
        sent = ops.einsum("bfd,fde->bfe", fields, self.send_kernel)
        received = ops.matmul(edges, sent)
        outputs = ops.einsum("bfd,fde->bfe", received, self.receive_kernel)
        return outputs + self.bias

    def compute_output_shape(self, input_shape):
        return input_shape[0]
