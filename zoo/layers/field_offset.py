import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="zoo")
class FieldOffset(keras.layers.Layer):
    """Turns ids per field into rows of one table that all fields share.

    Field `f` gets the rows from `sum(vocabulary_sizes[:f])` on:
    `outputs[:, f] = ids[:, f] + offset[f]`. A stacked table needs one lookup
    and one update, not one for each field.

    Args:
        vocabulary_sizes: list of integers, the number of ids of every field.
        columns: list of integers, the field of each column, where several
            columns have ids of one field. Defaults to `None`, one column a
            field.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `(batch, columns)` integers, column `f` in `[0, vocabulary_sizes[f])`.

    Output shape:
        `(batch, columns)` int32 in `[0, sum(vocabulary_sizes))`.

    Example:

    >>> FieldOffset([10, 20, 5])(np.array([[1, 1, 1]]))  # [[1, 11, 31]]
    """

    def __init__(self, vocabulary_sizes, columns=None, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_sizes = [int(size) for size in vocabulary_sizes]
        self.columns = None if columns is None else list(columns)

    def call(self, inputs):
        offsets = np.cumsum([0, *self.vocabulary_sizes[:-1]], dtype="int32")
        if self.columns is not None:
            offsets = offsets[self.columns]
        return ops.cast(inputs, "int32") + ops.convert_to_tensor(offsets)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, dtype="int32")

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_sizes": self.vocabulary_sizes,
            "columns": self.columns,
        }
