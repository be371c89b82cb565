"""Splits the rows of a log into training, validation and test.

A scheme is two SQL expressions on relations of `zoo.encoding.sql`:

- `origin()` is one over `raw`. It becomes `staged.origin`, by which rows are
  split: the file, the day, or the split itself.
- `split(num_rows, origins)` is one over `staged`, for which the number of rows
  and the distinct origins are known.

Every scheme also has:

- `names()`, the splits that must have rows in any log;
- `splits_of(origins)`, the split of each `raw.origin`; `None` if the scheme
  divides files;
- `reads_ahead`, whether a row's split depends on later rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from zoo.raw.days import in_order
from zoo.raw.log_format import LogFormat
from zoo.raw.log_format import check_fractions

SPLITS = ("train", "validation", "test")
SCHEMES = ("random", "sequential", "day", "provider")

_HEX_DIGITS = 8


@dataclass(frozen=True)
class RandomSplit:
    """Draws every row by a hash of the seed and the row's number.

    Every engine computes this hash alike, so that the same rows in the same
    order are always split alike.
    """

    reads_ahead: ClassVar[bool] = False

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

    def split(self, num_rows: int, origins: Sequence[str]) -> str:
        return "origin"

    def splits_of(self, origins: Sequence[str]) -> None:
        return None


@dataclass(frozen=True)
class SequentialSplit:
    """Trains on the first rows, tests on the last, validates in between."""

    reads_ahead: ClassVar[bool] = True

    test_fraction: float
    validation_fraction: float

    def names(self) -> tuple[str, ...]:
        return _with_rows(self.test_fraction, self.validation_fraction)

    def origin(self) -> str:
        return "''"

    def split(self, num_rows: int, origins: Sequence[str]) -> str:
        test = num_rows - round(num_rows * self.test_fraction)
        validation = test - round(num_rows * self.validation_fraction)
        return (
            f"case when row_id < {validation} then 'train' "
            f"when row_id < {test} then 'validation' else 'test' end"
        )

    def splits_of(self, origins: Sequence[str]) -> None:
        return None


@dataclass(frozen=True)
class DaySplit:
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

    def split(self, num_rows: int, origins: Sequence[str]) -> str:
        validation, test = (
            "'" + day.replace("'", "''") + "'" for day in _last_two(origins)
        )
        return (
            f"case when origin = {test} then 'test' "
            f"when origin = {validation} then 'validation' else 'train' end"
        )

    def describe(self, origins: Sequence[str]) -> str:
        """Says in one line which days are which split."""
        *train, validation, test = in_order(origins)
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
class ProviderSplit:
    """Keeps the splits that the log comes in."""

    reads_ahead: ClassVar[bool] = False

    def names(self) -> tuple[str, ...]:
        # The source may lack any of them.
        return ()

    def origin(self) -> str:
        return "origin"

    def split(self, num_rows: int, origins: Sequence[str]) -> str:
        return "origin"

    def splits_of(self, origins: Sequence[str]) -> dict[str, str]:
        return {origin: origin for origin in origins}


SplitScheme = RandomSplit | SequentialSplit | DaySplit | ProviderSplit


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
        split: string. `"random"`, `"sequential"`, `"day"` or `"provider"`;
            `None` is the provider's split if there is one and no share is
            given, else a random one.
        log_format: `LogFormat`. Its shares are the defaults of `"random"`.
        has_splits: boolean. Whether the source comes in splits.
        test_fraction: float, for `"random"` and `"sequential"`. The default of
            `"sequential"` is one seventh, the last day of a week.
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
    if split not in SCHEMES:
        raise ValueError(
            f"`split` must be one of {SCHEMES}. Received: split={split!r}"
        )
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise ValueError(f"`seed` must be an integer. Received: seed={seed!r}")
    defaults = {
        "random": (log_format.test_fraction, log_format.validation_fraction),
        "sequential": (1 / 7, 0.0),
    }
    if split not in defaults:
        if given != (None, None):
            raise ValueError(
                "`test_fraction` and `validation_fraction` are for random and "
                f"sequential splits. Received: split={split!r}, "
                f"test_fraction={test_fraction}, "
                f"validation_fraction={validation_fraction}"
            )
        if split == "provider":
            if not has_splits:
                raise ValueError(
                    "`split` can be 'provider' only where the source has "
                    f"splits: files or data sets called {SPLITS}. "
                    "Received: a source without"
                )
            return ProviderSplit()
        if log_format.day is None:
            if has_splits:
                raise ValueError(
                    "`split` can be 'day' only where each file is a day, or "
                    "`LogFormat.day` names a column. Received: files that are "
                    "called after splits"
                )
            return DaySplit(None)
        name, length = log_format.day
        return DaySplit(f"field_{log_format.categorical.index(name)}", length)
    test, validation = (
        default if value is None else value
        for value, default in zip(given, defaults[split], strict=True)
    )
    check_fractions(test, validation)
    if split == "random":
        return RandomSplit(test, validation, seed)
    return SequentialSplit(test, validation)


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
