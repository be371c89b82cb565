from keras import ops

from zoo.checks import check_boolean
from zoo.layers import SymmetricPairs
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class DeepFEFM(CTRModel):
    """DeepFEFM: pairs of fields by symmetric matrices, with a perceptron.

    With `q_ij = v_i (W_ij + W_ij^T) v_j` for each pair of fields:
    `sigmoid(linear(ids, dense) + sum_{i<j} q_ij + mlp([embeddings, dense, q])
    + bias)`. `hidden_units=()` is the shallow FEFM, without the perceptron.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        embeddings_in_deep: boolean, whether the perceptron gets the embeddings
            and numeric columns. Defaults to `True`.
        pairs_in_deep: boolean, whether it gets the pairs `q`. Defaults to
            `True`.
        linear: boolean, whether it has the linear part. Defaults to `True`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.DeepFEFM(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Pande, 2020](https://arxiv.org/abs/2009.09931), section 3. The initial
      `W` are narrow, as PyTorch would draw them, where DeepCTR's have a
      standard deviation of 1.
    """

    DENSE = "embed"

    def __init__(
        self,
        schema,
        *,
        embeddings_in_deep=True,
        pairs_in_deep=True,
        linear=True,
        **shared,
    ):
        check_boolean("embeddings_in_deep", embeddings_in_deep)
        check_boolean("pairs_in_deep", pairs_in_deep)
        check_boolean("linear", linear)
        self.embeddings_in_deep = embeddings_in_deep
        self.pairs_in_deep = pairs_in_deep
        self.linear = linear
        super().__init__(schema, **shared)

    def logits(self, x):
        pairs = SymmetricPairs(name="pairs")(x.embeddings)
        parts = [x.linear()] if self.linear else []
        parts.append(ops.sum(pairs, axis=1, keepdims=True))
        if self.hidden_units:
            parts.append(x.output(x.mlp(self._deep_input(x, pairs))))
        return parts

    def _deep_input(self, x, pairs):
        parts = [x.flat] if self.embeddings_in_deep else []
        parts += [pairs] if self.pairs_in_deep else []
        if not parts:
            raise ValueError(
                "`embeddings_in_deep` or `pairs_in_deep` must be True where "
                "there are hidden layers, which need an input. Received: "
                f"hidden_units={self.hidden_units}"
            )
        return x.joined(parts, name="deep_input")
