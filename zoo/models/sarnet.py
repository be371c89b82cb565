import keras
from keras import ops

from zoo.checks import check_positive_integer
from zoo.layers import DomainExperts
from zoo.layers import DomainNormalization
from zoo.layers import DomainScale
from zoo.layers.xavier import xavier_normal
from zoo.models.ctr_model import CTRModel
from zoo.models.domain import Domain
from zoo.models.hidden_layers import normalization_layer
from zoo.registry import network


@network
class SARNet(CTRModel):
    """SAR-Net: a mixture of experts, of which each domain has some of its own.

    For a row of the domain `d`, the flat input without the domain's embedding
    becomes `z = x * w_d + b_d`. Each expert is `normalization(z) W_e + b_e`;
    some are for all domains, others are those of `d`. A perceptron over
    `sum_e softmax(z G + c)_e expert_e` gives the logit.

    The schema says which field is the domain by the role `"domain"`. For a
    domain that training never saw, such as the unknown one, `w_d` is 1, `b_d`
    is 0, its experts are as they were drawn, and normalized by the statistics
    of all rows; see `zoo.layers.DomainNormalization`. Train on batches with
    several rows of each domain.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with the
            role `"domain"`.
        num_shared_experts: integer, the experts for all domains. Defaults to
            `8`.
        num_domain_experts: integer, the experts of each domain. Defaults to
            `2`.
        expert_units: integer, the width of the experts. Defaults to `16`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: if not one field is the domain, or it is the only one.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [], {"user": 1000, "tab": 5}, roles={"domain": "tab"}
    )
    model = zoo.SARNet(schema, hidden_units=(32, 32))
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Shen et al., 2021](https://arxiv.org/abs/2110.06475). As in
      Scenario-Wise-Rec, whose defaults these are, a history is a mean, without
      the paper's attention. There, the experts of a domain are normalized by
      the rows of all domains while they train.
    """

    ROLES = ("domain",)
    ORIGINALS = ("Scenario-Wise-Rec",)
    SEARCH_SPACE = {
        **CTRModel.SEARCH_SPACE,
        "num_shared_experts": (2, 16),
        "num_domain_experts": (1, 4),
    }

    def __init__(
        self,
        schema,
        *,
        num_shared_experts=8,
        num_domain_experts=2,
        expert_units=16,
        **shared,
    ):
        check_positive_integer("num_shared_experts", num_shared_experts)
        check_positive_integer("num_domain_experts", num_domain_experts)
        check_positive_integer("expert_units", expert_units)
        self.num_shared_experts = num_shared_experts
        self.num_domain_experts = num_domain_experts
        self.expert_units = expert_units
        super().__init__(schema, **shared)

    def logits(self, x):
        domain = Domain(x)
        z = domain.call(DomainScale(domain.size, name="scale"), domain.flat)
        experts = ops.concatenate(
            [self._shared(z), self._own(domain, z)], axis=1
        )
        gates = keras.layers.Dense(
            self.num_shared_experts + self.num_domain_experts,
            activation="softmax",
            kernel_initializer="glorot_normal",
            name="gate",
        )(z)
        mixed = ops.sum(gates[:, :, None] * experts, axis=1)
        return x.output(x.mlp(mixed))

    def _shared(self, z):
        """The experts for all domains, `(batch, experts, expert_units)`."""
        inputs, count = z.shape[-1], self.num_shared_experts
        normalized = normalization_layer("batch", "shared_norm")(
            ops.tile(z, (1, count))
        )
        return keras.layers.EinsumDense(
            "bei,eio->beo",
            (count, self.expert_units),
            bias_axes="eo",
            kernel_initializer=xavier_normal((self.expert_units, inputs)),
            name="shared_experts",
        )(ops.reshape(normalized, (-1, count, inputs)))

    def _own(self, domain, z):
        """The experts of the row's domain, as `_shared`."""
        count = self.num_domain_experts
        normalized = domain.call(
            DomainNormalization(domain.size, shared=False, name="domain_norm"),
            ops.tile(z[:, None], (1, count, 1)),
        )
        return domain.call(
            DomainExperts(
                self.expert_units, domain.size, name="domain_experts"
            ),
            normalized,
        )
