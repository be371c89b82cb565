from keras import ops

from zoo.checks import check_names
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integer_or_none
from zoo.models.ctr_model import CTRModel
from zoo.models.gates import gated_mlp
from zoo.models.gates import priors
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
      the paper a gate scales a layer's input, in FuxiCTR and here its output:
      the first layer's input has no gate, and the last layer's output has one.
    """

    DENSE = "embed"
    ORIGINALS = ("FuxiCTR",)
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "gate_units": (8, 128, "log"),
    }

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
        check_positive_integer_or_none("gate_units", gate_units)
        self.gate_priors = tuple(gate_priors)
        self.gate_embedding_dim = gate_embedding_dim
        self.gate_units = gate_units
        super().__init__(schema, **shared)

    def logits(self, x):
        flat = x.flat
        vectors = priors(
            x, "gate_priors", self.gate_priors, self.gate_embedding_dim
        )
        z = x.joined([ops.stop_gradient(flat), vectors], name="gate_input")
        return x.output(
            gated_mlp(x, flat, z, self.hidden_units, self.gate_units)
        )
