from zoo.checks import check_choice
from zoo.models.ctr_model import CTRModel


class HistoryModel(CTRModel):
    """The base class of networks that compare histories with what is offered.

    A history is one sequence, or several of the same events: the items that a
    user clicked, and their categories. Its targets are the fields with the
    same vocabularies: the item that is offered, and its category. A sequence
    that is in no history enters as its mean, as in other networks.

    Args:
        schema: `zoo.FeatureSchema`, the columns of the click log.
        histories: tuple of tuples of names, the sequences of each history.
            Defaults to `None`, those that `schema` calls parallel, if each
            shares the vocabulary of a field.
        targets: tuple of tuples of names, for each sequence the field that it
            is compared with. Defaults to `None`, the fields whose vocabularies
            they share.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.

    Raises:
        ValueError: if there is no history, the sequences of one have not the
            same length, or a sequence is in two.

    Example:

    ```python
    @zoo.register_network("favourites")
    class Favourites(zoo.HistoryModel):
        def logits(self, x):
            parts = {}
            for history in self.histories_of(x):
                scores = keras.ops.sum(
                    history.events * history.target[:, None], axis=-1
                )
                parts |= history.split(history.pooled(scores, softmax=True))
            return x.output(x.mlp(x.flat_with(parts)))

    model = Favourites(
        zoo.FeatureSchema(
            [], {"item": 1000}, sequences={"clicked": zoo.Sequence("item")}
        )
    )
    ```
    """

    def __init__(self, schema, *, histories=None, targets=None, **shared):
        self.histories = tuples_of_names("histories", histories)
        self.targets = tuples_of_names("targets", targets)
        super().__init__(schema, **shared)

    def histories_of(self, x):
        """Returns the histories of a batch.

        Args:
            x: `zoo.models.batch_features.Features`.

        Returns:
            List of `zoo.models.history.History`.

        Raises:
            ValueError: as the class does.

        Example:

        ```python
        class Latest(zoo.HistoryModel):
            def logits(self, x):
                latest = [h.events[:, -1] for h in self.histories_of(x)]
                fields = x.flat_without(self.sequences_of_histories())
                return x.output(x.mlp(x.joined([fields, *latest])))
        ```
        """
        histories = self._names()
        return [
            x.history(names, targets)
            for names, targets in zip(
                histories, self._targets(histories), strict=True
            )
        ]

    def sequences_of_histories(self):
        """Returns the names of all sequences that are in a history.

        Raises:
            ValueError: as the class does.

        Example:

        >>> schema = zoo.FeatureSchema(
        ...     [], {"item": 1000}, sequences={"clicked": zoo.Sequence("item")}
        ... )
        >>> zoo.DIN(schema).sequences_of_histories()
        ['clicked']
        """
        return [name for names in self._names() for name in names]

    def _names(self):
        sequences = self.schema.sequences
        if self.histories is not None:
            _check_histories(self.histories, sequences)
            return self.histories
        histories = [
            names
            for names in self.schema.histories
            if all(sequences[name].field for name in names)
        ]
        if not histories:
            raise ValueError(
                f"`{type(self).__name__}` needs a history: a sequence of "
                "`schema` that shares the vocabulary of a field, or "
                "`histories` and `targets` that say which it is. "
                f"Received: sequences={sequences}"
            )
        return histories

    def _targets(self, histories):
        if self.targets is None:
            return [
                tuple(self._field(name) for name in names)
                for names in histories
            ]
        shapes = [
            [len(names) for names in of] for of in (self.targets, histories)
        ]
        if shapes[0] != shapes[1]:
            raise ValueError(
                "`targets` must have a field for each sequence of `histories`, "
                f"{histories}. Received: targets={self.targets}"
            )
        return self.targets

    def _field(self, name):
        field = self.schema.sequences[name].field
        if field is None:
            raise ValueError(
                f"`targets` must say which field '{name}' is compared with, "
                "for it has a vocabulary of its own. Received: targets=None"
            )
        return field


def _check_histories(histories, sequences):
    names = [name for history in histories for name in history]
    for name in names:
        check_choice("histories", name, sequences)
    lengths = [{sequences[n].max_length for n in each} for each in histories]
    if len(set(names)) < len(names) or any(len(each) != 1 for each in lengths):
        raise ValueError(
            "`histories` must have each sequence once, and the sequences of a "
            "history must have one `max_length`, being of the same events. "
            f"Received: histories={histories} of {sequences}"
        )


def tuples_of_names(name, value):
    """Returns an argument as a tuple of tuples of names, or `None`.

    Args:
        name: string, that of the argument.
        value: what was given for it.

    Raises:
        ValueError: if it is neither that, with a name in each, nor `None`.

    Example:

    >>> tuples_of_names("histories", [["clicked"]])
    (('clicked',),)
    """
    if value is None:
        return None
    if (
        not isinstance(value, list | tuple)
        or not value
        or not all(isinstance(each, list | tuple) and each for each in value)
    ):
        raise ValueError(
            f"`{name}` must be a tuple of tuples of names, one for each "
            f"history. Received: {name}={value!r}"
        )
    return tuple(map(tuple, value))
