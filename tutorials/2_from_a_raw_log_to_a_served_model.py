"""
Title: From a raw click log to a served model
Author: The keras_cowclip authors
Date created: 2026/11/25
Last modified: 2026/12/01
Description: Prepare a log, train, explain and export a network, score rows.
"""

"""
## What this is about

A click log is a text file: a label, some numbers, and tokens such as the ids
of sites and devices. A model takes integers. A server of the model has text
again, and must turn it into the same integers. This tutorial goes the whole way
with `zoo`:

1. **prepare**: the raw file becomes ids, once, within a memory limit;
2. **describe** what is in it;
3. **train** and **evaluate**, with exact metrics;
4. **explain** which fields the model uses;
5. **predict** raw rows with the saved preset;
6. **export** it for a runtime without Keras.

Everything here also exists on the command line, `python -m zoo prepare |
describe | train | evaluate | explain | predict | export`. It takes about two
minutes on two CPU cores, on whichever backend `KERAS_BACKEND` names.
"""

import json

import keras
import matplotlib.pyplot as plt
import numpy as np
import pyarrow.parquet as pq
from sklearn.metrics import roc_auc_score

import zoo


def show(path):
    """Shows a picture that zoo wrote."""
    picture = plt.imread(path)
    plt.figure(figsize=(picture.shape[1] / 130, picture.shape[0] / 130))
    plt.imshow(picture)
    plt.axis("off")
    plt.tight_layout()
    plt.show()


"""
## The raw log

The synthetic log has Criteo's layout: a label, 13 integers and 26 tokens, with
tabs between and nothing where a value is missing. Its click probabilities are
known, so we will see how far a model is from the best possible one.

With the real log, leave this cell out. Below, put `zoo.datasets.CRITEO` and
`"train.txt"`, the file in Kaggle's archive of the Criteo Display Advertising
Challenge.
"""

rows = 200_000
zoo.datasets.synthetic.write_raw_log("raw.txt", rows=rows, max_vocabulary=1000)
with open("raw.txt") as file:
    print(file.readline())

"""
## Prepare

DuckDB counts the tokens of the training rows and looks up their ids. Tokens
that occur fewer than twice share the id of unseen ones. The last tenth of the
rows is the test split, as it would be in production: the future.
"""

summary = zoo.prepare(
    zoo.datasets.SYNTHETIC,
    "raw.txt",
    "encoded",
    split="sequential",
    test_fraction=0.1,
    validation_fraction=0.1,
    min_count=2,
    dense_transform="log",
)
log = zoo.EncodedLog.load("encoded")
print({name: len(split) for name, split in log.splits.items()})

"""
## Describe

Look before you train: how many ids a field has, how many are missing, how many
tokens of the test rows were never seen in training, how much the most frequent
ids dominate.
"""

zoo.describe("encoded")
show("encoded/data_card.png")

"""
## Train and evaluate

`zoo.train` follows the paper's recipe: the hyperparameters are scaled to the
batch, the learning rate of the dense weights warms up for an epoch, AUC and
log-loss are computed exactly on the validation split after each epoch and on
the test split at the end. A run's folder is a *preset*: network, weights,
vocabulary and transforms together.

Three epochs keep this tutorial short; ten are usual.
"""

report = zoo.train(
    log,
    "runs/deepfm",
    model="deepfm",
    batch_size=1024,
    epochs=3,
    embedding_learning_rate=1e-3,
    hidden_units=(64, 32),
    verbose=2,
)
show("runs/deepfm/learning_curves.png")

"""
The truth is known here: no model can be expected to do better than the
probabilities that the labels were drawn from.
"""

truth = zoo.datasets.synthetic.make_log(rows=rows, max_vocabulary=1000)
metrics = zoo.evaluate("runs/deepfm", log, split="test")
for name, value in metrics.items():
    print(
        f"{name:12} {value:.4f}   best possible {truth.bayes['test'][name]:.4f}"
    )

"""
## Explain

Which fields does the model use? Shuffle one over the rows of the test split,
and see how much AUC is lost. The calibration plot shows whether a prediction of
20 % means 20 % of clicks.
"""

explanation = zoo.explain("runs/deepfm", log, output="explanation", repeats=3)
show("explanation/explanation.png")

"""
## Predict raw rows

A preset takes rows as they are in the log, without their label: dicts, a
DataFrame, an Arrow table or a file. A token that training never saw gets the
id of unseen ones, a missing value that of missing ones, exactly as in
training.
"""

predictor = zoo.CTRPredictor.from_preset("runs/deepfm")
row = dict.fromkeys(zoo.datasets.SYNTHETIC.unlabeled().used)
print(predictor.predict([row, {**row, "I1": 3, "C1": "never seen"}]))

"""
Files of any size are scored in constant memory. The numbers are those of the
evaluation: here is its AUC again, from the raw text.
"""

predictor.predict_file("raw.txt", "scores.parquet")
scores = pq.read_table("scores.parquet")["probability"].to_numpy()
first_test_row = rows - len(log.split("test"))
clicks = np.loadtxt(
    "raw.txt", delimiter="\t", usecols=0, skiprows=first_test_row, dtype="int8"
)
auc = roc_auc_score(clicks, scores[first_test_row:])
print(
    f"AUC of the scored file {auc:.6f}, of the evaluation {metrics['auc']:.6f}"
)

"""
## Export

For serving without Keras, each backend has a format that it can write
(`zoo.serving.export_formats.FORMATS` lists them). The exported model takes ids
and any number of rows. Some formats need another package, such as TensorFlow
for JAX; if it is not installed, the error says what to install.
"""

exports = {
    "tensorflow": ("tf_saved_model", "exported"),
    "jax": ("tf_saved_model", "exported"),
    "torch": ("torch", "exported.pt2"),
}
format, output = exports[keras.backend.backend()]
try:
    zoo.export("runs/deepfm", output, format=format)
except ImportError as error:
    print(error)

"""
## What we have

We have a folder that turns raw rows into click probabilities on any backend,
its exact metrics, a picture of the columns that it uses, and a model file for a
server. For your own log, change the path and give a `zoo.LogFormat` that names
its columns.
"""

assert abs(auc - metrics["auc"]) < 1e-6
assert 0.68 < metrics["auc"] < truth.bayes["test"]["auc"]
with open("explanation/explanation.json") as file:
    assert len(json.load(file)["importance"]) == 39
