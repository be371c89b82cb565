from keras import ops

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_not_negative
from zoo.models.hidden_layers import normalization_layer
from zoo.models.history_model import HistoryModel
from zoo.models.history_model import tuples_of_names

# What is kept for the loss of a history.
PARTS = ("positive", "negative", "is_positive", "is_negative")


class NextEventModel(HistoryModel):
    """The base class of networks that also learn to predict the next event.

    With `auxiliary_weight` it adds to the usual loss that of telling the next
    event of a history from negatives, such as items that the user did not
    click: `sum over events of -log sigmoid(positive) - sum over its negatives
    of log(1 - sigmoid(negative))`, divided by the number of events. Negatives
    come from the log, as sequences, or from the batch: the events of the row
    before, so that the rows of a batch should be shuffled.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        auxiliary_weight: float, the weight of that loss. Defaults to `0.0`,
            without it.
        negatives: tuple of tuples of names, for each sequence of `histories`
            one with ids of the same vocabulary that are no events. These
            sequences are for that loss alone. Defaults to `None`, drawn in the
            batch.
        normalize_once: boolean, whether `normalization` is of the input of the
            hidden layers alone, and not before each activation. Defaults to
            `False`.
        **shared: arguments of `zoo.HistoryModel`, such as `histories`, and of
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

    def __init__(
        self,
        schema,
        *,
        auxiliary_weight=0.0,
        negatives=None,
        normalize_once=False,
        **shared,
    ):
        check_not_negative("auxiliary_weight", auxiliary_weight)
        check_boolean("normalize_once", normalize_once)
        self.auxiliary_weight = auxiliary_weight
        self.negatives = tuples_of_names("negatives", negatives)
        self.normalize_once = normalize_once
        super().__init__(schema, **shared)

    def _negatives_of(self, histories):
        """Returns the names of the negatives of each history.

        Args:
            histories: list of `zoo.models.history.History`.

        Returns:
            List of tuples of names, or of `None` where they are drawn.

        Raises:
            ValueError: as the class does.
        """
        lengths = [history.mask.shape[1] for history in histories]
        if self.auxiliary_weight and min(lengths) < 2:
            raise ValueError(
                "`auxiliary_weight` must be 0 unless each history has places "
                "for two events, of which one is the next. Received: "
                f"auxiliary_weight={self.auxiliary_weight!r}, lengths={lengths}"
            )
        if self.negatives is None:
            return [None] * len(histories)
        for name in self._negative():
            check_choice("negatives", name, self.schema.sequences)
        names = [history.names for history in histories]
        if self._vocabularies(self.negatives) != self._vocabularies(names):
            raise ValueError(
                "`negatives` must have a sequence of the same vocabulary for "
                f"each sequence of `histories`, {names}. "
                f"Received: negatives={self.negatives}"
            )
        return list(self.negatives)

    def _other_columns(self, x):
        """Returns `x.flat` without the histories and their negatives.

        Args:
            x: `zoo.models.batch_features.Features`.
        """
        return x.flat_without(
            [*self.sequences_of_histories(), *self._negative()]
        )

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
        rows = _row_weights(sample_weight)
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

    def _names(self):
        negative, histories = self._negative(), super()._names()
        if self.histories is None:
            # They may be parallel to the history.
            left = [
                [n for n in each if n not in negative] for each in histories
            ]
            histories = [tuple(each) for each in left if each]
        if not histories or any(n in negative for h in histories for n in h):
            raise ValueError(
                "`negatives` must not be the sequences of `histories` "
                "themselves. Received: "
                f"negatives={self.negatives}, histories={self.histories}"
            )
        return histories

    def _negative(self):
        return [name for names in self.negatives or () for name in names]

    def _vocabularies(self, groups):
        vocabulary_of = self.schema.vocabulary_of
        return [[vocabulary_of(name) for name in names] for names in groups]


def _row_weights(sample_weight):
    """The weight of each row, `(batch, 1)`, or 1."""
    if sample_weight is None:
        return 1.0
    if isinstance(sample_weight, dict):
        # A label that a row lacks has 0 there.
        each = [w for w in sample_weight.values() if w is not None]
        if not each:
            return 1.0
        sample_weight = ops.max(
            ops.stack([ops.reshape(w, (-1,)) for w in each]), axis=0
        )
    return ops.reshape(ops.cast(sample_weight, "float32"), (-1, 1))
