from keras import ops

from zoo.checks import check_boolean
from zoo.models.extra_losses import row_weights
from zoo.models.hidden_layers import normalization_layer
from zoo.models.negative_events_model import NegativeEventsModel

# The tensors that are kept for the loss of each history.
PARTS = ("positive", "negative", "is_positive", "is_negative")


class NextEventModel(NegativeEventsModel):
    """The base class of networks that also learn to predict the next event.

    With `auxiliary_weight` it adds to the usual loss that of telling the next
    event of a history from negatives, such as items that the user did not
    click: `sum over events of -log sigmoid(positive) - sum over its negatives
    of log(1 - sigmoid(negative))`, divided by the number of events.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        normalize_once: boolean, whether `normalization` is of the input of the
            hidden layers alone, and not before each activation. Defaults to
            `False`.
        **shared: arguments of
            `zoo.models.negative_events_model.NegativeEventsModel`, such as
            `negatives`, of `zoo.HistoryModel`, such as `histories`, and of
            `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: if the negatives do not fit the histories.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [], {"item": 1000}, sequences={"clicked": zoo.Sequence("item")}
    )
    model = zoo.DMR(schema, auxiliary_weight=0.1)
    ```
    """

    def __init__(self, schema, *, normalize_once=False, **shared):
        check_boolean("normalize_once", normalize_once)
        self.normalize_once = normalize_once
        super().__init__(schema, **shared)

    def _logit(self, x, inputs):
        """Returns the perceptron's linear output, `(batch, labels)`.

        Args:
            x: `zoo.models.batch_features.Features`.
            inputs: `(batch, width)`.
        """
        if not self.normalize_once or self.normalization is None:
            return x.output(x.mlp(inputs))
        layer = normalization_layer(self.normalization, "norm_inputs")
        return x.output(x.mlp(layer(inputs), normalization=None))

    def _keep_next(self, x, number, *parts):
        """Keeps what the loss of a history is made of.

        Args:
            x: `zoo.models.batch_features.Features`.
            number: integer, of the history, from 1 on.
            *parts: `(batch, events)` logits that an event is the next one, for
                those that are and for negatives; and two masks, where there
                are such.
        """
        for name, part in zip(PARTS, parts, strict=True):
            x.keep(f"next_{number}_{name}", ops.cast(part, "float32"))

    def extra_loss(self, y, probabilities, kept, sample_weight=None):
        rows = row_weights(sample_weight)
        total = 0.0
        for number in range(1, len(kept) // len(PARTS) + 1):
            positive, negative, is_positive, is_negative = (
                kept[f"next_{number}_{part}"] for part in PARTS
            )
            is_positive, is_negative = is_positive * rows, is_negative * rows
            loss = ops.sum(is_positive * ops.softplus(-positive))
            loss = loss + ops.sum(is_negative * ops.softplus(negative))
            events = ops.sum(is_positive)
            # Without events the loss is 0.
            total = total + loss / ops.where(events > 0, events, 1.0)
        return self.auxiliary_weight * total
