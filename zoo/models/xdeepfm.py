from zoo.checks import check_boolean
from zoo.checks import check_positive_integers
from zoo.layers import CompressedInteraction
from zoo.layers.activation import check_activation_function
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class XDeepFM(CTRModel):
    """xDeepFM: products of more and more fields, mixed, beside a perceptron.

    The compressed interaction network (CIN, `zoo.layers.CompressedInteraction`)
    `x_l[h] = activation(sum_ij W_l[i, j, h] x_{l-1}[i] * x_0[j] + b_l[h])` on
    the fields `x_0`, its maps summed over their elements:
    `sigmoid(linear(ids, dense) + <sums(x_1, x_2, ...), w> + mlp(x) + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        cin_units: tuple of integers, the number of maps of each layer of the
            CIN. Defaults to `(16, 16)`, as in BARS' Criteo_x1 run.
        cin_activation: string, a name that Keras knows, or `None`. Defaults to
            `None`, FuxiCTR's; the paper compares several.
        split_half: boolean. Whether half of a layer's maps goes on to the next
            layer and the other half to the output, as the authors' and
            DeepCTR's code may. Defaults to `False`, all go to both.
        linear: boolean, whether it has the linear part. Defaults to `True`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.
            `hidden_units=()` leaves the perceptron out.

    Raises:
        ValueError: if there are no `cin_units`, or halves of an odd number.

    Example:

    ```python
    model = zoo.XDeepFM(zoo.FeatureSchema(["price"], {"site": 1000}))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Lian et al., 2018](https://arxiv.org/abs/1803.05170), section 3.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch", "RecBole")
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "cin_units": [(16, 16), (64, 64), (128, 128)],
    }

    def __init__(
        self,
        schema,
        *,
        cin_units=(16, 16),
        cin_activation=None,
        split_half=False,
        linear=True,
        **shared,
    ):
        check_positive_integers("cin_units", cin_units)
        check_activation_function("cin_activation", cin_activation)
        check_boolean("split_half", split_half)
        check_boolean("linear", linear)
        odd = [units for units in cin_units[:-1] if units % 2]
        if not cin_units or (split_half and odd):
            raise ValueError(
                "`cin_units` must have a layer, and with `split_half` even "
                "numbers before the last. Received: "
                f"cin_units={cin_units!r}, split_half={split_half!r}"
            )
        self.cin_units = tuple(cin_units)
        self.cin_activation = cin_activation
        self.split_half = split_half
        self.linear = linear
        super().__init__(schema, **shared)

    def logits(self, x):
        maps = CompressedInteraction(
            self.cin_units, self.cin_activation, self.split_half, name="cin"
        )(x.embeddings)
        logits = [x.linear()] if self.linear else []
        logits.append(x.output(maps, name="cin_logit"))
        if self.hidden_units:
            logits.append(x.output(x.mlp()))
        return logits
