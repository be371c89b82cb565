"""Splits a log in an engine, and counts what its rows hold."""

from collections.abc import Sequence

from zoo.encoding import list_sql
from zoo.encoding import sql
from zoo.encoding.encoder import ClickEncoder
from zoo.encoding.engine import Engine
from zoo.raw.log_format import LogFormat
from zoo.raw.splits import SPLITS
from zoo.raw.splits import SplitScheme
from zoo.runtime.progress import Stages


def split_log(
    engine: Engine,
    scheme: SplitScheme,
    log: LogFormat | ClickEncoder,
    log_format: LogFormat,
    name: str,
    stages: Stages,
) -> dict[str, int]:
    """Makes `log` and its lists; returns the number of rows of each split."""
    rows = dict(engine.fetch(sql.origin_counts()))
    expression = scheme.split(rows)
    description = scheme.describe(rows)
    if description is not None:
        stages.say(description)
    engine.create_view("log", sql.log(expression))
    if log_format.sequences:
        engine.create_view("log_lists", sql.log(expression, "staged_lists"))
    for i in range(len(log_format.sequences)):
        engine.create_view(f"events_{i}", list_sql.events(log_format, i))
    counts = engine.fetch(sql.split_counts(log_format))
    found = {split: (num_rows, labels) for split, num_rows, *labels in counts}
    expected = {*found, *scheme.names()}
    if isinstance(log, LogFormat):
        # Vocabularies are to be learned from it.
        expected.add("train")
    for split in sorted(expected, key=SPLITS.index):
        if split not in found:
            raise ValueError(
                f"{name}: the {split} split would have no row. Give a longer "
                "log, another seed or other fractions. Received: "
                f"{sum(rows.values())} rows in all"
            )
        _check_classes(log_format, split, *found[split], name)
    return {split: found[split][0] for split in SPLITS if split in found}


def _check_classes(
    log_format: LogFormat,
    split: str,
    num_rows: int,
    labels: Sequence[int],
    name: str,
) -> None:
    """Raises unless each label of a split has both values.

    Args:
        labels: of each label the rows that have it, and its clicks.
    """
    for label, known, clicks in zip(
        log_format.label_names, labels[::2], labels[1::2], strict=True
    ):
        if known and clicks not in (0, known):
            continue
        values = f"label {int(clicks > 0)} in all of them" if known else ""
        if log_format.labels is not None:
            values = f"{known} with the label '{label}'"
            if known:
                values += f", {int(clicks > 0)} in all of those"
        raise ValueError(
            f"{name}: the {split} split would have one class only, which "
            "has no AUC. Give a longer log or another seed. Received: "
            f"{num_rows} rows, {values}"
        )


def missing_shares(
    engine: Engine, log_format: LogFormat, counts: dict[str, int]
) -> dict[str, float]:
    """The share of rows in which a column is empty, or a list without events.

    A label always has a value if it is the only one.
    """
    num_rows = sum(counts.values())
    names = (*log_format.dense, *log_format.categorical)
    if log_format.labels is not None:
        names = (*log_format.labels, *names)
    columns = [name for name in log_format.sql_names(names) if name]
    present = list(engine.fetch(sql.present_counts(columns))[0])
    if log_format.sequences:
        names = (*names, *log_format.sequences)
        present += _list_counts(engine, log_format)[::2]
    return {
        name: (num_rows - count) / num_rows
        for name, count in zip(names, present, strict=True)
    }


def mean_lengths(
    engine: Engine, log_format: LogFormat, counts: dict[str, int]
) -> dict[str, float]:
    """The mean length of each list as it is kept, over all rows."""
    if not log_format.sequences:
        return {}
    lengths = _list_counts(engine, log_format)[1::2]
    return {
        name: length / sum(counts.values())
        for name, length in zip(log_format.sequences, lengths, strict=True)
    }


def _list_counts(engine: Engine, log_format: LogFormat) -> list[int]:
    query = list_sql.list_counts(len(log_format.sequences))
    return [int(count) for count in engine.fetch(query)[0]]
