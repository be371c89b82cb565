import keras
from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_positive_integer
from zoo.checks import check_rate
from zoo.layers import SelfMaskedCross
from zoo.models.ctr_model import CTRModel
from zoo.models.ctr_model import click_probabilities
from zoo.models.extra_losses import cross_entropy
from zoo.models.extra_losses import of_label
from zoo.registry import network

BRANCHES = ("exponential", "linear")


@network
class FCN(CTRModel):
    """FCN, or DCNv3: cross layers that double degrees, beside usual ones.

    With `c(x) = [h, h * relu(norm(h))] + b` and `h = x W` of half the width
    (`zoo.layers.SelfMaskedCross`), the exponential branch has layers `x <- x *
    c(x) + x` and the linear one `x <- x_0 * c(x) + x`; there is no perceptron:
    `sigmoid((<x_exponential, w> + b + <x_linear, w'> + b') / 2)`.

    With both branches it trains on Tri-BCE: to the cross-entropy `l` are added
    `l_i * max(0, l_i - l)` of each branch's own, `l_i`.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        branches: tuple of `"exponential"` and `"linear"`, or of one of them;
            the first one alone is the paper's ECN. Defaults to both.
        num_exponential_layers: integer. Defaults to `4`, as in the authors' log
            of Criteo_x4.
        num_linear_layers: integer. Defaults to `5`, as there.
        exponential_dropout: float in `[0, 1)`, after each layer: `0.1` there.
            Defaults to `0.0`.
        linear_dropout: float in `[0, 1)`, after each layer: `0.2` there.
            Defaults to `0.0`.
        num_heads: integer. Each embedding is cut into so many; the cross layers
            are the same for all, and the logit is their mean. Defaults to `1`.
        layer_norm: boolean, whether the mask is normalized. Defaults to `True`.
        batch_norm: boolean, whether `h` is. Defaults to `False`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`; it has
            no hidden layers.

    Raises:
        ValueError: if `branches` names no branch or another one, or
            `num_heads` does not divide the embeddings.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000, "hour": 26})
    model = zoo.FCN(schema, embedding_dim=16)
    model.compile(optimizer=keras_cowclip.CowClip(), loss="binary_crossentropy")
    ```

    Reference:
    - [Li et al., 2024](https://arxiv.org/abs/2407.13349)
    """

    DENSE = "embed"
    ORIGINALS = ("DCNv3",)
    SEARCH_SPACE = {
        "num_exponential_layers": (1, 6),
        "num_linear_layers": (1, 6),
        "exponential_dropout": (0.0, 0.5),
        "linear_dropout": (0.0, 0.5),
    }

    def __init__(
        self,
        schema,
        *,
        branches=BRANCHES,
        num_exponential_layers=4,
        num_linear_layers=5,
        exponential_dropout=0.0,
        linear_dropout=0.0,
        num_heads=1,
        layer_norm=True,
        batch_norm=False,
        **shared,
    ):
        is_list = isinstance(branches, tuple | list)
        if not is_list or tuple(branches) not in (
            BRANCHES,
            ("exponential",),
            ("linear",),
        ):
            raise ValueError(
                f"`branches` must be {BRANCHES} or a tuple of one of them. "
                f"Received: branches={branches!r}"
            )
        check_positive_integer("num_exponential_layers", num_exponential_layers)
        check_positive_integer("num_linear_layers", num_linear_layers)
        check_rate("exponential_dropout", exponential_dropout)
        check_rate("linear_dropout", linear_dropout)
        check_positive_integer("num_heads", num_heads)
        check_boolean("layer_norm", layer_norm)
        check_boolean("batch_norm", batch_norm)
        self.branches = tuple(branches)
        self.num_exponential_layers = num_exponential_layers
        self.num_linear_layers = num_linear_layers
        self.exponential_dropout = exponential_dropout
        self.linear_dropout = linear_dropout
        self.num_heads = num_heads
        self.layer_norm = layer_norm
        self.batch_norm = batch_norm
        super().__init__(schema, **shared)

    def probabilities(self, x):
        heads = self._heads(x.embeddings)
        # Each has a bias of its own, which its own loss needs.
        logits = [self._branch(x, heads, name) for name in self.branches]
        if len(logits) > 1:
            for name, logit in zip(self.branches, logits, strict=True):
                x.keep(name, logit)
            logits = [0.5 * logit for logit in logits]
        return click_probabilities(logits, self.schema.labels, use_bias=False)

    def extra_loss(self, y, probabilities, kept, sample_weight=None):
        total = 0.0
        for i, label in enumerate(self.schema.labels):
            target = of_label(y, label)
            weight = of_label(sample_weight, label)
            logits = [kept[name][:, i : i + 1] for name in self.branches]
            together = cross_entropy(target, sum(logits) / 2, weight)
            for logit in logits:
                alone = cross_entropy(target, logit, weight)
                total = total + alone * ops.relu(alone - together)
        return total

    def _heads(self, fields):
        """The halves of each head's vectors, `(batch, num_heads, units)`."""
        num_fields, dim = fields.shape[1:]
        heads, size = self.num_heads, dim // self.num_heads
        if dim % heads or num_fields * size % 2:
            raise ValueError(
                "`num_heads` must divide `embedding_dim`, and a head's part of "
                f"the {num_fields} fields together must be of even length. "
                f"Received: num_heads={heads}, embedding_dim={dim}"
            )
        fields = ops.reshape(fields, (-1, num_fields, heads, size))
        fields = ops.swapaxes(fields, 1, 2)
        half = (size + 1) // 2
        halves = [
            ops.reshape(part, (-1, heads, num_fields * part.shape[-1]))
            for part in (fields[..., :half], fields[..., half:])
        ]
        return ops.concatenate(halves, axis=-1)

    def _branch(self, x, heads, name):
        rate, current = getattr(self, f"{name}_dropout"), heads
        for i in range(1, getattr(self, f"num_{name}_layers") + 1):
            source = current if name == "exponential" else heads
            current = SelfMaskedCross(
                self.layer_norm, self.batch_norm, name=f"{name}_cross_{i}"
            )([source, current])
            if rate:
                current = keras.layers.Dropout(
                    rate, name=f"{name}_dropout_{i}"
                )(current)
        logits = x.output(current, name=f"{name}_logit", use_bias=True)
        return ops.mean(logits, axis=1)
