import keras

from zoo.checks import check_boolean
from zoo.checks import check_positive_integers
from zoo.layers import FieldConvolution
from zoo.layers import PairProducts
from zoo.layers import RowMaxPooling
from zoo.layers.activation import activation_layer
from zoo.layers.activation import check_activation
from zoo.models.ctr_model import CTRModel
from zoo.models.hidden_layers import normalization_layer
from zoo.registry import network


@network
class FGCNN(CTRModel):
    """FGCNN: convolutions over neighbouring fields make more fields of them.

    From the fields of a second table on,
    `m_next = max_pool(activation(convolution(m)))`, and each `m` gives new
    fields, `activation(flat(m) W + b)`. With `v` all fields, old and new:
    `sigmoid(mlp([flat(v), <v_i, v_j> for i < j]) + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        filters: tuple of integers, the channels of each convolution. Defaults
            to `(38, 40, 42, 44)`, as in BARS' Criteo_x4_001 run, as the
            next three are.
        kernel_heights: tuple of integers, the fields that each one covers.
            Defaults to `(9, 9, 9, 9)`.
        pool_sizes: tuple of integers, the rows of which each pooling takes the
            largest. Defaults to `(2, 2, 2, 2)`.
        new_fields: tuple of integers, the new fields for each pooled row.
            Defaults to `(3, 3, 3, 3)`.
        convolution_activation: string. Defaults to `"tanh"`.
        convolution_norm: boolean, whether the convolutions are normalized by
            batch. Defaults to `True`.
        shared_table: boolean. Whether the convolutions have no table of their
            own. Defaults to `False`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: unless there are as many of each of the four as `filters`.

    Example:

    ```python
    model = zoo.FGCNN(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Liu et al., 2019](https://arxiv.org/abs/1904.04447), section 3.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)

    def __init__(
        self,
        schema,
        *,
        filters=(38, 40, 42, 44),
        kernel_heights=(9, 9, 9, 9),
        pool_sizes=(2, 2, 2, 2),
        new_fields=(3, 3, 3, 3),
        convolution_activation="tanh",
        convolution_norm=True,
        shared_table=False,
        **shared,
    ):
        for name, values in (
            ("filters", filters),
            ("kernel_heights", kernel_heights),
            ("pool_sizes", pool_sizes),
            ("new_fields", new_fields),
        ):
            check_positive_integers(name, values)
            if not values or len(values) != len(filters):
                raise ValueError(
                    f"`{name}` must have one for each of `filters`, and one at "
                    f"least. Received: {name}={values}, filters={filters}"
                )
            setattr(self, name, tuple(values))
        check_activation("convolution_activation", convolution_activation)
        check_boolean("convolution_norm", convolution_norm)
        check_boolean("shared_table", shared_table)
        self.convolution_activation = convolution_activation
        self.convolution_norm = convolution_norm
        self.shared_table = shared_table
        super().__init__(schema, **shared)

    def logits(self, x):
        table = "embeddings" if self.shared_table else "generating_embeddings"
        shape = (len(x.names), self.embedding_dim, 1)
        maps = keras.layers.Reshape(shape, name="maps")(x.embeddings_of(table))
        fields = [x.embeddings]
        for i in range(1, len(self.filters) + 1):
            maps = self._pooled(maps, i)
            fields.append(self._new(maps, i))
        vectors = keras.layers.Concatenate(axis=1, name="fields")(fields)
        flat = keras.layers.Flatten(name="flat")(vectors)
        products = PairProducts(name="pairs")(vectors)
        return x.output(x.mlp(x.joined([flat, products], "flat_and_pairs")))

    def _pooled(self, maps, i):
        maps = FieldConvolution(
            self.filters[i - 1],
            self.kernel_heights[i - 1],
            name=f"convolution_{i}",
        )(maps)
        if self.convolution_norm:
            maps = normalization_layer("batch", f"convolution_norm_{i}")(maps)
        maps = self._activated(maps, f"convolution_activation_{i}")
        return RowMaxPooling(self.pool_sizes[i - 1], name=f"pooling_{i}")(maps)

    def _new(self, maps, i):
        """The new fields of the layer `i`, `(batch, fields, embedding_dim)`."""
        count = maps.shape[1] * self.new_fields[i - 1]
        flat = keras.layers.Flatten(name=f"pooled_{i}")(maps)
        new = keras.layers.Dense(
            count * self.embedding_dim,
            kernel_initializer="glorot_normal",
            name=f"recombination_{i}",
        )(flat)
        new = self._activated(new, f"recombination_activation_{i}")
        shape = (count, self.embedding_dim)
        return keras.layers.Reshape(shape, name=f"new_fields_{i}")(new)

    def _activated(self, inputs, name):
        return activation_layer(self.convolution_activation, name)(inputs)
