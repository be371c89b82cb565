"""Makes Criteo-shaped click logs whose true probabilities are known."""

import os
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv

from zoo.data.encoded_log import EncodedLog
from zoo.data.encoded_log import Split
from zoo.datasets.criteo import CRITEO
from zoo.feature_schema import FeatureSchema
from zoo.metrics import exact_metrics

NUM_DENSE = 13
# Distinct values of C1..C26 in Criteo Kaggle's training log.
CRITEO_VOCABULARIES = (
    1460, 583, 10131227, 2202608, 305, 24, 12517, 633, 3, 93145, 5683,
    8351593, 3194, 27, 14992, 5461306, 10, 5652, 2173, 4, 7046547, 18, 15,
    286181, 105, 142572,
)  # fmt: skip
CLICK_RATE = 0.25
FIRST_TOKEN_ID = 2  # 0 is missing and 1 unknown, as in `zoo.encoding`.
SYNTHETIC = replace(CRITEO, name="synthetic", test_is_labeled=True)
"""The format that `write_raw_log` writes: Criteo's, under another name."""
_LATENT_DIM = 4
_CHUNK_ROWS = 100_000


def make_log(
    rows: int = 600_000, max_vocabulary: int = 2_000, seed: int = 0
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

    Args:
        rows: integer, at least 1000. Split 80/10/10 into train, validation
            and test. Defaults to `600_000`.
        max_vocabulary: integer. Cap on a field's number of distinct ids.
            Defaults to `2_000`.
        seed: integer. Defaults to `0`.

    Returns:
        `EncodedLog` in memory, about 160 bytes a row.

    Raises:
        ValueError: for fewer rows than 1000 or a cap below 2.

    Example:

    >>> log = zoo.datasets.synthetic.make_log(rows=10_000)
    >>> len(log.splits["train"]), sorted(log.bayes["test"])
    (8000, ['auc', 'calibration', 'log_loss'])
    """
    drawn = _draw(rows, max_vocabulary, seed)
    schema = FeatureSchema(
        dense=CRITEO.dense,
        categorical=dict(zip(CRITEO.categorical, drawn.sizes, strict=True)),
    )
    return _split(
        schema,
        drawn.ids,
        _dense(drawn.counts),
        drawn.labels,
        drawn.probabilities,
        seed,
    )


def write_raw_log(
    path: str | os.PathLike,
    rows: int = 600_000,
    max_vocabulary: int = 2_000,
    seed: int = 0,
) -> None:
    """Writes the rows of `make_log` as a raw log in Criteo's layout.

    Each line has the label, 13 integers and 26 tokens of eight hexadecimal
    digits, separated by tabs. Prepared with `split="sequential",
    test_fraction=0.1, validation_fraction=0.1`, it has the rows of the splits
    of `make_log` and therefore their best possible metrics.

    Args:
        path: of the file to write, about 200 bytes a row.
        rows: integer, at least 1000. Defaults to `600_000`.
        max_vocabulary: integer. Cap on a field's number of distinct ids.
            Defaults to `2_000`.
        seed: integer. Defaults to `0`.

    Raises:
        ValueError: as `make_log` does.

    Example:

    ```python
    zoo.datasets.synthetic.write_raw_log("synthetic.txt", rows=10_000)
    zoo.prepare(zoo.datasets.SYNTHETIC, "synthetic.txt", "encoded/synthetic")
    ```
    """
    drawn = _draw(rows, max_vocabulary, seed)
    columns = [pa.array(drawn.labels)]
    columns += [pa.array(column.astype("int64")) for column in drawn.counts.T]
    for field, size in enumerate(drawn.sizes):
        tokens = [f"{field:02x}{id:06x}" for id in range(size)]
        tokens[0] = ""
        columns.append(pa.array(tokens).take(pa.array(drawn.ids[:, field])))
    options = pa.csv.WriteOptions(
        include_header=False,
        delimiter=CRITEO.delimiter,
        quoting_style="none",
    )
    table = pa.table(columns, list(CRITEO.used))
    pa.csv.write_csv(table, Path(path), options)


class _Drawn(NamedTuple):
    sizes: list[int]
    ids: np.ndarray
    counts: np.ndarray
    probabilities: np.ndarray
    labels: np.ndarray


def _draw(rows, max_vocabulary, seed):
    if rows < 1000:
        raise ValueError(f"`rows` must be at least 1000. Received: rows={rows}")
    if max_vocabulary < 2:
        raise ValueError(
            "`max_vocabulary` must be at least 2. "
            f"Received: max_vocabulary={max_vocabulary}"
        )
    random = np.random.default_rng(seed)
    sizes = [
        FIRST_TOKEN_ID + min(size, max_vocabulary)
        for size in CRITEO_VOCABULARIES
    ]
    ids = _draw_ids(random, rows, sizes)
    counts = _draw_counts(random, rows)
    logits = _Truth(random, sizes).logits(ids, _dense(counts))
    probabilities = 1 / (1 + np.exp(-logits))
    labels = (random.random(rows) < probabilities).astype("int8")
    return _Drawn(sizes, ids, counts, probabilities, labels)


def _draw_ids(random, rows, sizes):
    ids = np.empty((rows, len(sizes)), dtype="int32")
    for column, size in enumerate(sizes):
        tokens = size - FIRST_TOKEN_ID
        shares = 1 / np.arange(1, tokens + 1) ** 1.1
        limits = np.cumsum(shares) / shares.sum()
        ranks = np.searchsorted(limits, random.random(rows))
        ids[:, column] = np.minimum(ranks, tokens - 1) + FIRST_TOKEN_ID
        # As in Criteo, some fields always have a value and some often don't.
        missing = random.choice([0.0, 0.03, 0.3], p=[0.6, 0.2, 0.2])
        ids[random.random(rows) < missing, column] = 0
    return ids


def _draw_counts(random, rows):
    """Counts with long tails."""
    spread = random.uniform(0.5, 2.0, NUM_DENSE)
    return np.floor(np.exp(random.normal(1.0, spread, (rows, NUM_DENSE))))


def _dense(counts):
    """The counts after a logarithm, in [0, 1]."""
    dense = np.log1p(counts).astype("float32")
    return dense / dense.max(axis=0)


class _Truth:
    """The true model; its parts are scaled on the rows that it gets."""

    def __init__(self, random, sizes):
        self.offsets = np.cumsum([0, *sizes[:-1]])
        total = sum(sizes)
        self.linear = random.normal(0, 1, total).astype("float32")
        self.vectors = random.normal(0, 1, (total, _LATENT_DIM)).astype(
            "float32"
        )
        width = len(sizes) * _LATENT_DIM + NUM_DENSE
        self.hidden = random.normal(0, width**-0.5, (width, 32))
        self.output = random.normal(0, 32**-0.5, 32)

    def logits(self, ids, dense):
        parts = np.concatenate(
            [
                self._parts(
                    ids[i : i + _CHUNK_ROWS], dense[i : i + _CHUNK_ROWS]
                )
                for i in range(0, len(ids), _CHUNK_ROWS)
            ]
        )
        parts = (parts - parts.mean(axis=0)) / parts.std(axis=0)
        # A spread of 1.2 gives a Bayes AUC close to Criteo's best models.
        score = parts @ np.array([1.0, 0.5, 0.4])
        score *= 1.2 / score.std()
        low, high = -10.0, 10.0
        for _ in range(50):
            middle = (low + high) / 2
            if np.mean(1 / (1 + np.exp(-score - middle))) < CLICK_RATE:
                low = middle
            else:
                high = middle
        return score + low

    def _parts(self, ids, dense):
        stacked = ids + self.offsets
        vectors = self.vectors[stacked]
        square_of_sum = np.square(vectors.sum(axis=1))
        sum_of_squares = np.square(vectors).sum(axis=1)
        features = np.concatenate(
            [vectors.reshape(len(ids), -1), 3 * dense], axis=1
        )
        return np.stack(
            [
                self.linear[stacked].sum(axis=1),
                (square_of_sum - sum_of_squares).sum(axis=1),
                np.maximum(features @ self.hidden, 0) @ self.output,
            ],
            axis=1,
        ).astype("float64")


def _split(schema, ids, dense, labels, probabilities, seed):
    rows = len(labels)
    ends = {"train": (0, 0.8), "validation": (0.8, 0.9), "test": (0.9, 1.0)}
    splits, bayes = {}, {}
    for name, (start, end) in ends.items():
        part = slice(int(rows * start), int(rows * end))
        splits[name] = Split(
            {"dense": dense[part], "ids": ids[part]}, labels[part]
        )
        bayes[name] = exact_metrics(labels[part], probabilities[part])
    source = f"synthetic, {rows} rows, seed {seed}"
    return EncodedLog(schema, splits, source, bayes=bayes)
