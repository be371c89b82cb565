"""Describes a raw click log: its columns and the layout of its text."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

from zoo.checks import check_choice

MAX_LINE_BYTES = 1 << 20
"""A line that is not shorter means that the file is no text log."""
# A value may be longer than the 128 KiB that `csv` takes by default.
csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))

DENSE_TYPES = ("integer", "float")
# A cast alone would round "1.5" to 2, and accept " 1" and "0x1".
NUMBER_PATTERNS = {
    "integer": "^-?[0-9]{1,18}$",
    "float": "^-?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$",
}
NO_NUMBERS = (
    "NULL", "null", "Null", "\\N", "NaN", "nan", "NAN", "None", "none", "NA",
    "N/A", "n/a", "#N/A", "<NA>",
)  # fmt: skip
"""Texts that stand for a missing value in a column of numbers."""
# About the largest float32.
LARGEST_FLOAT = "1e38"


@dataclass(frozen=True)
class LogFormat:
    """Describes a raw log: its columns and, if it is text, its layout.

    Text has one row a line and one character between two values. An empty
    value is a missing one. The text is UTF-8; lines end in LF or CRLF. Nothing
    is quoted or escaped unless `quoted` says so: every character between two
    delimiters belongs to the value, quotes and spaces included. Logs in
    Parquet or in a `datasets.Dataset` only need the names.

    Args:
        name: string. The name of the log in messages and summaries.
        columns: tuple of strings. The columns of a text file in their order.
            `None` takes them from the header, which may have them in any
            order, and other columns. Defaults to `None`.
        label: string. The column with 0 or 1.
        dense: tuple of strings. The columns with numbers; may be empty.
        categorical: tuple of strings. The columns whose text becomes ids.
            All other columns are not read.
        delimiter: string of one character. Defaults to tab.
        header: boolean. Whether the first line names the columns; it must then
            be equal to `columns` where those are given. Defaults to `False`.
        quoted: boolean. Whether a value may be in double quotes, which are
            then removed. It ends on its line. Defaults to `False`.
        dense_type: `"integer"` (at most 18 digits) or `"float"`, the text that
            a dense column may hold. Defaults to `"integer"`.
        day: pair of a categorical column and a number of characters. For a
            split by day, the first so many characters of that column are the
            day. `None` means that each file is a day. Defaults to `None`.
        test_fraction: float. Share of the rows that a random split keeps for
            the test. Defaults to `0.1`.
        validation_fraction: float. Share of the rows that a random split keeps
            for validation. Defaults to `0.1`.
        is_labeled: boolean. Whether the label is read. If not, as for rows to
            be scored, its column may be absent. Defaults to `True`.
        test_is_labeled: boolean. Whether a file called `test` beside one
            called `train` has labels, and so belongs to the log. In
            competitions it has none. Defaults to `True`.
        time: string. For a split by time, the column that holds it, see
            `zoo.raw.times`. It is no feature, unless it is one of
            `categorical`. Defaults to `None`.
        missing: tuple of strings. Texts that are missing values, as the empty
            one is, such as `("NULL", "\\N")`. Dense columns have the usual
            ones anyway: `NULL`, `\\N`, `nan`, `None`, `NA`, `N/A`. Defaults to
            `()`.

    Raises:
        ValueError: for columns that repeat, overlap or are unknown, or a value
            that breaks one of the rules above.

    Example:

    >>> log_format = zoo.LogFormat(
    ...     name="shop", columns=("click", "price", "site"), label="click",
    ...     dense=("price",), categorical=("site",), delimiter=",",
    ... )
    >>> log_format.first_line
    1
    """

    name: str
    columns: tuple[str, ...] | None = None
    label: str = "label"
    dense: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    delimiter: str = "\t"
    header: bool = False
    quoted: bool = False
    dense_type: str = "integer"
    day: tuple[str, int] | None = None
    test_fraction: float = 0.1
    validation_fraction: float = 0.1
    test_is_labeled: bool = True
    is_labeled: bool = True
    time: str | None = None
    missing: tuple[str, ...] = ()

    def __post_init__(self):
        # JSON has lists; tuples keep the format hashable.
        for name in ("columns", "dense", "categorical", "day", "missing"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise ValueError(
                    f"`{name}` must be a list, not a text. "
                    f"Received: {name}={value!r}"
                )
            if value is not None:
                object.__setattr__(self, name, tuple(value))
        self._check_columns()
        check_fractions(self.test_fraction, self.validation_fraction)
        check_choice("dense_type", self.dense_type, DENSE_TYPES)
        if self.day is not None and (
            len(self.day) != 2
            or self.day[0] not in self.categorical
            or not isinstance(self.day[1], int)
            or self.day[1] < 1
        ):
            raise ValueError(
                "`day` must be a categorical column and a number of "
                f"characters. Received: day={self.day}"
            )
        if (
            not isinstance(self.delimiter, str)
            or len(self.delimiter) != 1
            or self.delimiter in '\r\n"'
            or not self.delimiter.isascii()
        ):
            raise ValueError(
                "`delimiter` must be one ASCII character that neither ends a "
                f"line nor quotes. Received: delimiter={self.delimiter!r}"
            )

    def missing_in(self, name: str) -> tuple[str, ...]:
        """The texts that are missing values in a column, but for the empty one.

        Args:
            name: string. Name of the column.

        Example:

        >>> shop = zoo.LogFormat("shop", categorical=("site",), missing=("-",))
        >>> shop.missing_in("site")
        ('-',)
        """
        if name in self.dense:
            return (*NO_NUMBERS, *self.missing)
        return self.missing

    @property
    def used(self) -> tuple[str, ...]:
        """The columns that are read: the label, the features and the time."""
        features = (*self.dense, *self.categorical)
        if not self.is_labeled:
            return features
        if self.time is None or self.time in features:
            return (self.label, *features)
        return (self.label, *features, self.time)

    @property
    def first_line(self) -> int:
        """The line of the first row, counted from 1."""
        return 2 if self.header else 1

    @property
    def layouts(self) -> tuple[tuple[str, ...], ...]:
        """The columns that a text file may have, if they are known."""
        if self.columns is None:
            return ()
        if self.is_labeled:
            return (self.columns,)
        features = tuple(name for name in self.columns if name != self.label)
        return (self.columns, features)

    def unlabeled(self) -> "LogFormat":
        """The same log without labels: they are not read, and may be absent.

        Example:

        >>> zoo.datasets.CRITEO.unlabeled().used[:2]
        ('I1', 'I2')
        """
        return replace(self, is_labeled=False)

    def roles(self, columns: Sequence[str]) -> tuple[str | None, ...]:
        """The role of each column of a file for the encoder, in file order.

        Roles are the names of the columns in SQL: `label`, `dense_0`, ...,
        `field_0`, ..., `time`, and `None` for columns that are not read.

        Args:
            columns: strings, the names of the file's columns.

        Example:

        >>> zoo.datasets.AVAZU.roles(["id", "click", "hour", "C1"])
        (None, 'label', 'field_0', 'field_1')
        """
        role: dict[str | None, str] = {}
        if self.is_labeled:
            role = {self.time: "time", self.label: "label"}
        role.update({n: f"dense_{i}" for i, n in enumerate(self.dense)})
        role.update({n: f"field_{i}" for i, n in enumerate(self.categorical)})
        return tuple(role.get(name) for name in columns)

    @property
    def time_role(self) -> str | None:
        """The role of the column of the times."""
        return self.roles([self.time])[0] if self.time is not None else None

    def split_line(self, line: str) -> list[str]:
        """Splits a line of text into values.

        Args:
            line: string, without its line end.

        Example:

        >>> zoo.datasets.AVAZU.split_line("1000009,0,14102100")
        ['1000009', '0', '14102100']
        """
        if self.quoted:
            return next(csv.reader([line], delimiter=self.delimiter), [""])
        return line.split(self.delimiter)

    def has_open_quote(self, line: str) -> bool:
        """Whether a quoted value begins in a line and does not end there.

        Args:
            line: string, without its line end.

        Example:

        >>> shop = zoo.LogFormat(
        ...     "shop", categorical=("size",), delimiter=",", quoted=True
        ... )
        >>> shop.has_open_quote('0,"24 inch'), shop.has_open_quote('0,24"')
        (True, False)
        """
        if not self.quoted:
            return False
        # An open quote takes the next line into its value.
        lines = csv.reader([line, "next"], delimiter=self.delimiter)
        return len(list(lines)) == 1

    def _check_columns(self):
        if not self.categorical:
            raise ValueError(
                "`categorical` must name at least one column. "
                f"Received: categorical={self.categorical}"
            )
        named = [self.label, *self.dense, *self.categorical]
        if self.time is not None and self.time in (self.label, *self.dense):
            raise ValueError(
                "`time` must be a column of its own, or a categorical one. "
                f"Received: time={self.time!r}"
            )
        if len(set(named)) != len(named):
            raise ValueError(
                "`label`, `dense` and `categorical` must not share a column. "
                f"Received: {named}"
            )
        if self.columns is None:
            return
        if len(set(self.columns)) != len(self.columns):
            raise ValueError(
                "`columns` must differ from each other. "
                f"Received: columns={self.columns}"
            )
        unknown = [name for name in self.used if name not in self.columns]
        if unknown:
            raise ValueError(
                "`columns` must hold `label` and every dense and categorical "
                f"column. Received: {unknown}, not in {self.columns}"
            )


def check_fractions(test_fraction: float, validation_fraction: float) -> None:
    """Raises a `ValueError` unless both are shares that leave something."""
    for fraction in (test_fraction, validation_fraction):
        if (
            isinstance(fraction, bool)
            or not isinstance(fraction, int | float)
            or not fraction >= 0
            or not test_fraction + validation_fraction < 1
        ):
            raise ValueError(
                "`test_fraction` and `validation_fraction` must not be "
                "negative and must sum to less than 1. Received: "
                f"test_fraction={test_fraction}, "
                f"validation_fraction={validation_fraction}"
            )
