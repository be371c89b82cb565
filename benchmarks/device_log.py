"""Draws a Criteo-shaped click log on the device, where it stays."""

from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.datasets.criteo_shape import NUM_DENSE

Tensor = Any
Log = dict[str, Tensor]
# Drawing in chunks keeps its temporary arrays small.
PIECE = 2**20


def draw_log(rows: int, vocabularies: list[int], seed: int = 0) -> Log:
    """Returns `ids (rows, fields)`, `dense (rows, 13)`, `labels (rows, 1)`.

    Ids follow Zipf's law: id k of a field occurs about 1 / (k + 1) times as
    often as its first. The planted rule gives each id an effect, a sine of its
    number, and adds up the fields'.
    """
    seeds = keras.random.SeedGenerator(seed)
    pieces = [
        _draw(min(PIECE, rows - start), vocabularies, seeds)
        for start in range(0, rows, PIECE)
    ]
    return {
        # Frees the chunks of a column before it joins the next one's.
        name: ops.concatenate([piece.pop(name) for piece in pieces])
        for name in ("ids", "dense", "labels")
    }


def shuffled_rows(rows: int, epoch: int) -> Tensor:
    """Returns the numbers of all rows in another order, on the device."""
    order = ops.arange(rows, dtype="int32")
    # Far from the seeds of the log. On PyTorch Keras adds the seed and the
    # number of the draw. With the numbers that drew the labels, all positive
    # rows would come first.
    return keras.random.shuffle(order, seed=1_000_000 + epoch)


def read_batch(log: Log, rows: Tensor) -> tuple[Log, Tensor]:
    """Returns the inputs and the labels of these rows."""
    inputs = {name: ops.take(log[name], rows, axis=0) for name in INPUTS}
    return inputs, ops.take(log["labels"], rows, axis=0)


INPUTS = ("ids", "dense")


def _draw(rows, vocabularies, seeds):
    sizes = np.array(vocabularies, "float32")
    uniform = keras.random.uniform((rows, len(sizes)), seed=seeds)
    ids = ops.exp(uniform * np.log(sizes + 1)) - 1
    ids = ops.cast(ops.minimum(ids, sizes - 1), "int32")
    dense = keras.random.uniform((rows, NUM_DENSE), seed=seeds)
    fields = np.arange(1, len(sizes) + 1, dtype="float32")
    effects = ops.sin(ops.cast(ids % 9973, "float32") * fields)
    logits = ops.sum(effects, axis=1, keepdims=True) / 2 + dense[:, :1] - 1.5
    clicks = keras.random.uniform((rows, 1), seed=seeds) < ops.sigmoid(logits)
    return {"ids": ids, "dense": dense, "labels": ops.cast(clicks, "float32")}
