"""Puts the training rows of a log in the order of a run."""

import hashlib

import keras
import numpy as np

from zoo.data.click_batches import ClickBatches
from zoo.data.encoded_log import EncodedLog
from zoo.training.recipe import Recipe


def make_training_batches(
    log: EncodedLog, recipe: Recipe, share: tuple[int, int] = (0, 1)
) -> ClickBatches:
    """Returns the batches of a process: `share` is its number, of how many."""
    return ClickBatches(
        log.split("train"),
        recipe.batch_size,
        shuffle=True,
        seed=recipe.seed,
        carry_remainder=True,
        share=share,
    )


def hash_of_first_batch(batches: ClickBatches) -> str:
    """Returns a hash that differs by the log and by the order of its rows."""
    inputs, *labels_and_weights = batches.batch(0, 0)
    digest = hashlib.sha256()
    # Keras goes through a dict by its sorted keys.
    for array in keras.tree.flatten([labels_and_weights, inputs]):
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()
