import keras

from zoo.layers import AddBias
from zoo.layers import GroupProducts
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class FLEN(CTRModel):
    """FLEN: products within and between user, item and context, and an MLP.

    `h` is the sum of the products of all pairs of embeddings by element, each
    weighted by the groups of its two columns (`zoo.layers.GroupProducts`):
    `k = relu([linear(ids, dense) + b, h] W)` and
    `sigmoid(<[k, mlp([embeddings, dense])], w> + bias)`.

    Its arguments are those of `zoo.CTRModel`. The schema must have the roles
    `"user"`, `"item"` and `"context"`. A numeric column with
    `dense="concat"` is in no group.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [],
        {"age": 9, "ad": 1000, "hour": 26},
        roles={"user": "age", "item": "ad", "context": "hour"},
    )
    model = zoo.FLEN(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Chen et al., 2020](https://arxiv.org/abs/1911.04690), section 3. Its
      dropout of whole vectors, which it calls Dicefactor, is left out, as in
      FuxiCTR.
    """

    DENSE = "embed"
    ROLES = ("user", "item", "context")
    ORIGINALS = ("FuxiCTR",)

    def logits(self, x):
        groups = [x.columns_of(role) for role in self.ROLES]
        products = GroupProducts(name="group_products")(groups)
        linear = AddBias(name="linear_bias")(x.linear())
        joined = x.joined([linear, products], name="linear_and_products")
        shallow = keras.layers.Dense(
            joined.shape[-1],
            activation="relu",
            use_bias=False,
            kernel_initializer="glorot_normal",
            name="shallow",
        )(joined)
        parts = [shallow, x.mlp()] if self.hidden_units else [shallow]
        return x.output(x.joined(parts, name="shallow_and_deep"))
