import keras

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.layers import PairProducts
from zoo.layers import WeightedPairProducts
from zoo.layers.weighted_pair_products import KERNELS
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class PNN(CTRModel):
    """PNN: a perceptron on the embeddings and the products of all pairs.

    `sigmoid(mlp([embeddings, inner, outer, dense]) + bias)`, with
    `inner_ij = <v_i, v_j>` and `outer_ij = <v_i v_j^T, K_ij>` for `i < j`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        inner: boolean, whether it has the inner products. Defaults to `True`.
        outer: string, the form of `K_ij`: `"matrix"`, `"vector"` (the diagonal
            of one) or `"scalar"`; or `None` without outer products. Defaults
            to `None`, as in BARS' Criteo_x1 run.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.

    Example:

    ```python
    model = zoo.PNN(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Qu et al., 2016](https://arxiv.org/abs/1611.00144), section 3. As in the
      originals the first hidden layer takes embeddings and products together,
      and the outer products of pairs are not added up before their kernel.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch", "RecBole")

    def __init__(self, schema, *, inner=True, outer=None, **shared):
        check_boolean("inner", inner)
        check_choice("outer", outer, (None, *KERNELS))
        self.inner = inner
        self.outer = outer
        super().__init__(schema, **shared)

    def logits(self, x):
        vectors = x.embeddings
        parts = [keras.layers.Flatten(name="flat")(vectors)]
        if self.inner:
            parts.append(PairProducts(name="inner")(vectors))
        if self.outer:
            products = WeightedPairProducts(self.outer, name="outer")
            parts.append(products(vectors))
        if self.dense == "concat":
            parts.append(x.dense)
        return x.output(x.mlp(x.joined(parts, name="products")))
