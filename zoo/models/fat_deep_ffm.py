import keras
from keras import ops

from zoo.checks import check_choice
from zoo.checks import check_positive
from zoo.layers import FieldAwarePairs
from zoo.layers import VectorScores
from zoo.layers.pair_products import OUTPUTS
from zoo.models.ctr_model import CTRModel
from zoo.models.ffm import field_aware_vectors
from zoo.registry import network

ATTENTIONS = ("vectors", "pairs", None)


@network
class FATDeepFFM(CTRModel):
    """FAT-DeepFFM: attention to field-aware vectors, then a deep FFM.

    Of an id's vectors, `v_i^j` faces field `j`. Each is scaled by an attention
    to all: with `d = relu(<u_ij, v_i^j>)` for every vector,
    `s = relu(relu(d W_1 + b_1) W_2 + b_2)` (the compose-excitation network),
    and `w_i^j = s_ij v_i^j`:
    `sigmoid(linear(ids, dense) + mlp([w_0^1 * w_1^0, ...]) + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        attention: string. `"vectors"` for the paper's, before the products, or
            `"pairs"` to scale the products, as torch-rechub does. `None` is
            DeepFFM, without attention. Defaults to `"vectors"`.
        reduction_ratio: number, positive. `W_1` has as many units as there are
            vectors, or pairs, divided by it. Defaults to `1`.
        products: string, `"hadamard"` for the products by element or `"inner"`
            for inner products. Defaults to `"hadamard"`.
        **shared: arguments of `zoo.CTRModel`. `embedding_dim` is the length of
            one vector, so that a row has `embedding_dim * (fields - 1)`
            numbers. `normalization` is that of the attention, too.

    Raises:
        ValueError: for inner products with attention to pairs.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.FATDeepFFM(schema, embedding_dim=4)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Zhang et al., 2019](https://arxiv.org/abs/1905.06336), section 3.
    """

    DENSE = "embed"
    ORIGINALS = ("torch-rechub",)

    def __init__(
        self,
        schema,
        *,
        attention="vectors",
        reduction_ratio=1,
        products="hadamard",
        **shared,
    ):
        check_choice("attention", attention, ATTENTIONS)
        check_positive("reduction_ratio", reduction_ratio)
        check_choice("products", products, OUTPUTS)
        if attention == "pairs" and products == "inner":
            raise ValueError(
                "`products` must be 'hadamard' where attention scales pairs, "
                "for it scores their vectors. Received: products='inner' with "
                "attention='pairs'"
            )
        self.attention = attention
        self.reduction_ratio = reduction_ratio
        self.products = products
        super().__init__(schema, **shared)

    def logits(self, x):
        fields, dim = len(x.names), self.embedding_dim
        vectors = field_aware_vectors(x, fields - 1, dim)
        if self.attention == "vectors":
            flat = ops.reshape(vectors, (-1, fields * (fields - 1), dim))
            vectors = ops.reshape(
                self._scaled(x, flat), (-1, fields, fields - 1, dim)
            )
        products = FieldAwarePairs(self.products, name="pairs")(vectors)
        if self.attention == "pairs":
            products = self._scaled(x, products)
        products = keras.layers.Flatten(name="flat_pairs")(products)
        return [x.linear(), x.output(x.mlp(products))]

    def _scaled(self, x, vectors):
        """Vectors times an attention to each of them."""
        count = vectors.shape[1]
        weights = x.mlp(
            VectorScores(name="scores")(vectors),
            (max(1, int(count / self.reduction_ratio)), count),
            name="attention",
            activation="relu",
            dropout=0.0,
        )
        return vectors * weights[:, :, None]
