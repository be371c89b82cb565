import keras
from keras import ops

from zoo.checks import check_choice
from zoo.checks import check_names
from zoo.checks import check_positive_integer
from zoo.models.ctr_model import CTRModel
from zoo.registry import network


@network
class PPNet(CTRModel):
    """PPNet: a perceptron whose hidden layers are gated by chosen columns.

    `h_next = activation(h W + b) * 2 sigmoid(relu(z U + c) V + d)`, with
    `z = [embeddings, dense, priors]`, in which the first two have no gradient,
    and the priors are columns in a table of their own:
    `sigmoid(<h, w> + bias)`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        gate_priors: tuple of the names of fields and numeric columns, such as
            those that say who the user is. Defaults to `()`, all fields, and
            with `dense="embed"` all numeric columns.
        gate_embedding_dim: integer, the length of their vectors in `z`.
            Defaults to `10`, FuxiCTR's.
        gate_units: integer, the width of `U`, or `None` for that of the gated
            layer. Defaults to `64`, FuxiCTR's.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"user": 1000, "hour": 26})
    model = zoo.PPNet(schema, gate_priors=("user",))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Chang et al., 2023](https://arxiv.org/abs/2302.01115), section 3.3. In
      the paper a gate stands before a layer, in FuxiCTR behind it; so here the
      first layer's input has none, but the last one's output.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)

    def __init__(
        self,
        schema,
        *,
        gate_priors=(),
        gate_embedding_dim=10,
        gate_units=64,
        **shared,
    ):
        check_names("gate_priors", gate_priors)
        check_positive_integer("gate_embedding_dim", gate_embedding_dim)
        if gate_units is not None:
            check_positive_integer("gate_units", gate_units)
        self.gate_priors = tuple(gate_priors)
        self.gate_embedding_dim = gate_embedding_dim
        self.gate_units = gate_units
        super().__init__(schema, **shared)

    def logits(self, x):
        flat = x.flat
        known = [*self.schema.dense, *self.schema.categorical]
        for name in self.gate_priors:
            check_choice("gate_priors", name, known)
        priors = self.gate_priors or [
            name for name in x.names if name not in self.schema.sequences
        ]
        vectors = x.selected(
            list(priors), "gate_embeddings", self.gate_embedding_dim
        )
        z = x.joined(
            [
                ops.stop_gradient(flat),
                keras.layers.Flatten(name="priors")(vectors),
            ],
            name="gate_input",
        )

        def linear(inputs, i, units):
            if i > 1:
                inputs = self._gated(inputs, z, i - 1)
            return _linear(units, f"hidden_{i}")(inputs)

        hidden = x.mlp(flat, linear=linear)
        if self.hidden_units:
            hidden = self._gated(hidden, z, len(self.hidden_units))
        return x.output(hidden)

    def _gated(self, hidden, z, i):
        """The output of the hidden layer `i` times its gate."""
        units = hidden.shape[-1]
        inner = _linear(
            self.gate_units or units, f"gate_hidden_{i}", activation="relu"
        )(z)
        gate = _linear(units, f"gate_{i}", activation="sigmoid")(inner)
        return hidden * (2 * gate)


def _linear(units, name, activation=None):
    return keras.layers.Dense(
        units,
        activation=activation,
        kernel_initializer="glorot_normal",
        name=name,
    )
