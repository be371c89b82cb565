import keras

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.layers import ElementarySymmetric
from zoo.models.ctr_model import CTRModel
from zoo.models.hidden_layers import normalization_layer
from zoo.registry import network


@network
class DeepIM(CTRModel):
    """DeepIM: products of up to `order` fields beside a perceptron.

    `sigmoid(<[E_1, ..., E_order], w> + mlp([embeddings, dense]) + bias)`, where
    `E_k` is the sum, by element, of the products of all sets of `k` fields.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        order: integer, the most fields of a product; no more than there are.
            Defaults to `3`, as in BARS' Criteo_x1 run.
        interaction_norm: boolean, whether `E_k` are normalized by batch.
            Defaults to `True`, as in BARS' Criteo_x1 run.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.
            `hidden_units=()` leaves the perceptron out.

    Example:

    ```python
    model = zoo.DeepIM(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Yu et al., 2020](https://doi.org/10.1145/3340531.3412077), section 3.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "order": (2, 5),
    }

    def __init__(self, schema, *, order=3, interaction_norm=True, **shared):
        check_positive_integer("order", order)
        check_boolean("interaction_norm", interaction_norm)
        self.order = order
        self.interaction_norm = interaction_norm
        super().__init__(schema, **shared)

    def logits(self, x):
        # In float32, because the terms of sums of powers cancel each other.
        polynomials = ElementarySymmetric(
            self.order, dtype="float32", name="polynomials"
        )
        products = keras.layers.Flatten(name="products")(
            polynomials(x.embeddings)
        )
        if self.interaction_norm:
            products = normalization_layer("batch", "interaction_norm")(
                products
            )
        interaction = x.output(products, name="interaction")
        if not self.hidden_units:
            return interaction
        return [interaction, x.output(x.mlp())]
