"""Draws click logs of Criteo's shape whose true probabilities are known."""

from typing import NamedTuple

import numpy as np

from zoo.datasets.click_rate import CLICK_RATE
from zoo.datasets.click_rate import logits_at_rate
from zoo.datasets.click_rate import sigmoid
from zoo.encoding.vocabulary_sql import FIRST_ID

NUM_DENSE = 13
# Distinct values of C1..C26 in Criteo Kaggle's training log.
CRITEO_VOCABULARIES = (
    1460, 583, 10131227, 2202608, 305, 24, 12517, 633, 3, 93145, 5683,
    8351593, 3194, 27, 14992, 5461306, 10, 5652, 2173, 4, 7046547, 18, 15,
    286181, 105, 142572,
)  # fmt: skip
_LATENT_DIM = 4
_CHUNK_ROWS = 100_000


class CriteoLog(NamedTuple):
    """Rows of a log of Criteo's shape, and their true probabilities."""

    sizes: list[int]
    ids: np.ndarray
    counts: np.ndarray
    probabilities: np.ndarray
    labels: np.ndarray


def draw_criteo_log(rows: int, max_vocabulary: int, seed: int) -> CriteoLog:
    """Draws what `make_log` and `write_raw_log` describe."""
    random = np.random.default_rng(seed)
    sizes = [
        FIRST_ID + min(size, max_vocabulary) for size in CRITEO_VOCABULARIES
    ]
    ids = _draw_ids(random, rows, sizes)
    counts = _draw_counts(random, rows)
    logits = _Truth(random, sizes).logits(ids, dense_of(counts))
    probabilities = sigmoid(logits)
    labels = (random.random(rows) < probabilities).astype("int8")
    return CriteoLog(sizes, ids, counts, probabilities, labels)


def _draw_ids(random, rows, sizes):
    ids = np.empty((rows, len(sizes)), dtype="int32")
    for column, size in enumerate(sizes):
        tokens = size - FIRST_ID
        shares = 1 / np.arange(1, tokens + 1) ** 1.1
        limits = np.cumsum(shares) / shares.sum()
        ranks = np.searchsorted(limits, random.random(rows))
        ids[:, column] = np.minimum(ranks, tokens - 1) + FIRST_ID
        # As in Criteo, some fields always have a value and some often don't.
        missing = random.choice([0.0, 0.03, 0.3], p=[0.6, 0.2, 0.2])
        ids[random.random(rows) < missing, column] = 0
    return ids


def _draw_counts(random, rows):
    """Counts with long tails."""
    spread = random.uniform(0.5, 2.0, NUM_DENSE)
    return np.floor(np.exp(random.normal(1.0, spread, (rows, NUM_DENSE))))


def dense_of(counts: np.ndarray) -> np.ndarray:
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
        return logits_at_rate(score, CLICK_RATE)

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
