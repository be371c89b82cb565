"""Trains the frequency rule with the ids' true frequencies from the start.

    KERAS_BACKEND=jax python benchmarks/known_frequencies.py

`CowClip` estimates a row's frequency by the running mean of its counts. This
script gives it the encoder's counts of the whole training split instead, to
tell whether the estimate costs AUC. Compare with the lines of the study
`gowalla_decay` of `scaling.py` for the frequency rule at 64K and the same
decay: all else is equal.
"""

import argparse
import tempfile
from functools import partial
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
from keras_cowclip import CowClip
from keras_cowclip import frequency_factor

BATCH_SIZE = 65_536
DECAY = "cosine of the same mean"


class KnownFrequencies(CowClip):
    """`CowClip` with the mean counts of a table's rows given.

    Args:
        mean_counts: `(num_ids,)` occurrences of each id in a batch, on average.
        **cowclip_kwargs: arguments of `CowClip`.
    """

    def __init__(self, mean_counts, **cowclip_kwargs):
        super().__init__(**cowclip_kwargs)
        self.mean_counts = mean_counts

    def _frequency_factor(self, index, counts):
        factor = frequency_factor(self.mean_counts, self.frequency_scale)
        return ops.expand_dims(factor, axis=-1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gowalla", type=Path, default=SAMPLES / "gowalla")
    parser.add_argument(
        "--output", type=Path, default=RESULTS / "gowalla_known_frequencies"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = gowalla(arguments.gowalla, Path(folder))
        optimizer = partial(KnownFrequencies, mean_counts(log))
        with mock.patch("keras_cowclip.CowClip", optimizer):
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
