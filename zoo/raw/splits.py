"""Splits the rows of a log into training, validation and test."""

from abc import ABC
from abc import abstractmethod
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from zoo.checks import check_choice
from zoo.raw import times
from zoo.raw.days import in_order
from zoo.raw.format_check import check_fractions
from zoo.raw.log_format import LogFormat

SPLITS = ("train", "validation", "test")
SCHEMES = ("random", "sequential", "day", "time", "provider")

_HEX_DIGITS = 8


class SplitScheme(ABC):
    """Writes as SQL which row belongs to which split.

    The expressions are over relations of `zoo.encoding.sql`. Where a method
    takes `rows`, it is the number of rows of each `staged.origin`.

    Attributes:
        reads_ahead: boolean. Whether a row's split depends on later rows.
    """

    reads_ahead: ClassVar[bool] = False

    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The splits that must have rows in any log."""

    @abstractmethod
    def origin(self) -> str:
        """The expression over `raw` that becomes `staged.origin`.

        Rows are split by it: by the file, the day, or the split itself.
        """

    @abstractmethod
    def split(self, rows: Mapping[str, int]) -> str:
        """The expression over `staged` that is the split."""

    def describe(self, rows: Mapping[str, int]) -> str | None:
        """Says to the user what is split where; `None` if nothing is to say."""
        return None

    def splits_of(self, origins: Sequence[str]) -> dict[str, str] | None:
        """The split of each `raw.origin`; `None` if files are divided."""
        return None


@dataclass(frozen=True)
class RandomSplit(SplitScheme):
    """Draws every row by a hash of the seed and the row's number.

    Every engine computes this hash alike, so that the same rows in the same
    order are always split alike.
    """

    test_fraction: float
    validation_fraction: float
    seed: int = 0

    def names(self) -> tuple[str, ...]:
        return _with_rows(self.test_fraction, self.validation_fraction)

    def origin(self) -> str:
        test = _hash_bound(self.test_fraction)
        validation = _hash_bound(self.test_fraction + self.validation_fraction)
        digits = (
            f"substr(md5(concat('{self.seed}:', cast(row_id as varchar))), "
            f"1, {_HEX_DIGITS})"
        )
        return (
            f"case when {digits} < '{test}' then 'test' "
            f"when {digits} < '{validation}' then 'validation' "
            "else 'train' end"
        )

    def split(self, rows: Mapping[str, int]) -> str:
        return "origin"


@dataclass(frozen=True)
class SequentialSplit(SplitScheme):
    """Trains on the first rows, tests on the last, validates in between."""

    reads_ahead: ClassVar[bool] = True

    test_fraction: float
    validation_fraction: float

    def names(self) -> tuple[str, ...]:
        return _with_rows(self.test_fraction, self.validation_fraction)

    def origin(self) -> str:
        return "''"

    def split(self, rows: Mapping[str, int]) -> str:
        num_rows = sum(rows.values())
        test = num_rows - round(num_rows * self.test_fraction)
        validation = test - round(num_rows * self.validation_fraction)
        return (
            f"case when row_id < {validation} then 'train' "
            f"when row_id < {test} then 'validation' else 'test' end"
        )


@dataclass(frozen=True)
class DaySplit(SplitScheme):
    """Tests on the last day, validates on the day before, trains on the rest.

    A day is the start of a column, or a file (see `LogFormat.day`). The order
    of the days is that of `zoo.raw.days`.
    """

    reads_ahead: ClassVar[bool] = True

    column: str | None
    length: int = 0

    def names(self) -> tuple[str, ...]:
        return SPLITS

    def origin(self) -> str:
        if self.column is None:
            return "origin"
        # Rows without a value are a separate day, the first one.
        return f"coalesce(substr({self.column}, 1, {self.length}), '')"

    def split(self, rows: Mapping[str, int]) -> str:
        validation, test = (
            "'" + day.replace("'", "''") + "'" for day in _last_two([*rows])
        )
        return (
            f"case when origin = {test} then 'test' "
            f"when origin = {validation} then 'validation' else 'train' end"
        )

    def describe(self, rows: Mapping[str, int]) -> str | None:
        if self.column is None:
            return None  # Files are shown before they are read.
        *train, validation, test = in_order([*rows])
        days = train if len(train) < 4 else [*train[:2], "...", train[-1]]
        return (
            f"train: {', '.join(days)} ({len(train)} days); "
            f"validation: {validation}; test: {test}"
        )

    def splits_of(self, origins: Sequence[str]) -> dict[str, str] | None:
        if self.column is not None:
            return None
        validation, test = _last_two(origins)
        splits = dict.fromkeys(origins, "train")
        return splits | {validation: "validation", test: "test"}


@dataclass(frozen=True)
class TimeSplit(SplitScheme):
    """Trains on the earliest rows, tests on the latest, validates in between.

    Rows may be in any order. Those of one minute stay together.
    """

    reads_ahead: ClassVar[bool] = True

    column: str
    test_fraction: float
    validation_fraction: float

    def names(self) -> tuple[str, ...]:
        return _with_rows(self.test_fraction, self.validation_fraction)

    def origin(self) -> str:
        return times.minute(self.column)

    def split(self, rows: Mapping[str, int]) -> str:
        validation, test = self._starts(rows)
        return (
            f"case when origin >= '{test}' then 'test' "
            f"when origin >= '{validation}' then 'validation' "
            "else 'train' end"
        )

    def describe(self, rows: Mapping[str, int]) -> str:
        validation, test = self._starts(rows)
        starts = {"train": min(rows), "validation": validation, "test": test}
        return "; ".join(
            f"{split}: from {times.shown(starts[split])}"
            for split in self.names()
        )

    def _starts(self, rows: Mapping[str, int]) -> tuple[str, str]:
        """The first minutes of validation and test."""
        unix = [minute for minute in rows if minute.isdecimal()]
        if 0 < len(unix) < len(rows):
            dates = sorted({*rows} - {*unix})
            raise ValueError(
                "`split` by time needs times that are all dates or all seconds "
                "since 1970, for dates may lack their zone. Received: "
                f"{times.shown(min(unix))} and {dates[0]}"
            )
        num_rows = sum(rows.values())
        num_test = round(num_rows * self.test_fraction)
        num_validation = round(num_rows * self.validation_fraction)
        before_test = num_rows - num_test
        test = _minute_after(rows, before_test)
        return _minute_after(rows, before_test - num_validation), test


@dataclass(frozen=True)
class ProviderSplit(SplitScheme):
    """Keeps the splits that the log comes in."""

    def names(self) -> tuple[str, ...]:
        # The source may lack any of them.
        return ()

    def origin(self) -> str:
        return "origin"

    def split(self, rows: Mapping[str, int]) -> str:
        return "origin"

    def splits_of(self, origins: Sequence[str]) -> dict[str, str]:
        return {origin: origin for origin in origins}


def split_scheme(
    split: str | None,
    log_format: LogFormat,
    has_splits: bool = False,
    test_fraction: float | None = None,
    validation_fraction: float | None = None,
    seed: int = 0,
) -> SplitScheme:
    """Returns a scheme by its name, one of `SCHEMES`.

    Args:
        split: string. `"random"`, `"sequential"`, `"day"`, `"time"` or
            `"provider"`; `None` is the provider's split if there is one and no
            share is given, else a random one.
        log_format: `LogFormat`. Its shares are the defaults of `"random"` and
            `"time"`.
        has_splits: boolean. Whether the source comes in splits.
        test_fraction: float, for `"random"`, `"sequential"` and `"time"`. The
            default of `"sequential"` is one seventh, the last day of a week.
        validation_fraction: float, likewise. The default of `"sequential"` is
            `0`.
        seed: integer, for `"random"`.

    Raises:
        ValueError: for an unknown name, a provider's split that the source
            lacks, or a share that is out of range or has no meaning.
    """
    given = (test_fraction, validation_fraction)
    if split is None:
        split = "random"
        if has_splits and given == (None, None):
            split = "provider"
    check_choice("split", split, SCHEMES)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise ValueError(f"`seed` must be an integer. Received: seed={seed!r}")
    if split in ("day", "provider"):
        if given != (None, None):
            raise ValueError(
                "`test_fraction` and `validation_fraction` are for random and "
                "sequential splits, and those by time. Received: "
                f"split={split!r}, "
                f"test_fraction={test_fraction}, "
                f"validation_fraction={validation_fraction}"
            )
        if split == "day":
            return _day_split(log_format, has_splits)
        return _provider_split(has_splits)
    defaults = (log_format.test_fraction, log_format.validation_fraction)
    if split == "sequential":
        defaults = (1 / 7, 0.0)
    test, validation = (
        default if value is None else value
        for value, default in zip(given, defaults, strict=True)
    )
    check_fractions(test, validation)
    if split == "random":
        return RandomSplit(test, validation, seed)
    if split == "time":
        return TimeSplit(_time_column(log_format), test, validation)
    return SequentialSplit(test, validation)


def _day_split(log_format: LogFormat, has_splits: bool) -> DaySplit:
    if log_format.day is not None:
        name, length = log_format.day
        return DaySplit(f"field_{log_format.categorical.index(name)}", length)
    if has_splits:
        raise ValueError(
            "`split` can be 'day' only where each file is a day, or "
            "`LogFormat.day` names a column. Received: files that are called "
            "after splits"
        )
    return DaySplit(None)


def _provider_split(has_splits: bool) -> ProviderSplit:
    if not has_splits:
        raise ValueError(
            "`split` can be 'provider' only where the source has splits: files "
            f"or data sets called {SPLITS}. Received: a source without splits"
        )
    return ProviderSplit()


def _time_column(log_format: LogFormat) -> str:
    if log_format.time_sql_name is None:
        raise ValueError(
            "`split` by time needs the column of the times: `time_column`, or "
            "`LogFormat(time=...)`. Received: none"
        )
    return log_format.time_sql_name


def _minute_after(rows: Mapping[str, int], num_rows: int) -> str:
    """The first minute that has at least so many rows before it."""
    before = 0
    for minute in sorted(rows):
        if before >= num_rows:
            return minute
        before += rows[minute]
    return "~"  # After every digit: no row.


def _with_rows(
    test_fraction: float, validation_fraction: float
) -> tuple[str, ...]:
    shares = (1, validation_fraction, test_fraction)
    return tuple(
        split for split, share in zip(SPLITS, shares, strict=True) if share
    )


def _last_two(days: Sequence[str]) -> list[str]:
    if len(days) < 3:
        raise ValueError(
            "`split` by day needs at least three days: for training, "
            f"validation and test. Received: {len(days)} day(s) "
            f"{sorted(days)}"
        )
    return in_order(days)[-2:]


def _hash_bound(fraction: float) -> str:
    return f"{round(fraction * 16**_HEX_DIGITS):0{_HEX_DIGITS}x}"
