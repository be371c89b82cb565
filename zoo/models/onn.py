import keras

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.layers import FieldAwarePairs
from zoo.layers.pair_products import OUTPUTS
from zoo.models.ctr_model import CTRModel
from zoo.models.ffm import field_aware_vectors
from zoo.registry import network


@network
class ONN(CTRModel):
    """ONN: a perceptron on products of vectors that face each other's field.

    An id has a vector for each operation that it takes part in: `v_i`, which is
    copied, and `v_i^j` for the product with field `j`. They lie side by side in
    one row of one table:
    `sigmoid(mlp([v_0, v_1, ..., <v_0^1, v_1^0>, <v_0^2, v_2^0>, ...]) +
    bias)`. It is also known as NFFM.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        products: string, `"inner"`, or `"hadamard"` for products by element, as
            in DeepCTR. Defaults to `"inner"`.
        own_vectors: boolean, whether the perceptron gets copies `v_i`; those of
            DeepCTR do not. Defaults to `True`.
        linear: boolean, whether it has a linear part, as DeepCTR's has.
            Defaults to `False`.
        **shared: arguments of `zoo.CTRModel`. `embedding_dim` is the length of
            one vector, so that a row has `embedding_dim * fields` numbers, or
            `embedding_dim * (fields - 1)` without copies.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.ONN(schema, embedding_dim=4)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Yang et al., 2019](https://arxiv.org/abs/1904.12579), section 3.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch")

    def __init__(
        self,
        schema,
        *,
        products="inner",
        own_vectors=True,
        linear=False,
        **shared,
    ):
        check_choice("products", products, OUTPUTS)
        check_boolean("own_vectors", own_vectors)
        check_boolean("linear", linear)
        self.products = products
        self.own_vectors = own_vectors
        self.linear = linear
        super().__init__(schema, **shared)

    def logits(self, x):
        own, fields = int(self.own_vectors), len(x.names)
        vectors = field_aware_vectors(x, fields - 1 + own, self.embedding_dim)
        parts = []
        if own:
            copies = vectors[:, :, 0]
            parts.append(keras.layers.Flatten(name="own_vectors")(copies))
        products = FieldAwarePairs(self.products, name="pairs")(
            vectors[:, :, own:]
        )
        parts.append(keras.layers.Flatten(name="products")(products))
        if self.dense == "concat" and self.schema.num_dense:
            parts.append(x.dense)
        deep = x.output(x.mlp(x.joined(parts, name="features")))
        return [x.linear(), deep] if self.linear else deep
