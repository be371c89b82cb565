"""Describes a column whose value is a list of ids: a history, tags."""

from dataclasses import asdict
from dataclasses import dataclass

from zoo.checks import check_positive_integer


@dataclass(frozen=True)
class Sequence:
    """A column of a click log that holds a list of ids in each row.

    The ids are those of a field, so that an item of the history and the item
    that is offered have one vector. Or they have a vocabulary of their own.
    Longer lists lose their first ids, which are the oldest.

    Args:
        field: string. Name of the categorical field whose vocabulary and table
            it shares. Defaults to `None`, a vocabulary of its own.
        vocabulary_size: integer. The size of its own vocabulary, largest id +
            1. Defaults to `None`.
        max_length: integer. The most ids of a row that are kept. Defaults to
            `50`.
        parallel_to: string. Another sequence whose ids are of the same events,
            one by one: the items that a user clicked, and their categories.
            Defaults to `None`.

    Raises:
        ValueError: unless there is either a field or a size, or for a number
            that is not a positive integer.

    Example:

    >>> zoo.Sequence("item", max_length=20).field
    'item'
    """

    field: str | None = None
    vocabulary_size: int | None = None
    max_length: int = 50
    parallel_to: str | None = None

    def __post_init__(self):
        if (self.field is None) == (self.vocabulary_size is None):
            raise ValueError(
                "A `Sequence` must have either the `field` whose vocabulary it "
                "shares or a `vocabulary_size` of its own. "
                f"Received: field={self.field!r}, "
                f"vocabulary_size={self.vocabulary_size!r}"
            )
        for name in ("vocabulary_size", "max_length"):
            value = getattr(self, name)
            if value is not None:
                check_positive_integer(name, value)
                # JSON can't hold integers of NumPy.
                object.__setattr__(self, name, int(value))

    def get_config(self):
        """Returns the arguments as a dict that is ready for JSON.

        Example:

        >>> zoo.Sequence("item", max_length=20).get_config()
        {'field': 'item', 'vocabulary_size': None, 'max_length': 20}
        """
        config = asdict(self)
        # Earlier versions do not know it, but read configs without.
        if self.parallel_to is None:
            del config["parallel_to"]
        return config
