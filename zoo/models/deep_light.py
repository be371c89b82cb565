from zoo.layers import PairProducts
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class DeepLight(CTRModel):
    """DeepLight: a factorization machine with weighted pairs, and a perceptron.

    With a weight `r_ij` for each pair of fields:
    `sigmoid(linear(ids, dense) + sum_{i<j} r_ij <v_i, v_j> + mlp(v) + bias)`.
    The paper then prunes weights that are small, which is no part of the
    network.

    Its arguments are those of `zoo.CTRModel`; `hidden_units=()` leaves the
    perceptron out. With `dense="concat"` numeric columns are in no pair.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.DeepLight(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Deng et al., 2020](https://arxiv.org/abs/2002.06987), section 3, where it
      is called DeepFwFM. The authors' code has `r_ij` as the mean of two
      weights, of which only the sum matters.
    """

    DENSE = "embed"

    def logits(self, x):
        pairs = PairProducts(name="pairs")(x.embeddings)
        parts = [x.linear(), x.output(pairs, name="pair_weights")]
        if self.hidden_units:
            parts.append(x.output(x.mlp()))
        return parts
