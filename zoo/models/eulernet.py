import keras

from zoo.checks import check_boolean
from zoo.checks import check_positive_integers
from zoo.checks import check_rate
from zoo.layers import EulerInteraction
from zoo.layers import PhaseRotation
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class EulerNet(CTRModel):
    """EulerNet: products of learned powers of fields, as complex numbers.

    The embeddings are angles: `z_i = mu_i * exp(1j * v_i)` by element. Layers
    `z <- prod_i z_i ** W[i, k] * b_k + relu(z V + c)`, in which `relu(z V + c)`
    is of the real and the imaginary parts each (`zoo.layers.EulerInteraction`):
    `sigmoid(<real(z) + imag(z), w> + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        interaction_units: tuple of integers, the number of complex vectors of
            each layer. Defaults to `(3,)`, FuxiCTR's.
        explicit_dropout: float in `[0, 1)`, of the logarithms of moduli and of
            angles. Defaults to `0.0`.
        implicit_dropout: float in `[0, 1)`, of `z` before `V`. Defaults to
            `0.0`.
        layer_norm: boolean, whether the parts of each layer's vectors are layer
            normalized. Defaults to `False`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`; it has
            no hidden layers.

    Example:

    ```python
    model = zoo.EulerNet(zoo.FeatureSchema(["price"], {"site": 1000}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Tian et al., 2023](https://arxiv.org/abs/2304.10711)
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        "explicit_dropout": (0.0, 0.5),
        "implicit_dropout": (0.0, 0.5),
    }

    def __init__(
        self,
        schema,
        *,
        interaction_units=(3,),
        explicit_dropout=0.0,
        implicit_dropout=0.0,
        layer_norm=False,
        **shared,
    ):
        check_positive_integers("interaction_units", interaction_units)
        check_rate("explicit_dropout", explicit_dropout)
        check_rate("implicit_dropout", implicit_dropout)
        check_boolean("layer_norm", layer_norm)
        self.interaction_units = tuple(interaction_units)
        self.explicit_dropout = explicit_dropout
        self.implicit_dropout = implicit_dropout
        self.layer_norm = layer_norm
        super().__init__(schema, **shared)

    def logits(self, x):
        # Angles and logarithms need more than 16 bits.
        parts = PhaseRotation(dtype="float32", name="phases")(x.embeddings)
        for i, units in enumerate(self.interaction_units, start=1):
            parts = EulerInteraction(
                units,
                self.explicit_dropout,
                self.implicit_dropout,
                self.layer_norm,
                dtype="float32",
                name=f"interaction_{i}",
            )(parts)
        real, imaginary = parts
        return x.output(keras.layers.Flatten()(real + imaginary))
