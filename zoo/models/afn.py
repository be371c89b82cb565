import keras

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_positive
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integers
from zoo.layers import LogarithmicTransform
from zoo.layers.logarithmic_transform import NORMALIZED
from zoo.models.ctr_model import CTRModel
from zoo.models.network_arguments import check_activations
from zoo.models.network_arguments import check_dropout
from zoo.registry import network


@network
class AFN(CTRModel):
    """AFN: a perceptron on products of fields to learned powers.

    Logarithmic neurons `c_k = norm(exp(sum_i norm(log|v_i|) * W[i, k]))` by
    element (`zoo.layers.LogarithmicTransform`): `sigmoid(mlp([c_1, ..., c_K])
    + bias)`. AFN+ has another perceptron, on a table of its own: `sigmoid(w_1 *
    mlp(c) + w_2 * deep_mlp(v') + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        logarithmic_neurons: integer, the number `K` of neurons. Defaults to
            `400`, as in BARS' Criteo_x1 run.
        ensemble: boolean, whether it is AFN+. Defaults to `False`.
        deep_units: tuple of integers, the widths of AFN+'s other perceptron.
            Defaults to `(400, 400, 400)`.
        deep_activation: as `activation`, of `deep_units`. Defaults to `"relu"`.
        deep_dropout: as `dropout`, of `deep_units`. Defaults to `0.0`.
        smallest: float, positive. Smaller absolute values of embeddings count
            as it. Defaults to `1e-5`, FuxiCTR's; DeepCTR's is `1e-7`.
        normalized: string. `"fields"` to normalize each field, and each neuron,
            over all elements; `"elements"` each element over all fields, and
            neurons, as DeepCTR does. Defaults to `"fields"`.
        neuron_bias: boolean, whether a neuron adds a bias before `exp`, as
            DeepCTR's. Defaults to `False`.
        linear: boolean, whether it has the linear part, as DeepCTR's. Defaults
            to `False`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.AFN(schema, ensemble=True)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Cheng et al., 2020](https://arxiv.org/abs/1909.03276)
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR", "DeepCTR-Torch")
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "logarithmic_neurons": (100, 1600, "log"),
    }

    def __init__(
        self,
        schema,
        *,
        logarithmic_neurons=400,
        ensemble=False,
        deep_units=(400, 400, 400),
        deep_activation="relu",
        deep_dropout=0.0,
        smallest=1e-5,
        normalized="fields",
        neuron_bias=False,
        linear=False,
        **shared,
    ):
        check_positive_integer("logarithmic_neurons", logarithmic_neurons)
        check_boolean("ensemble", ensemble)
        check_positive_integers("deep_units", deep_units)
        check_activations("deep_activation", deep_activation, deep_units)
        check_dropout("deep_dropout", deep_dropout, len(deep_units))
        check_positive("smallest", smallest)
        check_choice("normalized", normalized, NORMALIZED)
        check_boolean("neuron_bias", neuron_bias)
        check_boolean("linear", linear)
        self.logarithmic_neurons = logarithmic_neurons
        self.ensemble = ensemble
        self.deep_units = tuple(deep_units)
        self.deep_activation = deep_activation
        self.deep_dropout = deep_dropout
        self.smallest = smallest
        self.normalized = normalized
        self.neuron_bias = neuron_bias
        self.linear = linear
        super().__init__(schema, **shared)

    def logits(self, x):
        neurons = LogarithmicTransform(
            self.logarithmic_neurons,
            self.smallest,
            self.normalized,
            self.neuron_bias,
            # Small numbers have a logarithm that 16 bits round coarsely.
            dtype="float32",
            name="logarithmic",
        )(x.embeddings)
        deep = x.mlp(keras.layers.Flatten()(neurons))
        logit = self._ensemble(x, deep) if self.ensemble else x.output(deep)
        return [x.linear(), logit] if self.linear else logit

    def _ensemble(self, x, powers):
        vectors = x.embeddings_of("deep_embeddings")
        deep = x.mlp(
            keras.layers.Flatten()(vectors),
            self.deep_units,
            name="deep",
            activation=self.deep_activation,
            dropout=self.deep_dropout,
        )
        logits = [
            x.output(powers, name="afn_logit", use_bias=True),
            x.output(deep, name="deep_logit", use_bias=True),
        ]
        return x.output(x.joined(logits, name="afn_and_deep"))
