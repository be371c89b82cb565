"""
Title: Your own Keras model, 64 times the batch
Author: The keras_cowclip authors
Date created: 2026/11/25
Last modified: 2026/12/01
Description: Swap a layer and the optimizer, scale the batch, compare AUC.
"""

"""
## What this is about

A click-through-rate model is a table of embeddings and a small network. It
trains well with batches of about a thousand rows, and badly with large ones:
there are fewer steps in an epoch, and each step of Adam moves a weight by
about the learning rate, whatever the batch. Raising the learning rate of all
weights overshoots for rare ids, which a large batch meets no more often than a
small one did.

Here is a plain Keras model whose batch grows by a factor of 64 in four ways:

1. only the batch changes;
2. with `CowClip` and the rule of its paper;
3. with `CowClip` and this project's rule, a factor for each row by the
   frequency of its id;
4. the same, with two batch sizes: the tables take a step every 65,536 rows, the
   small rest of the model every 8,192. This is what we recommend.

It takes about four minutes on two CPU cores, on any backend.
"""

import time

import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import roc_auc_score

import keras_cowclip
import zoo

"""
## Data

A synthetic log with the columns of Criteo's: 13 numbers and 26 fields of ids.
Its click probabilities are known, so we know the best AUC that a model can be
expected to reach. Like a real log, it has many ids and few rows for most of
them.

For a log of your own, `log = zoo.EncodedLog.load("encoded/criteo")` opens what
`python -m zoo prepare` wrote; the next tutorial shows how.
"""

log = zoo.datasets.synthetic.make_log(rows=500_000, max_vocabulary=100_000)
sizes = log.schema.vocabulary_sizes
num_ids = sum(sizes)
# Each field's ids begin at 0: one table for all needs them apart.
offsets = np.cumsum([0, *sizes[:-1]]).astype("int32")


def arrays(name):
    split = log.split(name)
    ids = split.inputs["ids"] + offsets
    inputs = {"dense": split.inputs["dense"], "ids": ids}
    return inputs, split.labels.astype("float32")


train, validation, test = map(arrays, ("train", "validation", "test"))
best_possible = log.bayes["test"]["auc"]
print(f"{len(train[1]):,} rows to train on, {num_ids:,} ids")
print(f"best possible AUC: {best_possible:.4f}")

"""
## A plain Keras model

Nothing of ours is in it yet; the layer of the embeddings is an argument, so
that it can be swapped.
"""


def build(embedding_layer):
    keras.utils.set_random_seed(0)
    dense = keras.Input((13,), name="dense")
    ids = keras.Input((26,), dtype="int32", name="ids")
    embeddings = embedding_layer(
        num_ids,
        8,
        embeddings_initializer=keras.initializers.RandomNormal(stddev=0.01),
        name="embeddings",
    )(ids)
    hidden = keras.layers.Concatenate()(
        [dense, keras.layers.Flatten()(embeddings)]
    )
    for units in (64, 32):
        hidden = keras.layers.Dense(units, "relu", name=f"hidden_{units}")(
            hidden
        )
    click = keras.layers.Dense(1, "sigmoid", name="click")(hidden)
    return keras.Model({"dense": dense, "ids": ids}, click)


"""
Each run trains for five epochs and keeps the exact AUC after each, on the
validation and on the test rows. The reported one is the test AUC of the epoch
that was best on the validation rows, as early stopping would have it.
"""

EPOCHS = 5
curves, best, seconds = {}, {}, {}
# Memory that a step frees stays for the next one.
zoo.keep_freed_memory()


def auc(model, split):
    inputs, labels = split
    scores = model.predict(inputs, batch_size=16_384, verbose=0)
    return roc_auc_score(labels, scores[:, 0])


def run(name, model, optimizer, batch_size):
    model.compile(optimizer=optimizer, loss="binary_crossentropy")
    curve, times = [], []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        model.fit(*train, batch_size=batch_size, verbose=0)
        times.append(time.perf_counter() - start)
        curve.append((auc(model, validation), auc(model, test)))
    # The first epoch has the compilation in it.
    seconds[name] = np.median(times[1:])
    curves[name] = [test_auc for _, test_auc in curve]
    best[name] = max(curve)[1]
    print(
        f"{name:27} AUC {best[name]:.4f}, {seconds[name]:5.1f} seconds an epoch"
    )


"""
## The small batch, and only a larger one

Adam at a batch of 1024, and the same at 65,536: seven steps an epoch are too
few for the learning rate.
"""

run(
    "Adam, 1,024",
    build(keras.layers.Embedding),
    keras.optimizers.Adam(1e-3),
    batch_size=1024,
)
run(
    "Adam, 65,536",
    build(keras.layers.Embedding),
    keras.optimizers.Adam(1e-3),
    batch_size=65_536,
)

"""
## Two changes

`keras.layers.Embedding` becomes `keras_cowclip.CowClipEmbedding`, and Adam
becomes `CowClip`, whose hyperparameters `scale_hyperparameters` takes from
those of the small batch to the large one. Nothing else changes: `compile`,
`fit`, callbacks, saving are Keras' own.
"""

for rule in ("cowclip", "frequency"):
    hyperparameters = keras_cowclip.scale_hyperparameters(
        batch_size=65_536,
        base_batch_size=1024,
        rule=rule,
        learning_rate=1e-3,
        embedding_learning_rate=1e-3,
    )
    print(hyperparameters)
    run(
        f"{rule}, 65,536",
        build(keras_cowclip.CowClipEmbedding),
        keras_cowclip.CowClip(**hyperparameters),
        batch_size=65_536,
    )

"""
## Two batch sizes

The tables take the large batch well: most of their rows are in few batches of
any size. The dense weights are in all of them, and at 65,536 rows they have too
few steps. So `fit` gets a batch of 8,192, at which they step, and the tables
take one step for eight of theirs, by the mean gradient and the summed counts.

`CowClip.from_optimizer` is the short way to it: it takes the settings of the
Adam that you have, and the rule of frequencies.
"""

run(
    "frequency, 65,536 and 8,192",
    build(keras_cowclip.CowClipEmbedding),
    keras_cowclip.CowClip.from_optimizer(
        keras.optimizers.Adam(1e-3),
        base_batch_size=1024,
        batch_size=8192,
        embedding_batch_size=65_536,
    ),
    batch_size=8192,
)

"""
## Side by side
"""

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
for name, curve in curves.items():
    left.plot(range(1, EPOCHS + 1), curve, "o-", label=name)
left.axhline(best_possible, color="gray", linestyle="--", label="best possible")
left.set_xticks(range(1, EPOCHS + 1))
left.set_xlabel("epoch")
left.set_ylim(0.4, 0.8)
left.set_ylabel("test AUC")
left.legend(loc="lower center", ncols=2, fontsize=8)
right.barh(list(seconds), list(seconds.values()))
right.invert_yaxis()
right.set_xlabel("seconds an epoch")
figure.tight_layout()
plt.show()

"""
## What to make of it

* A larger batch alone is no good: Adam has too few steps and ends last. How far
  behind depends on the initial weights, which each backend draws differently.
* `CowClip` with the paper's rule brings most of it back. It moves rows as
  slowly as at the small batch, so it asks for more epochs on a log as small as
  this one; the paper's logs have a hundred times the rows.
* The rule by frequencies comes near the small batch in the first epochs.
* With two batch sizes the model is there an epoch earlier, and then overfits as
  with the small batch. On gowalla, a real log of 2 million rows, two batch
  sizes gain .003 AUC over one and lose none to the small batch
  (`benchmarks/results/scaling`).
* The small batch overfits after its first epochs. With many ids and few rows a
  click model always does, so stop early.
* The time of an epoch is that of this machine. Small batches spend it on
  updates of the whole table at each step, large ones on the network. The more
  ids there are, and the faster the accelerator is, the more a large batch
  gains.

Which rule holds on *your* log is a question for the third tutorial.
"""

small, plain = best["Adam, 1,024"], best["Adam, 65,536"]
paper, frequency = best["cowclip, 65,536"], best["frequency, 65,536"]
two_batches = best["frequency, 65,536 and 8,192"]
assert 0.70 < small < best_possible
assert plain < paper < frequency < best_possible
assert plain < frequency - 0.02
assert small - 0.02 < frequency
assert frequency - 0.01 < two_batches < best_possible
