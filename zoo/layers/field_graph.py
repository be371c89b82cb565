import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class FieldGraph(keras.layers.Layer):
    """The edges of a graph of fields: how much each takes of every other.

    `a_ij = softmax_j(leaky_relu(<[v_i, v_j], w>))` with a slope of 0.01 and no
    edge from a field to itself.

    Input shape:
        `(batch, fields, embedding_dim)`, of two fields or more.

    Output shape:
        `(batch, fields, fields)`; its rows sum to 1.

    Raises:
        ValueError: for fewer than two fields.

    Example:

    >>> vectors = np.ones((1, 2, 4), dtype="float32")
    >>> FieldGraph()(vectors)  # [[[0.0, 1.0], [1.0, 0.0]]]

    Reference:
    - [Li et al., 2019](https://arxiv.org/abs/1910.05552)
    """

    def build(self, input_shape):
        _, fields, dim = input_shape
        if fields < 2:
            raise ValueError(
                "A graph of fields must have two fields or more, for none has "
                f"an edge to itself. Received: {fields} of them"
            )
        self.kernel = self.add_weight(
            shape=(2 * dim, 1), initializer="glorot_normal", name="kernel"
        )

    def call(self, inputs):
        _, fields, dim = inputs.shape
        source = ops.matmul(inputs, self.kernel[:dim])
        target = ops.matmul(inputs, self.kernel[dim:])
        # No `swapaxes`: tf2onnx gets it wrong here.
        target = ops.reshape(target, (-1, 1, fields))
        scores = ops.leaky_relu(source + target, 0.01)
        itself = ops.convert_to_tensor(np.eye(fields, dtype=bool))
        return ops.softmax(ops.where(itself, -1e9, scores), axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], input_shape[1])
