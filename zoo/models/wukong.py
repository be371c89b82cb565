import keras

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integer_or_none
from zoo.checks import check_positive_integers
from zoo.layers import CompressedPairs
from zoo.layers import FieldMixing
from zoo.models.ctr_model import CTRModel
from zoo.models.network_arguments import check_activations
from zoo.models.network_arguments import check_dropout
from zoo.registry import network


@network
class WuKong(CTRModel):
    """WuKong: layers of factorization machines and of linear mixes of fields.

    A layer makes new fields of fields: `x <- norm([relu(mlp(norm(x (x^T Y)))),
    A x] + x)`. The first ones are made of the inner products
    (`zoo.layers.CompressedPairs`), the others are mixes of the fields
    (`zoo.layers.FieldMixing`). If the number of new fields is not that of `x`,
    `B x` is added instead of `x`, or `B x + b` without a `norm`. Then
    `sigmoid(mlp(x) + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        num_layers: integer. Defaults to `3`, FuxiCTR's.
        pair_fields: integer, the number of new fields of the inner products.
            Defaults to `40`.
        mixed_fields: integer, the number of new fields that are mixes.
            Defaults to `40`.
        low_rank: integer, the columns of `Y`, or `None` for all inner products
            `x x^T`. Defaults to `8`.
        pair_units: tuple of integers, the widths of the perceptron on the
            inner products. Defaults to `(32, 32)`.
        pair_activation: as `activation`, of `pair_units`. Defaults to `"relu"`.
        pair_dropout: as `dropout`, of `pair_units`. Defaults to `0.0`.
        layer_norm: boolean, whether the sum is normalized; the inner products
            always are. Defaults to `True`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.
            `hidden_units` is the perceptron behind the layers.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.WuKong(schema, embedding_dim=64, hidden_units=(32, 32))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Zhang et al., 2024](https://arxiv.org/abs/2403.02545)
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "num_layers": (1, 6),
        "low_rank": (4, 32, "log"),
    }

    def __init__(
        self,
        schema,
        *,
        num_layers=3,
        pair_fields=40,
        mixed_fields=40,
        low_rank=8,
        pair_units=(32, 32),
        pair_activation="relu",
        pair_dropout=0.0,
        layer_norm=True,
        **shared,
    ):
        check_positive_integer("num_layers", num_layers)
        check_positive_integer("pair_fields", pair_fields)
        check_positive_integer("mixed_fields", mixed_fields)
        check_positive_integer_or_none("low_rank", low_rank)
        check_positive_integers("pair_units", pair_units)
        check_activations("pair_activation", pair_activation, pair_units)
        check_dropout("pair_dropout", pair_dropout, len(pair_units))
        check_boolean("layer_norm", layer_norm)
        self.num_layers = num_layers
        self.pair_fields = pair_fields
        self.mixed_fields = mixed_fields
        self.low_rank = low_rank
        self.pair_units = tuple(pair_units)
        self.pair_activation = pair_activation
        self.pair_dropout = pair_dropout
        self.layer_norm = layer_norm
        super().__init__(schema, **shared)

    def logits(self, x):
        fields = x.embeddings
        for i in range(1, self.num_layers + 1):
            fields = self._layer(x, fields, i)
        return x.output(x.mlp(keras.layers.Flatten()(fields)))

    def _layer(self, x, fields, i):
        total = self.pair_fields + self.mixed_fields
        mixed = FieldMixing(self.mixed_fields, name=f"layer_{i}_mixing")(fields)
        new = keras.layers.Concatenate(axis=1)(
            [self._pair_fields(x, fields, i), mixed]
        )
        if fields.shape[1] != total:
            # The normalization would remove the bias, one number per field.
            fields = FieldMixing(
                total,
                use_bias=not self.layer_norm,
                name=f"layer_{i}_residual",
            )(fields)
        new = keras.layers.Add()([new, fields])
        if not self.layer_norm:
            return new
        return keras.layers.LayerNormalization(
            epsilon=1e-5, name=f"layer_{i}_norm"
        )(new)

    def _pair_fields(self, x, fields, i):
        pairs = CompressedPairs(self.low_rank, name=f"layer_{i}_pairs")(fields)
        pairs = keras.layers.LayerNormalization(
            epsilon=1e-5, name=f"layer_{i}_pairs_norm"
        )(pairs)
        pairs = x.mlp(
            pairs,
            self.pair_units,
            name=f"layer_{i}",
            activation=self.pair_activation,
            normalization=None,
            dropout=self.pair_dropout,
        )
        shape = (self.pair_fields, fields.shape[-1])
        pairs = keras.layers.Dense(
            shape[0] * shape[1],
            activation="relu",
            kernel_initializer="glorot_normal",
            name=f"layer_{i}_output",
        )(pairs)
        return keras.layers.Reshape(shape)(pairs)
