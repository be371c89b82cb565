from keras import ops

from zoo.checks import check_names
from zoo.checks import check_positive_integer
from zoo.checks import check_positive_integer_or_none
from zoo.models.ctr_model import CTRModel
from zoo.models.domain import Domain
from zoo.models.gates import gate
from zoo.models.gates import gated_mlp
from zoo.models.gates import priors
from zoo.registry import network


@network
class PEPNet(CTRModel):
    """PEPNet: domain gates on the embeddings, user gates on hidden layers.

    `x = e * g([domain, e])`, where `e` is the flat input without the domain's
    embedding and `g(z) = 2 sigmoid(relu(z U + c) V + d)`. Each label has a
    perceptron over `x`, of which each layer's input is gated by `g([x,
    priors])`: first `x` itself, last what gives the logit. The priors are
    columns in a table of their own. No gradient passes `e` and `x` in `g`.

    The schema says which field is the domain by the role `"domain"`. A domain
    that training never saw, such as the unknown one, has the embedding that was
    drawn for it, near 0, so that the gates are those that the rest gives.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with the
            role `"domain"`.
        gate_priors: tuple of the names of fields and numeric columns, such as
            those that say who the user is. `None` for perceptrons without
            gates, which is EPNet. Defaults to `()`, all fields, and with
            `dense="embed"` all numeric columns.
        gate_embedding_dim: integer, the length of their vectors. Defaults to
            `10`.
        gate_units: integer, the width of `U`, or `None` for that of what is
            gated. Defaults to `None`.
        domain_embedding_dim: integer, the length of the domain's vector in a
            table of its own, or `None` for one like all others. Defaults to
            `None`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: if not one field is the domain, or it is the only one.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [],
        {"user": 1000, "item": 5000, "tab": 5},
        labels=("like", "follow"),
        roles={"domain": "tab"},
    )
    model = zoo.PEPNet(schema, gate_priors=("user", "item"))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Chang et al., 2023](https://arxiv.org/abs/2302.01115), section 3.
    """

    DENSE = "embed"
    ROLES = ("domain",)
    SEVERAL_LABELS = True
    ORIGINALS = ("Scenario-Wise-Rec",)

    def __init__(
        self,
        schema,
        *,
        gate_priors=(),
        gate_embedding_dim=10,
        gate_units=None,
        domain_embedding_dim=None,
        **shared,
    ):
        if gate_priors is not None:
            check_names("gate_priors", gate_priors)
            gate_priors = tuple(gate_priors)
        check_positive_integer("gate_embedding_dim", gate_embedding_dim)
        check_positive_integer_or_none("gate_units", gate_units)
        check_positive_integer_or_none(
            "domain_embedding_dim", domain_embedding_dim
        )
        self.gate_priors = gate_priors
        self.gate_embedding_dim = gate_embedding_dim
        self.gate_units = gate_units
        self.domain_embedding_dim = domain_embedding_dim
        super().__init__(schema, **shared)

    def logits(self, x):
        inputs, z = self._gated_embeddings(x), None
        if self.gate_priors is not None:
            vectors = priors(
                x, "gate_priors", self.gate_priors, self.gate_embedding_dim
            )
            z = x.joined([ops.stop_gradient(inputs), vectors], "gate_input")
        return {
            label: x.output(
                self._tower(x, inputs, z, f"tower_{i}"),
                f"tower_{i}_logit",
                units=1,
            )
            for i, label in enumerate(self.schema.labels, start=1)
        }

    def _gated_embeddings(self, x):
        domain = Domain(x)
        flat, dim = domain.flat, self.domain_embedding_dim
        if dim is None:
            vector = x.field(domain.name)
        else:
            vector = x.selected([domain.name], "domain_embeddings", dim)[:, 0]
        z = x.joined([vector, ops.stop_gradient(flat)], "domain_gate_input")
        width = flat.shape[-1]
        return flat * gate(z, width, self.gate_units, "domain_gate{}")

    def _tower(self, x, inputs, z, name):
        if z is None:
            return x.mlp(inputs, name=name)
        width = inputs.shape[-1]
        inputs = inputs * gate(z, width, self.gate_units, f"{name}_gate{{}}_0")
        return gated_mlp(x, inputs, z, self.hidden_units, self.gate_units, name)
