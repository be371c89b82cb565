"""What has to be known of a raw click log before it can be read."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LogFormat:
    """The facts of a raw text log: one line a row, one character between.

    Nothing is quoted or escaped in such a log: every character between two
    delimiters belongs to the value, quotes and spaces included. An empty value
    is a missing one. The text is UTF-8; lines end in LF or CRLF.

    Args:
        name: string. How messages and summaries call the log.
        columns: tuple of strings. The columns in the order of the file.
        label: string. The column with 0 or 1.
        dense: tuple of strings. The columns with integers; may be empty.
        categorical: tuple of strings. The columns whose text becomes ids.
            Columns in neither of the three are not read.
        delimiter: string of one character. Defaults to tab.
        header: boolean. Whether the first line names the columns; it must then
            be equal to `columns`. Defaults to `False`.
        test_fraction: float. Share of the rows kept for the test.
        validation_fraction: float. Share of the rows kept for validation.

    Raises:
        ValueError: for columns that repeat, overlap or are unknown, or shares
            that leave no row for training.

    Example:

    >>> log_format = LogFormat(
    ...     name="shop", columns=("click", "price", "site"), label="click",
    ...     dense=("price",), categorical=("site",), delimiter=",",
    ... )
    >>> log_format.first_line
    1
    """

    name: str
    columns: tuple[str, ...]
    label: str
    dense: tuple[str, ...]
    categorical: tuple[str, ...]
    delimiter: str = "\t"
    header: bool = False
    test_fraction: float = 0.1
    validation_fraction: float = 0.1

    def __post_init__(self):
        # Lists come from JSON; tuples keep the format hashable.
        for name in ("columns", "dense", "categorical"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        self._check_columns()
        self._check_fractions()
        if (
            not isinstance(self.delimiter, str)
            or len(self.delimiter) != 1
            or self.delimiter in "\r\n"
            or not self.delimiter.isascii()
        ):
            raise ValueError(
                "`delimiter` must be one ASCII character that ends no line. "
                f"Received: delimiter={self.delimiter!r}"
            )

    @property
    def first_line(self) -> int:
        """The line of the first row, counted from 1."""
        return 2 if self.header else 1

    @property
    def roles(self) -> tuple[str | None, ...]:
        """What each column of the file is to the encoder, in file order.

        The SQL knows columns by these names, whatever the log calls them:
        `label`, `dense_0`, ..., `field_0`, ..., and `None` for the rest.
        """
        role = {self.label: "label"}
        role.update({n: f"dense_{i}" for i, n in enumerate(self.dense)})
        role.update({n: f"field_{i}" for i, n in enumerate(self.categorical)})
        return tuple(role.get(name) for name in self.columns)

    def _check_columns(self):
        if not self.categorical:
            raise ValueError(
                "`categorical` must name at least one column. "
                f"Received: categorical={self.categorical}"
            )
        if len(set(self.columns)) != len(self.columns):
            raise ValueError(
                "`columns` must differ from each other. "
                f"Received: columns={self.columns}"
            )
        used = [self.label, *self.dense, *self.categorical]
        if len(set(used)) != len(used):
            raise ValueError(
                "`label`, `dense` and `categorical` must not share a column. "
                f"Received: {used}"
            )
        unknown = [name for name in used if name not in self.columns]
        if unknown:
            raise ValueError(
                "`columns` must hold `label` and every dense and categorical "
                f"column. Received: {unknown}, not in {self.columns}"
            )

    def _check_fractions(self):
        test, validation = self.test_fraction, self.validation_fraction
        if not (test > 0 and validation > 0 and test + validation < 1):
            raise ValueError(
                "`test_fraction` and `validation_fraction` must be positive "
                "and sum to less than 1. Received: "
                f"test_fraction={test}, validation_fraction={validation}"
            )
