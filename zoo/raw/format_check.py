"""Checks that the columns of a `LogFormat` fit each other."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from zoo.checks import did_you_mean
from zoo.raw.list_column import ListColumn

_LIST_ARGUMENTS = [field.name for field in fields(ListColumn)]


def check_columns(log_format: Any) -> None:
    """Raises a `ValueError` for columns that repeat, overlap or are unknown."""
    if not log_format.categorical:
        raise ValueError(
            "`categorical` must name at least one column. "
            f"Received: categorical={log_format.categorical}"
        )
    _check_unlike(log_format)
    _check_sequences(log_format)
    known = [*log_format.dense, *log_format.token_columns]
    for role, columns in log_format.roles.items():
        for column in columns:
            if column not in known:
                raise ValueError(
                    f"`roles[{role!r}]` must name columns with features, "
                    f"{known}. {did_you_mean(column, known)}"
                    f"Received: {column!r}"
                )
    if log_format.columns is None:
        return
    if len(set(log_format.columns)) != len(log_format.columns):
        raise ValueError(
            "`columns` must differ from each other. "
            f"Received: columns={log_format.columns}"
        )
    unknown = [n for n in log_format.used if n not in log_format.columns]
    if unknown:
        raise ValueError(
            "`columns` must hold the label and every other column that is "
            f"read. Received: {unknown}, not in {log_format.columns}"
        )


def _check_unlike(log_format: Any) -> None:
    labels, weight = log_format.label_names, log_format.weight
    weights = [] if weight is None else [weight]
    others = (*labels, *log_format.dense, *log_format.sequences, *weights)
    if log_format.time is not None and log_format.time in others:
        raise ValueError(
            "`time` must be a column of its own, or a categorical one. "
            f"Received: time={log_format.time!r}"
        )
    named = [
        *(*labels, *log_format.dense, *log_format.categorical),
        *(*log_format.sequences, *weights),
    ]
    repeated = [name for name, count in Counter(named).items() if count > 1]
    if repeated:
        raise ValueError(
            "`label`, `dense`, `categorical`, `sequences` and `weight` must "
            f"not share a column. Received: {repeated} twice in {named}"
        )


def as_list_columns(sequences: Any) -> dict[str, ListColumn]:
    """Makes the columns of what was given, which may come from JSON.

    Raises:
        ValueError: unless it is a dict of `ListColumn` or of their arguments.
    """
    if not isinstance(sequences, Mapping):
        raise ValueError(
            "`sequences` must be a dict from columns to `zoo.ListColumn`. "
            f"Received: sequences={sequences!r}"
        )
    columns = {}
    for name, column in sequences.items():
        if isinstance(column, Mapping):
            try:
                column = ListColumn(**column)
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"`sequences[{name!r}]` must have the arguments of "
                    f"`zoo.ListColumn`, {_LIST_ARGUMENTS}: {error}. "
                    f"Received: {dict(column)}"
                ) from error
        if not isinstance(column, ListColumn):
            raise ValueError(
                f"`sequences[{name!r}]` must be a `zoo.ListColumn`. "
                f"Received: {column!r}"
            )
        columns[name] = column
    return columns


def _check_sequences(log_format: Any) -> None:
    for name, column in log_format.sequences.items():
        if name in ("dense", "ids"):
            raise ValueError(
                "`sequences` must not use the names 'dense' and 'ids', which "
                f"other inputs have. Received: {name!r}"
            )
        if column.shares not in (None, *log_format.categorical):
            raise ValueError(
                f"`sequences[{name!r}]` must share the vocabulary of a "
                f"categorical column, {list(log_format.categorical)}. "
                f"{did_you_mean(column.shares, log_format.categorical)}"
                f"Received: shares={column.shares!r}"
            )
        if column.parallel_to is not None:
            _check_parallel(log_format, name, column)


def _check_parallel(log_format: Any, name: str, column: ListColumn) -> None:
    others = [other for other in log_format.sequences if other != name]
    if column.parallel_to not in others:
        raise ValueError(
            f"`sequences[{name!r}]` must be parallel to another list column, "
            f"of {others}. {did_you_mean(column.parallel_to, others)}"
            f"Received: parallel_to={column.parallel_to!r}"
        )
    other = log_format.sequences[column.parallel_to]
    if other.max_length != column.max_length:
        raise ValueError(
            f"`sequences[{name!r}]` and `sequences[{column.parallel_to!r}]` "
            "must have the same `max_length`, for they are of the same "
            f"events. Received: {column.max_length} and {other.max_length}"
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
