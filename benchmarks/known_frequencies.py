"""Trains the frequency rule with the ids' true frequencies from the start.

    KERAS_BACKEND=jax python benchmarks/known_frequencies.py

`CowClip` estimates a row's frequency by the running mean of its counts. Here it
gets the mean counts of the whole training split instead, which shows whether
the estimate costs AUC. Compare with the study `gowalla_decay` of `scaling.py`,
the frequency rule at 64K with the same decay: all else is equal.
"""

import argparse
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from unittest import mock

import numpy as np
from keras import ops
from scaling import DECAYS
from scaling import GOWALLA
from scaling import RESULTS
from scaling import SAMPLES
from scaling import gowalla
from scaling import means

import zoo
from keras_cowclip import frequency_factor
from keras_cowclip.table import TableUpdate

BATCH_SIZE = 65_536
DECAY = "cosine of the same mean"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gowalla", type=Path, default=SAMPLES / "gowalla")
    parser.add_argument(
        "--output", type=Path, default=RESULTS / "gowalla_known_frequencies"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = gowalla(arguments.gowalla, Path(folder))
        with known_frequencies(mean_counts(log)):
            rows = zoo.scaling_study(
                log,
                arguments.output,
                batch_sizes=(BATCH_SIZE,),
                rules=("frequency",),
                variants={DECAY: DECAYS[DECAY]},
                seeds=(0, 1, 2),
                **GOWALLA,
            )
    table = means(rows)
    (arguments.output / "means.md").write_text(table)
    print(table)


def known_frequencies(known: np.ndarray) -> AbstractContextManager:
    """Returns the scope in which every table has these mean counts."""

    def factor_of_rows(update, counts):
        scale = update.optimizer.frequency_scale
        return ops.expand_dims(frequency_factor(known, scale), axis=-1)

    return mock.patch.object(TableUpdate, "_frequency_factor", factor_of_rows)


def mean_counts(log: zoo.EncodedLog) -> np.ndarray:
    """Occurrences in a batch, row by row of the network's table."""
    sizes = log.schema.vocabulary_sizes
    ids = log.split("train").inputs["ids"]
    counts = [
        np.bincount(column, minlength=size)
        for column, size in zip(ids.T, sizes, strict=True)
    ]
    return np.concatenate(counts).astype("float32") * BATCH_SIZE / len(ids)


if __name__ == "__main__":
    main()
