import keras
from keras import ops

from zoo.layers import FactorizationMachine
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class IFM(CTRModel):
    """IFM: a factorization machine whose fields the input itself reweights.

    With `n` fields, their embeddings `v`, linear weights `u` and factors
    `m = n * softmax(mlp(v) W)`:
    `sigmoid(sum_i m_i u_i + sum_{i<j} <m_i v_i, m_j v_j> + bias)`.

    Its arguments are those of `zoo.CTRModel`. With `dense="concat"` numeric
    columns are in the linear part alone and have no factors, as in DeepCTR.

    Example:

    ```python
    model = zoo.IFM(zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Yu et al., 2019](https://doi.org/10.24963/ijcai.2019/203)
    """

    DENSE = "embed"
    ORIGINALS = ("DeepCTR-Torch",)

    def logits(self, x):
        fields = x.embeddings.shape[1]
        deep = x.mlp(keras.layers.Flatten()(x.embeddings))
        shares = keras.layers.Dense(
            fields,
            use_bias=False,
            activation="softmax",
            kernel_initializer="glorot_normal",
            name="factors",
        )(deep)
        return refined(x, fields * shares)


def refined(x, factors):
    """Returns the parts of a factorization machine with a factor per field.

    Args:
        x: `Features`.
        factors: `(batch, fields)`.
    """
    fields = x.embeddings * ops.expand_dims(factors, axis=-1)
    return [x.linear(factors=factors), FactorizationMachine(name="fm")(fields)]
