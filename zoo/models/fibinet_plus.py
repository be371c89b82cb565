import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive
from zoo.checks import check_positive_integer
from zoo.layers import BilinearInteraction
from zoo.layers import FieldNormalization
from zoo.layers import GroupExcitation
from zoo.layers.bilinear_interaction import KINDS
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class FiBiNETPlus(CTRModel):
    """FiBiNET++: a small FiBiNET, of bilinear forms that are compressed.

    With `v` the normalized fields, `q_ij = v_i P v_j` for all pairs and
    `u = norm(a * v + v)`, where `a` is of `zoo.layers.GroupExcitation`:
    `sigmoid(mlp([q C + c, u]) + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        bilinear: string. `"all"` for one matrix `P`, `"each"` for one for each
            field `i`, or `"interaction"` for one for each pair. Defaults to
            `"all"`.
        compressed_units: integer, the width of `C`. Defaults to `50`.
        num_groups: integer, of slices of a vector that the excitation looks
            at; it must divide `embedding_dim`. Defaults to `2`.
        reduction_ratio: number, positive. By how much the excitation narrows
            what it looks at. Defaults to `3`.
        linear: boolean, whether it has a linear part. Defaults to `False`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`. With
            `dense="concat"` numeric columns enter the perceptron as they are.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.FiBiNETPlus(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Zhang et al., 2022](https://arxiv.org/abs/2209.05016), section 3, and the
      authors' code, which normalizes ids' vectors over the batch and those of
      numeric columns each in itself. Its pairs are in another order.
    """

    DENSE = "embed"
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "compressed_units": (16, 128, "log"),
    }

    def __init__(
        self,
        schema,
        *,
        bilinear="all",
        compressed_units=50,
        num_groups=2,
        reduction_ratio=3,
        linear=False,
        **shared,
    ):
        check_choice("bilinear", bilinear, KINDS)
        check_positive_integer("compressed_units", compressed_units)
        check_positive_integer("num_groups", num_groups)
        check_positive("reduction_ratio", reduction_ratio)
        check_boolean("linear", linear)
        self.bilinear = bilinear
        self.compressed_units = compressed_units
        self.num_groups = num_groups
        self.reduction_ratio = reduction_ratio
        self.linear = linear
        super().__init__(schema, **shared)

    def logits(self, x):
        fields = self._normalized(x)
        pairs = BilinearInteraction(self.bilinear, "inner", name="bilinear")(
            fields
        )
        compressed = keras.layers.Dense(
            self.compressed_units,
            kernel_initializer="glorot_normal",
            name="compressed_pairs",
        )(pairs)
        excited = GroupExcitation(
            self.num_groups, self.reduction_ratio, name="excitation"
        )(fields)
        excited = keras.layers.LayerNormalization(
            epsilon=1e-6, name="excited_norm"
        )(excited)
        parts = [compressed, keras.layers.Flatten()(excited)]
        if self.dense == "concat" and self.schema.num_dense:
            parts.append(x.dense)
        deep = x.output(x.mlp(x.joined(parts, name="pairs_and_fields")))
        return [x.linear(), deep] if self.linear else deep

    def _normalized(self, x):
        """The fields: ids normalized over the batch, numbers in themselves."""
        # The authors' constants, which matter: embeddings are small at first.
        over_batch = keras.layers.BatchNormalization(name="id_norm")
        names, dense = x.names, self.schema.dense
        numeric = [i for i, name in enumerate(names) if name in dense]
        if not numeric:
            return over_batch(x.embeddings)
        ids = [i for i in range(len(names)) if i not in numeric]
        parts = [
            FieldNormalization(1e-6, name="numeric_norm")(
                ops.take(x.embeddings, numeric, axis=1)
            ),
            over_batch(ops.take(x.embeddings, ids, axis=1)),
        ]
        fields = keras.layers.Concatenate(axis=1)(parts)
        places = [*numeric, *ids]
        if places == sorted(places):
            return fields
        back = [places.index(i) for i in range(len(names))]
        return ops.take(fields, back, axis=1)
