"""Trains what no memory holds; prints the error.

    KERAS_BACKEND=jax python -m tests.gpu.too_large outputs

`outputs` of a layer that are too large, or a `table`. They take 2**48 bytes,
twice what an x86 process can address, so no system grants them on credit.
"""

import sys
import tempfile

import numpy as np

import keras_cowclip
import zoo
from zoo.data.encoded_log import EncodedLog
from zoo.data.split import Split


def train_outputs():
    rows = units = 2**23
    schema = zoo.FeatureSchema([], {"site": 1})
    model = zoo.WideDeep(schema, embedding_dim=1, hidden_units=(units,))
    model.compile(keras_cowclip.CowClip(), "binary_crossentropy")
    inputs, labels = click_rows(rows)
    model.fit(inputs, labels, batch_size=rows, shuffle=False, verbose=0)


def train_table():
    schema = zoo.FeatureSchema([], {"site": 2**20})
    inputs, labels = click_rows(4)
    split = Split(inputs, labels[:, 0])
    log = EncodedLog(schema, {"train": split, "test": split}, "two rows")
    with tempfile.TemporaryDirectory() as folder:
        zoo.train(
            log,
            f"{folder}/run",
            batch_size=4,
            epochs=1,
            embedding_dim=2**26,
            hidden_units=(1,),
            verbose=0,
        )


def click_rows(rows):
    inputs = {
        "dense": np.zeros((rows, 0), "float32"),
        "ids": np.zeros((rows, 1), "int32"),
    }
    return inputs, np.zeros((rows, 1), "float32")


if __name__ == "__main__":
    try:
        {"outputs": train_outputs, "table": train_table}[sys.argv[1]]()
    except MemoryError as error:
        print(type(error).__name__, error)
