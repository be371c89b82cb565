"""Makes click logs whose true probabilities are known."""

import os
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.csv

from zoo.checks import check_boolean
from zoo.checks import check_integer
from zoo.checks import check_positive_integer
from zoo.data.encoded_log import EncodedLog
from zoo.data.split import Split
from zoo.datasets.criteo import CRITEO
from zoo.datasets.criteo_shape import CriteoLog
from zoo.datasets.criteo_shape import dense_of
from zoo.datasets.criteo_shape import draw_criteo_log
from zoo.datasets.history_log import HistoryLog
from zoo.datasets.history_log import draw_history_log
from zoo.datasets.history_log import raw_tables
from zoo.feature_schema import FeatureSchema
from zoo.files.whole_output import atomic_output
from zoo.metrics import exact_metrics

SYNTHETIC = replace(CRITEO, name="synthetic", test_is_labeled=True)
"""The format that `write_raw_log` writes: Criteo's, under another name."""


def make_log(
    rows: int = 600_000,
    max_vocabulary: int = 2_000,
    seed: int = 0,
    history: int | None = None,
    purchase: bool = False,
) -> EncodedLog:
    """Makes a click log in which the true click probabilities are known.

    13 numeric columns and 26 fields with Criteo's vocabulary sizes (capped),
    Zipf-distributed ids and missing values. The truth is a factorization
    machine on the ids plus a small multilayer perceptron on everything:

    `p = sigmoid(a + s * (linear(ids) + fm(v) + mlp([v, dense])))`

    with each part scaled to a similar spread and `a` set for a click rate of
    0.25. Labels are drawn from `p`, so `EncodedLog.bayes` holds the AUC and
    log-loss of the best possible model on every split. The same arguments
    give the same log on every backend.

    With `history` it is another log, in which an interest shows only in how
    the offered item relates to the history:

    `p = sigmoid(a + 3 * (1 - exp(-n)) + user + item + category + hour)`

    where `n` is the number of events of the item's category, and the rest is a
    small effect of each id. A history has 0 to `history` events of up to 8
    interests, which are drawn anew in each row, so that no id tells them. Its
    fields are `user`, `item`, `category` (40 of them) and `hour`, its numbers
    `price`, and its sequences `history`, of items, and `history_category`, of
    the categories of the same events.

    With `purchase` a second label follows from a click: `purchase` is 1 with
    `p * sigmoid(b - 3 * price + user + item + category + hour)`, with other
    effects and `b` set for 0.4 purchases a click. A row without a click has no
    purchase. `EncodedLog.bayes` then has the metrics by label.

    Args:
        rows: integer, at least 1000. Split 80/10/10 into train, validation
            and test. Defaults to `600_000`.
        max_vocabulary: integer. Cap on a field's number of distinct ids.
            Defaults to `2_000`.
        seed: integer. Defaults to `0`.
        history: integer. The most events of a history. Defaults to `None`, a
            log without.
        purchase: boolean. Whether a log with histories has the labels `click`
            and `purchase` instead of `click` alone. Defaults to `False`.

    Returns:
        `EncodedLog` in memory, about 160 bytes a row, or with histories 20 and
        8 an event.

    Raises:
        ValueError: for fewer rows than 1000, a cap below 2, a history that is
            not a positive integer, or purchases without a history.

    Example:

    >>> log = zoo.datasets.synthetic.make_log(rows=10_000)
    >>> len(log.splits["train"]), sorted(log.bayes["test"])
    (8000, ['auc', 'calibration', 'log_loss'])
    >>> log = zoo.datasets.synthetic.make_log(rows=10_000, history=20)
    >>> log.splits["train"].inputs["history"].shape
    (8000, 20)
    """
    _check(rows, max_vocabulary, history, purchase)
    if history is not None:
        with_history = draw_history_log(
            rows, max_vocabulary, seed, history, purchase
        )
        return _split_with_history(with_history, seed)
    drawn = draw_criteo_log(rows, max_vocabulary, seed)
    schema = FeatureSchema(
        dense=CRITEO.dense,
        categorical=dict(zip(CRITEO.categorical, drawn.sizes, strict=True)),
    )
    inputs = {"dense": dense_of(drawn.counts), "ids": drawn.ids}
    splits, bayes = {}, {}
    for name, part in _parts(rows).items():
        splits[name] = Split(_rows(inputs, part), drawn.labels[part])
        bayes[name] = exact_metrics(
            drawn.labels[part], drawn.probabilities[part]
        )
    return EncodedLog(schema, splits, _source(rows, seed), bayes=bayes)


def write_raw_log(
    path: str | os.PathLike,
    rows: int = 600_000,
    max_vocabulary: int = 2_000,
    seed: int = 0,
    history: int | None = None,
    purchase: bool = False,
) -> None:
    """Writes the rows of `make_log` as a raw log in Criteo's layout.

    Each line has the label, 13 integers and 26 tokens of eight hexadecimal
    digits, separated by tabs. Prepared with `split="sequential",
    test_fraction=0.1, validation_fraction=0.1`, it has the rows of the splits
    of `make_log` and therefore their best possible metrics.

    With `history` it is a CSV file with a header: `click`, `purchase` if
    asked for, `price` in cents from 1 to 100, `user`, `item`, `category`,
    `hour`, `history` and `history_category`. The events of a history have `|`
    between them, the most recent last; a row without events has an empty value.

    Args:
        path: of the file to write, about 200 bytes a row.
        rows: integer, at least 1000. Defaults to `600_000`.
        max_vocabulary: integer. Cap on a field's number of distinct ids.
            Defaults to `2_000`.
        seed: integer. Defaults to `0`.
        history: integer, as in `make_log`. Defaults to `None`.
        purchase: boolean, as in `make_log`. Defaults to `False`.

    Raises:
        ValueError: as `make_log` does.

    Example:

    ```python
    zoo.datasets.synthetic.write_raw_log("synthetic.txt", rows=10_000)
    zoo.prepare(zoo.datasets.SYNTHETIC, "synthetic.txt", "encoded/synthetic")
    ```
    """
    _check(rows, max_vocabulary, history, purchase)
    if history is None:
        drawn = draw_criteo_log(rows, max_vocabulary, seed)
        _write(path, [_raw_table(drawn)], CRITEO.delimiter)
        return
    with_history = draw_history_log(
        rows, max_vocabulary, seed, history, purchase
    )
    _write(path, raw_tables(with_history), ",", has_header=True)


def _raw_table(drawn: CriteoLog) -> pa.Table:
    columns = [pa.array(drawn.labels)]
    columns += [pa.array(column.astype("int64")) for column in drawn.counts.T]
    for field, size in enumerate(drawn.sizes):
        tokens = [f"{field:02x}{id:06x}" for id in range(size)]
        tokens[0] = ""
        columns.append(pa.array(tokens).take(pa.array(drawn.ids[:, field])))
    return pa.table(columns, list(CRITEO.used))


def _write(path, tables, delimiter, has_header=False):
    options = pa.csv.WriteOptions(
        include_header=False, delimiter=delimiter, quoting_style="none"
    )
    with atomic_output(path) as partial, partial.open("wb") as file:
        for number, table in enumerate(tables):
            if has_header and not number:
                header = delimiter.join(table.column_names)
                file.write(f"{header}\n".encode())
            pa.csv.write_csv(table, file, options)


def _check(rows, max_vocabulary, history, purchase):
    check_integer("rows", rows, 1000)
    check_integer("max_vocabulary", max_vocabulary, 2)
    if history is not None:
        check_positive_integer("history", history)
    check_boolean("purchase", purchase)
    if purchase and history is None:
        raise ValueError(
            "`purchase` needs a log with histories: give `history`, their most "
            f"events. Received: history={history}, purchase={purchase}"
        )


def _split_with_history(drawn: HistoryLog, seed: int) -> EncodedLog:
    columns = drawn.labels.reshape(len(drawn.labels), -1).T
    labels = list(drawn.probabilities)
    splits = {}
    bayes: dict[str, dict[str, Any]] = {}
    for name, part in _parts(len(drawn.labels)).items():
        splits[name] = Split(
            _rows(drawn.inputs, part), drawn.labels[part], label_names=labels
        )
        by_label = {
            label: exact_metrics(column[part], drawn.probabilities[label][part])
            for label, column in zip(labels, columns, strict=True)
        }
        bayes[name] = by_label if len(labels) > 1 else by_label[labels[0]]
    source = f"{_source(len(drawn.labels), seed)}, with histories"
    return EncodedLog(drawn.schema, splits, source, bayes=bayes)


def _parts(rows):
    ends = {"train": (0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}
    return {
        name: slice(int(rows * start), int(rows * end))
        for name, (start, end) in ends.items()
    }


def _rows(inputs, part):
    return {name: array[part] for name, array in inputs.items()}


def _source(rows, seed):
    return f"synthetic, {rows} rows, seed {seed}"
