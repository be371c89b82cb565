import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integers
from zoo.layers import PairDense
from zoo.layers.pairs import pairs_of
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class PIN(CTRModel):
    """PIN: a small network for each pair of fields, and a perceptron on all.

    `sigmoid(mlp([net_01(v_0, v_1, v_0 * v_1), net_02(...), ...]))`, the
    product-network in network: the layers of `net_ij` are normalized over all
    pairs together (`zoo.layers.PairDense`), and all but the last have a ReLU.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        pair_units: tuple of integers, at least one: the widths of the layers of
            a pair's network. Defaults to `(40, 5)`.
        product: boolean, whether a pair's network gets the product `v_i * v_j`.
            Defaults to `True`.
        pair_norm: boolean, whether the layers of a pair's network are
            normalized. Defaults to `True`.
        linear: boolean, whether it has a linear part. Defaults to `False`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: if there are no `pair_units`.

    Example:

    ```python
    model = zoo.PIN(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Qu et al., 2018](https://arxiv.org/abs/1807.00311), and the
      [authors' code](https://github.com/Atomu2014/product-nets-distributed).
    """

    DENSE = "embed"

    def __init__(
        self,
        schema,
        *,
        pair_units=(40, 5),
        product=True,
        pair_norm=True,
        linear=False,
        **shared,
    ):
        check_positive_integers("pair_units", pair_units)
        if not pair_units:
            raise ValueError(
                "`pair_units` must have the width of at least one layer. "
                f"Received: pair_units={pair_units!r}"
            )
        check_boolean("product", product)
        check_boolean("pair_norm", pair_norm)
        check_boolean("linear", linear)
        self.pair_units = tuple(pair_units)
        self.product = product
        self.pair_norm = pair_norm
        self.linear = linear
        super().__init__(schema, **shared)

    def logits(self, x):
        pairs = self._pairs(x.embeddings)
        for i, units in enumerate(self.pair_units, start=1):
            pairs = PairDense(
                units,
                None if i == len(self.pair_units) else "relu",
                self.pair_norm,
                name=f"pair_hidden_{i}",
            )(pairs)
        flat = keras.layers.Flatten(name="flat_pairs")(pairs)
        deep = x.output(x.mlp(flat))
        return [x.linear(), deep] if self.linear else deep

    def _pairs(self, fields):
        """The inputs of the networks, `(batch, pairs, 2 or 3 vectors)`."""
        left, right = (
            ops.take(fields, places, axis=1)
            for places in pairs_of(fields.shape[1])
        )
        parts = [left, right, left * right] if self.product else [left, right]
        return keras.layers.Concatenate(name="pairs")(parts)
