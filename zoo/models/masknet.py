import keras

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive
from zoo.checks import check_positive_integer
from zoo.layers import FieldNormalization
from zoo.models.ctr_model import CTRModel
from zoo.models.network_arguments import check_one_for_all
from zoo.registry import network


@network
class MaskNet(CTRModel):
    """MaskNet: hidden layers whose inputs are masked by the embeddings.

    With `x0` the embeddings side by side, a block is
    `activation(norm((mask(x0) * h) W))`, where
    `mask(x0) = relu(x0 A + a) B + b`. In series, from `h` the normalized
    embeddings, a block for each of `hidden_units`, then a linear output; in
    parallel, some blocks on these embeddings, then a perceptron on all.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        structure: string, `"serial"` or `"parallel"`. Defaults to `"serial"`.
        reduction_ratio: number, positive. The width of `A` as a share of the
            width of `h`. Defaults to `0.2`, as in BARS' Criteo_x1 run.
        num_blocks: integer, of blocks in parallel. Defaults to `1`.
        block_units: integer, the width of each of these. Defaults to `64`.
        embedding_norm: boolean, whether the embeddings are normalized, each
            field with a scale of its own. Defaults to `True`; BARS' Criteo_x1
            run has the weights of a network without.
        block_norm: boolean, whether blocks have `norm`, a layer normalization.
            Defaults to `True`.
        **shared: arguments of `zoo.CTRModel`, such as `hidden_units`.
            `normalization` is that of the perceptron behind parallel blocks.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.MaskNet(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Wang et al., 2021](https://arxiv.org/abs/2102.07619), section 3. The
      reduction ratio there is of the width of `x0`; this is FuxiCTR's.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "structure": ["serial", "parallel"],
        "reduction_ratio": (0.1, 1.0, "log"),
    }

    def __init__(
        self,
        schema,
        *,
        structure="serial",
        reduction_ratio=0.2,
        num_blocks=1,
        block_units=64,
        embedding_norm=True,
        block_norm=True,
        **shared,
    ):
        check_choice("structure", structure, ("serial", "parallel"))
        check_positive("reduction_ratio", reduction_ratio)
        check_positive_integer("num_blocks", num_blocks)
        check_positive_integer("block_units", block_units)
        check_boolean("embedding_norm", embedding_norm)
        check_boolean("block_norm", block_norm)
        self.structure = structure
        self.reduction_ratio = reduction_ratio
        self.num_blocks = num_blocks
        self.block_units = block_units
        self.embedding_norm = embedding_norm
        self.block_norm = block_norm
        super().__init__(schema, **shared)

    def logits(self, x):
        hidden = self._normalized(x)
        if self.structure == "parallel":
            check_one_for_all(self, "activation", "dropout")
            blocks = [
                self._block(x, hidden, self.block_units, i)
                for i in range(self.num_blocks)
            ]
            return x.output(x.mlp(x.joined(blocks, name="blocks")))
        for i, units in enumerate(self.hidden_units):
            hidden = self._block(x, hidden, units, i)
        return x.output(hidden)

    def _normalized(self, x):
        if not self.embedding_norm:
            return x.flat
        fields = FieldNormalization(name="embedding_norm")(x.embeddings)
        parts = [keras.layers.Flatten()(fields)]
        if self.dense == "concat" and self.schema.num_dense:
            parts.append(x.dense)
        return x.joined(parts, name="normalized_features")

    def _block(self, x, hidden, units, place):
        name, width = f"block_{place + 1}", hidden.shape[-1]
        narrow = keras.layers.Dense(
            max(1, int(width * self.reduction_ratio)),
            activation="relu",
            kernel_initializer="glorot_normal",
            name=f"{name}_squeeze",
        )(x.flat)
        mask = keras.layers.Dense(
            width, kernel_initializer="glorot_normal", name=f"{name}_mask"
        )(narrow)
        return x.mlp(
            mask * hidden,
            (units,),
            name,
            use_bias=False,
            activation=_of_layer(self.activation, place),
            normalization="layer" if self.block_norm else None,
            dropout=_of_layer(self.dropout, place),
        )


def _of_layer(setting, place):
    return setting[place] if isinstance(setting, tuple) else setting
