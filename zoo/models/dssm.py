import keras

from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integers
from zoo.models.ctr_model import CTRModel
from zoo.models.network_arguments import check_activations
from zoo.models.network_arguments import check_dropout
from zoo.registry import network


@network
class DSSM(CTRModel):
    """DSSM: a perceptron for the user, one for the item, and their product.

    `sigmoid(<mlp_user(user columns), mlp_item(item columns)> + bias)`, with a
    linear layer at the end of each perceptron. The schema says which columns
    are the user's and the item's by `roles`; others are not looked at.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with the
            roles `"user"` and `"item"`.
        output_units: integer, the length of the two vectors. Defaults to `64`,
            FuxiCTR's.
        item_units: tuple of integers, the hidden layers for the item. Defaults
            to `None`, `hidden_units`, which are the user's.
        item_activation: string, or a tuple with one for each of `item_units`;
            `"linear"` for none. Defaults to `None`, `activation`.
        item_dropout: float in `[0, 1)`, or a tuple with one for each of
            `item_units`. Defaults to `None`, `dropout`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [], {"age": 9, "ad": 1000}, roles={"user": "age", "item": "ad"}
    )
    model = zoo.DSSM(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Huang et al., 2013](https://doi.org/10.1145/2505515.2505665), section 3.
      As in FuxiCTR, the product is not divided by the lengths of the vectors.
    """

    DENSE = "embed"
    ROLES = ("user", "item")
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "output_units": (16, 128, "log"),
    }

    def __init__(
        self,
        schema,
        *,
        output_units=64,
        item_units=None,
        item_activation=None,
        item_dropout=None,
        **shared,
    ):
        check_positive_integer("output_units", output_units)
        if item_units is not None:
            check_positive_integers("item_units", item_units)
        self.output_units = output_units
        self.item_units = None if item_units is None else tuple(item_units)
        self.item_activation = item_activation
        self.item_dropout = item_dropout
        super().__init__(schema, **shared)

    def logits(self, x):
        user = self._tower(
            x, "user", self.hidden_units, self.activation, self.dropout
        )
        units = (
            self.hidden_units if self.item_units is None else self.item_units
        )
        activation, dropout = self.item_activation, self.item_dropout
        activation = self.activation if activation is None else activation
        dropout = self.dropout if dropout is None else dropout
        check_activations("item_activation", activation, units)
        check_dropout("item_dropout", dropout, len(units))
        item = self._tower(x, "item", units, activation, dropout)
        return keras.layers.Dot(axes=-1, name="user_item")([user, item])

    def _tower(self, x, role, units, activation, dropout):
        flat = keras.layers.Flatten(name=f"{role}_flat")(x.columns_of(role))
        hidden = x.mlp(
            flat, units, name=role, activation=activation, dropout=dropout
        )
        return keras.layers.Dense(
            self.output_units,
            kernel_initializer="glorot_normal",
            name=f"{role}_vector",
        )(hidden)
