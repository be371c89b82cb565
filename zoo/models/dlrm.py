import keras

from zoo.checks import check_choice
from zoo.checks import check_positive_integers
from zoo.layers import PairProducts
from zoo.models.ctr_model import CTRModel
from zoo.models.network_arguments import check_activations
from zoo.models.network_arguments import check_dropout
from zoo.registry import network

INTERACTIONS = ("dot", "cat")


@network
class DLRM(CTRModel):
    """DLRM: inner products of fields; all numeric columns are one vector.

    `z = bottom_mlp(dense)`, a vector as long as the embeddings, and `v` are the
    embeddings and `z`: `sigmoid(mlp([<v_i, v_j> for i < j, z]) + bias)`, or
    with `interaction="cat"` `sigmoid(mlp(flat(v)) + bias)`. Without numeric
    columns there is no `z`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        interaction: string, `"dot"` or `"cat"`. Defaults to `"dot"`.
        bottom_units: tuple of integers, the hidden layers of the bottom
            perceptron. Behind them is one as wide as the embeddings. Defaults
            to `(400, 400, 400)`, as in BARS' Criteo_x1 run.
        bottom_activation: string, or a tuple with one for each of
            `bottom_units` and the layer behind them. Defaults to `"relu"`.
        bottom_dropout: float in `[0, 1)`, or a tuple with one for each of
            `bottom_units`. Defaults to `0.0`.
        **shared: arguments of `zoo.CTRModel`, such as `hidden_units`, those of
            the top perceptron. With `dense="embed"` numeric columns are fields,
            and there is no bottom perceptron.

    Example:

    ```python
    model = zoo.DLRM(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Naumov et al., 2019](https://arxiv.org/abs/1906.00091), section 2. The
      authors' code puts `z` in front of the fields and of the products, and the
      pairs in another order: the same network with its weights moved.
    """

    ORIGINALS = ("FuxiCTR",)

    def __init__(
        self,
        schema,
        *,
        interaction="dot",
        bottom_units=(400, 400, 400),
        bottom_activation="relu",
        bottom_dropout=0.0,
        **shared,
    ):
        check_choice("interaction", interaction, INTERACTIONS)
        check_positive_integers("bottom_units", bottom_units)
        check_activations(
            "bottom_activation", bottom_activation, (*bottom_units, 1)
        )
        check_dropout("bottom_dropout", bottom_dropout, len(bottom_units))
        self.interaction = interaction
        self.bottom_units = tuple(bottom_units)
        self.bottom_activation = bottom_activation
        self.bottom_dropout = bottom_dropout
        super().__init__(schema, **shared)

    def logits(self, x):
        vectors, numeric = x.embeddings, []
        if self.schema.num_dense and self.dense == "concat":
            numeric = [self._bottom(x)]
            shape = (1, self.embedding_dim)
            vectors = keras.layers.Concatenate(axis=1, name="vectors")(
                [vectors, keras.layers.Reshape(shape, name="z")(numeric[0])]
            )
        if self.interaction == "cat":
            flat = keras.layers.Flatten(name="flat")(vectors)
            return x.output(x.mlp(flat))
        if vectors.shape[1] < 2:
            raise ValueError(
                "`schema` must have two fields, or a field and a numeric "
                "column, for products of pairs. "
                f"Received: {x.names}"
            )
        products = PairProducts(name="pairs")(vectors)
        joined = x.joined([products, *numeric], name="pairs_and_z")
        return x.output(x.mlp(joined))

    def _bottom(self, x):
        last = self.bottom_activation
        first = last
        if isinstance(last, list | tuple):
            *first, last = last
        hidden = x.mlp(
            x.dense,
            self.bottom_units,
            name="bottom",
            activation=first,
            dropout=self.bottom_dropout,
        )
        return x.mlp(
            hidden,
            (self.embedding_dim,),
            name="bottom_output",
            activation=last,
            dropout=0.0,
            normalization=None,
        )
