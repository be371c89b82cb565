"""Describes a column of a raw log that holds lists: a history, tags."""

from dataclasses import dataclass

from zoo.checks import check_positive_integer


@dataclass(frozen=True)
class ListColumn:
    """A column of a raw log whose value is a list, the most recent event last.

    In Parquet, Arrow, `datasets` and rows in memory a value is a list of text
    or integers. A text is taken for a list whose tokens have `separator`
    between them: a token in text can't hold the separator, and one in a list
    can. An empty list and a missing value (an empty text, or one of
    `LogFormat.missing`) are no event. Within a list, such a token is an event
    whose id is missing.

    Longer lists lose their oldest tokens, which are the first.

    Args:
        shares: string. The categorical column whose vocabulary, and so whose
            vectors, it shares. Defaults to `None`, a vocabulary of its own.
        max_length: integer. The most tokens of a row that are kept. Defaults
            to `50`.
        separator: string of one character. Defaults to `"|"`.
        parallel_to: string. Another list column whose tokens are of the same
            events, one by one: both must be equally long in each row. Defaults
            to `None`.

    Raises:
        ValueError: for a length that is not a positive integer, or a separator
            that is no character, a quote or a line end.

    Example:

    >>> shop = zoo.LogFormat(
    ...     "shop", categorical=("item", "category"), sequences={
    ...         "history": zoo.ListColumn("item", max_length=20),
    ...         "categories": zoo.ListColumn(
    ...             "category", max_length=20, parallel_to="history"
    ...         ),
    ...     },
    ... )
    >>> shop.vocabulary_of("history")
    'item'
    """

    shares: str | None = None
    max_length: int = 50
    separator: str = "|"
    parallel_to: str | None = None

    def __post_init__(self):
        check_positive_integer("max_length", self.max_length)
        # JSON can't hold integers of NumPy.
        object.__setattr__(self, "max_length", int(self.max_length))
        if (
            not isinstance(self.separator, str)
            or len(self.separator) != 1
            or self.separator in '\r\n"'
        ):
            raise ValueError(
                "`separator` must be one character that neither ends a line "
                f"nor quotes. Received: separator={self.separator!r}"
            )
