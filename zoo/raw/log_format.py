"""Describes a raw click log: its columns and the layout of its text."""

import csv
from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import Any

from zoo.checks import check_choice
from zoo.raw.format_check import as_list_columns
from zoo.raw.format_check import check_columns
from zoo.raw.format_check import check_fractions
from zoo.raw.list_column import ListColumn

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
WEIGHT_PATTERN = NUMBER_PATTERNS["float"].replace("-?", "", 1)
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
        day: pair of a categorical column and a number of characters. A split
            by day takes that many first characters of the column for the day.
            `None` means that each file is a day. Defaults to `None`.
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
        sequences: dict from the columns with lists to `zoo.ListColumn`.
            Defaults to `{}`.
        labels: tuple of strings. The columns with 0 or 1 where there are
            several, instead of `label`. A row may lack some, not all. Defaults
            to `None`.
        weight: string. The column with the weight of each row, a number that
            is not negative. Defaults to `None`.
        roles: dict from roles to a column or a list of columns, for
            `zoo.FeatureSchema`. Defaults to `{}`.

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
    # Dicts have no hash, and equal formats have equal hashes without them.
    sequences: dict[str, ListColumn] = field(default_factory=dict, hash=False)
    labels: tuple[str, ...] | None = None
    weight: str | None = None
    roles: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self):
        # JSON has lists; tuples keep the format hashable.
        tuples = ("columns", "dense", "categorical", "day", "missing", "labels")
        for name in tuples:
            value = getattr(self, name)
            if isinstance(value, str):
                raise ValueError(
                    f"`{name}` must be a list, not a text. "
                    f"Received: {name}={value!r}"
                )
            if value is not None:
                object.__setattr__(self, name, tuple(value))
        if self.labels is not None:
            self._take_labels()
        roles = {
            role: (columns,) if isinstance(columns, str) else tuple(columns)
            for role, columns in dict(self.roles).items()
        }
        object.__setattr__(self, "roles", roles)
        sequences = as_list_columns(self.sequences)
        object.__setattr__(self, "sequences", sequences)
        check_columns(self)
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
        """The texts that are missing values in a column, beside the empty one.

        Args:
            name: string. Name of the column.

        Example:

        >>> shop = zoo.LogFormat("shop", categorical=("site",), missing=("-",))
        >>> shop.missing_in("site")
        ('-',)
        """
        if name in self.dense or name in self.label_names:
            return (*NO_NUMBERS, *self.missing)
        return self.missing

    @property
    def label_names(self) -> tuple[str, ...]:
        """The columns with labels, also if there is only one."""
        return (self.label,) if self.labels is None else self.labels

    @property
    def token_columns(self) -> tuple[str, ...]:
        """The columns whose text becomes ids: the fields, then the lists."""
        return (*self.categorical, *self.sequences)

    @property
    def vocabularies(self) -> tuple[str, ...]:
        """The names: those of fields, then of lists that share no field's."""
        own = (n for n, column in self.sequences.items() if not column.shares)
        return (*self.categorical, *own)

    def vocabulary_of(self, name: str) -> str:
        """The name of the vocabulary of a field or a list.

        Args:
            name: string. Name of the column.

        Example:

        >>> shop = zoo.LogFormat(
        ...     "shop", categorical=("item",),
        ...     sequences={"history": zoo.ListColumn("item")},
        ... )
        >>> shop.vocabulary_of("history")
        'item'
        """
        column = self.sequences.get(name)
        return name if column is None else column.shares or name

    @property
    def used(self) -> tuple[str, ...]:
        """The columns that are read: labels, features, weight and time."""
        features = (*self.dense, *self.categorical, *self.sequences)
        if not self.is_labeled:
            return features
        weight = () if self.weight is None else (self.weight,)
        columns = (*self.label_names, *features, *weight)
        if self.time is None or self.time in features:
            return columns
        return (*columns, self.time)

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
        weighted = tuple(n for n in self.columns if n not in self.label_names)
        features = tuple(n for n in weighted if n != self.weight)
        return tuple(dict.fromkeys((self.columns, weighted, features)))

    def unlabeled(self) -> "LogFormat":
        """The same log without labels: they are not read, and may be absent.

        Example:

        >>> zoo.datasets.CRITEO.unlabeled().used[:2]
        ('I1', 'I2')
        """
        return replace(self, is_labeled=False)

    def sql_names(self, columns: Sequence[str]) -> tuple[str | None, ...]:
        """The name in SQL of each column of a file, in file order.

        These are `label` (`label_0`, ... if there are several), `dense_0`, ...,
        `field_0`, ..., `sequence_0`, ..., `weight`, `time`, and `None` for
        columns that are not read.

        Args:
            columns: strings, the names of the file's columns.

        Example:

        >>> zoo.datasets.AVAZU.sql_names(["id", "click", "hour", "C1"])
        (None, 'label', 'field_0', 'field_1')
        """
        names: dict[str | None, str] = {}
        if self.is_labeled:
            names = {self.time: "time", self.weight: "weight"}
            names |= zip(self.label_names, self.label_sql_names, strict=True)
        names.update({n: f"dense_{i}" for i, n in enumerate(self.dense)})
        names.update({n: f"field_{i}" for i, n in enumerate(self.categorical)})
        names.update({n: f"sequence_{i}" for i, n in enumerate(self.sequences)})
        names.pop(None, None)
        return tuple(names.get(name) for name in columns)

    @property
    def label_sql_names(self) -> tuple[str, ...]:
        """The names of the labels in SQL."""
        if self.labels is None:
            return ("label",)
        return tuple(f"label_{i}" for i in range(len(self.labels)))

    @property
    def time_sql_name(self) -> str | None:
        """The name in SQL of the column of the times."""
        return self.sql_names([self.time])[0] if self.time is not None else None

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

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments as a dict that is ready for JSON.

        Arguments that former versions do not know are left out if they are
        empty, so that those versions can read the format.

        Example:

        >>> config = zoo.datasets.CRITEO.get_config()
        >>> zoo.LogFormat(**config) == zoo.datasets.CRITEO
        True
        """
        config = asdict(self)
        if self.labels is not None:
            del config["label"]
        for name in ("sequences", "labels", "weight", "roles"):
            if not config[name]:
                del config[name]
        return config

    def _take_labels(self) -> None:
        """Makes `label` the first of `labels`; a single one is no list."""
        if not self.labels or self.label not in ("label", self.labels[0]):
            raise ValueError(
                "`labels` must be a list of columns, given instead of `label`. "
                f"Received: label={self.label!r}, labels={self.labels!r}"
            )
        object.__setattr__(self, "label", self.labels[0])
        if len(self.labels) == 1:
            object.__setattr__(self, "labels", None)
