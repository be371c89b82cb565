from keras import ops

from zoo.checks import check_choice
from zoo.checks import check_not_negative
from zoo.models.history_model import HistoryModel
from zoo.models.history_model import tuples_of_names


class NegativeEventsModel(HistoryModel):
    """The base class of networks that learn to tell events from negatives.

    They learn it by a second loss, which is off unless it has a weight.
    Negatives come from the log, as sequences, such as the items that were shown
    and not clicked. Without such sequences they come from the batch: they are
    the events of the row before, so the rows of a batch should be shuffled.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        auxiliary_weight: float, the weight of that loss. Defaults to `0.0`,
            without it.
        negatives: tuple of tuples of names, for each sequence of `histories`
            one of the same vocabulary with negatives. These sequences are for
            that loss alone. Defaults to `None`, the events of other rows.
        **shared: arguments of `zoo.HistoryModel`, such as `histories`, and of
            `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: if the negatives do not fit the histories.

    Example:

    ```python
    schema = zoo.FeatureSchema(
        [], {"item": 1000}, sequences={"clicked": zoo.Sequence("item")}
    )
    model = zoo.DIEN(schema, auxiliary_weight=1.0)
    ```
    """

    def __init__(
        self, schema, *, auxiliary_weight=0.0, negatives=None, **shared
    ):
        check_not_negative("auxiliary_weight", auxiliary_weight)
        self.auxiliary_weight = auxiliary_weight
        self.negatives = tuples_of_names("negatives", negatives)
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
        for name in self._negative_names():
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
            [*self.sequences_of_histories(), *self._negative_names()]
        )

    def _negative_events(self, x, history, negatives):
        """Returns a negative for each event, and their mask.

        Args:
            x: `zoo.models.batch_features.Features`.
            history: `zoo.models.history.History`.
            negatives: the names of its negatives, or `None`.

        Returns:
            `(batch, length, width)` and `(batch, length)`.

        Raises:
            ValueError: unless there is one for each event.
        """
        if negatives is None:
            return (
                ops.roll(history.events, 1, axis=0),
                ops.roll(history.mask, 1, axis=0),
            )
        lengths = [self.schema.sequences[n].max_length for n in negatives]
        if any(length != history.mask.shape[1] for length in lengths):
            raise ValueError(
                "`negatives` must have the `max_length` of their history, one "
                f"for each event, {history.mask.shape[1]}. "
                f"Received: {lengths} of {list(negatives)}"
            )
        vectors = [x.sequence(name)[0] for name in negatives]
        return x.joined(vectors), x.mask(negatives[0])

    def _names(self):
        negative, histories = self._negative_names(), super()._names()
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

    def _negative_names(self):
        return [name for names in self.negatives or () for name in names]

    def _vocabularies(self, groups):
        vocabulary_of = self.schema.vocabulary_of
        return [[vocabulary_of(name) for name in names] for names in groups]
