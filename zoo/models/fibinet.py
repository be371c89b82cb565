import keras

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive
from zoo.layers import BilinearInteraction
from zoo.layers import SqueezeExcitation
from zoo.layers.bilinear_interaction import KINDS
from zoo.layers.squeeze_excitation import ACTIVATIONS
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class FiBiNET(CTRModel):
    """FiBiNET: fields scaled by their importance, paired by bilinear forms.

    With `u = excite(v)` (`zoo.layers.SqueezeExcitation`) and, for all pairs,
    `p_ij = (v_i P) * v_j` and `q_ij = (u_i Q) * u_j`:
    `sigmoid(linear(ids, dense) + mlp([p, q]) + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        bilinear: string. `"all"` for one matrix `P`, `"each"` for one for each
            field `i`, or `"interaction"` for one for each pair. Defaults to
            `"interaction"`.
        reduction_ratio: number, positive. By how much the excitation narrows
            the fields. Defaults to `12`, as in BARS' Criteo_x1 run.
        excitation_activation: string, `"relu"` or `"sigmoid"`. Defaults to
            `"relu"`.
        shared_bilinear: boolean. `True` for `Q = P`, as in DeepCTR and in the
            published Criteo_x1. Defaults to `False`.
        excited_first: boolean. `True` for `mlp([q, p])`, as in DeepCTR.
            Defaults to `False`.
        linear: boolean, whether it has the linear part. Defaults to `True`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`. With
            `dense="concat"` numeric columns are in no pair: they enter the
            perceptron as they are, as in DeepCTR.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.FiBiNET(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Huang et al., 2019](https://arxiv.org/abs/1905.09433), section 3. Its
      `"each"` and ours have a matrix less than there are fields: the last one
      is the left one of no pair.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch", "torch-rechub")
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "reduction_ratio": (1, 12),
    }

    def __init__(
        self,
        schema,
        *,
        bilinear="interaction",
        reduction_ratio=12,
        excitation_activation="relu",
        shared_bilinear=False,
        excited_first=False,
        linear=True,
        **shared,
    ):
        check_choice("bilinear", bilinear, KINDS)
        check_positive("reduction_ratio", reduction_ratio)
        check_choice(
            "excitation_activation", excitation_activation, ACTIVATIONS
        )
        check_boolean("shared_bilinear", shared_bilinear)
        check_boolean("excited_first", excited_first)
        check_boolean("linear", linear)
        self.bilinear = bilinear
        self.reduction_ratio = reduction_ratio
        self.excitation_activation = excitation_activation
        self.shared_bilinear = shared_bilinear
        self.excited_first = excited_first
        self.linear = linear
        super().__init__(schema, **shared)

    def logits(self, x):
        excited = SqueezeExcitation(
            self.reduction_ratio, self.excitation_activation, name="excitation"
        )(x.embeddings)
        plain_pairs = BilinearInteraction(self.bilinear, name="bilinear")
        excited_pairs = plain_pairs
        if not self.shared_bilinear:
            excited_pairs = BilinearInteraction(
                self.bilinear, name="bilinear_excited"
            )
        pairs = [plain_pairs(x.embeddings), excited_pairs(excited)]
        if self.excited_first:
            pairs.reverse()
        parts = [keras.layers.Flatten()(each) for each in pairs]
        if self.dense == "concat" and self.schema.num_dense:
            parts.append(x.dense)
        deep = x.output(x.mlp(x.joined(parts, name="pairs")))
        return [x.linear(), deep] if self.linear else deep
