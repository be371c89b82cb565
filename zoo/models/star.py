from zoo.checks import check_positive_integers
from zoo.layers import DomainNormalization
from zoo.layers import StarDense
from zoo.models.ctr_model import CTRModel
from zoo.models.domain import Domain
from zoo.models.network_arguments import check_one_for_all
from zoo.registry import network


@network
class STAR(CTRModel):
    """STAR: a perceptron whose weights each domain multiplies by its own.

    For a row of the domain `d`, `h_0` is its flat input without the domain's
    embedding, normalized by the mean and variance of the domain:
    `h_0 = (x - mean_d) / sqrt(variance_d + 1e-5) * gamma gamma_d + beta +
    beta_d`. Layers are `h_next = activation(h (W * W_d) + b + b_d)`, the last
    one gives a logit. A smaller perceptron over all embeddings, with that of
    the domain, gives another: `sigmoid(logit + small(x) + bias)`.

    The schema says which field is the domain by the role `"domain"`. A domain
    that training never saw, such as the unknown one, has the shared network
    alone, for its own weights start as ones and zeros, and is normalized by the
    statistics of all rows; see `zoo.layers.DomainNormalization`. Train on
    batches with several rows of each domain.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log, with the
            role `"domain"`.
        auxiliary_units: tuple of integers, the hidden layers of the smaller
            perceptron. Defaults to `(32,)`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: if not one field is the domain, or it is the only one.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [], {"user": 1000, "tab": 5}, roles={"domain": "tab"}
    )
    model = zoo.STAR(schema)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Sheng et al., 2021](https://arxiv.org/abs/2101.11427).
      Scenario-Wise-Rec normalizes by the batch even when it predicts, all
      domains together, and cuts the logit of the large perceptron at 0.
    """

    ROLES = ("domain",)

    def __init__(self, schema, *, auxiliary_units=(32,), **shared):
        check_positive_integers("auxiliary_units", auxiliary_units)
        self.auxiliary_units = tuple(auxiliary_units)
        super().__init__(schema, **shared)

    def logits(self, x):
        check_one_for_all(self, "activation", "dropout")
        domain = Domain(x)
        flat = domain.flat
        normalized = domain.call(
            DomainNormalization(domain.size, name="domain_norm"), flat
        )

        def linear(inputs, i, units):
            return _star(domain, inputs, units, f"hidden_{i}")

        hidden = x.mlp(normalized, linear=linear)
        small = x.mlp(
            x.joined([x.field(domain.name), flat]),
            self.auxiliary_units,
            "auxiliary",
        )
        return [
            _star(domain, hidden, len(self.schema.labels), "logit"),
            x.output(small, "auxiliary_logit"),
        ]


def _star(domain, inputs, units, name):
    return domain.call(StarDense(units, domain.size, name=name), inputs)
