"""
Title: How large can my batch be?
Author: The keras_cowclip authors
Date created: 2026/11/25
Last modified: 2026/12/01
Description: Run the scaling study on a log, and see what the clip does.
"""

"""
## What this is about

A larger batch trains faster, until the AUC falls. The largest good batch
depends on the data and on the *rule* by which the hyperparameters follow the
batch. Only a trial can tell: `zoo.scaling_study` trains at several batches with
several rules, from the same weights on the same rows, and says how far each
rule goes. Then we look at the clip itself.

It takes about three minutes on two CPU cores.
"""

import keras
import matplotlib.pyplot as plt
import numpy as np

import keras_cowclip
import zoo

"""
## The log

A synthetic log, whose best possible AUC is known. For a log of your own,
`python -m zoo prepare` encodes it, and this line changes to `log =
zoo.EncodedLog.load("encoded/criteo")`.
"""

log = zoo.datasets.synthetic.make_log(rows=300_000, max_vocabulary=1000)
print({name: len(split) for name, split in log.splits.items()})
print(f"best possible AUC of the test split: {log.bayes['test']['auc']:.4f}")

"""
## The study

The recipe is tuned at a batch of 1024; `rules` say how it follows. `cowclip`
is the paper's: embedding learning rate unchanged, l2 times s, dense learning
rate times sqrt(s), for s times the batch. `linear` is the classic rule.
`frequency` is this project's: each row's own factor, from the frequency of its
id.

A *variant* changes the recipe. Here the dense weights keep a batch of 1024
while that of the tables grows: `batch_size` in a variant is the dense weights'.
At a batch of 128K you would take 8192.

The study is short here: a small network, two epochs, one seed. A real one has
three seeds and as many epochs as you would train. If it is interrupted, the
same call resumes it.
"""

recipe = {
    "epochs": 2,
    "embedding_dim": 8,
    "hidden_units": (64, 32),
    "embedding_learning_rate": 1e-3,
}
zoo.scaling_study(
    log,
    "study",
    batch_sizes=(1024, 4096, 16_384),
    rules=("cowclip", "linear", "frequency"),
    verbose=False,
    **recipe,
)
# A study grows: it returns and draws all results in its folder.
results = zoo.scaling_study(
    log,
    "study",
    batch_sizes=(4096, 16_384),
    rules=("frequency",),
    variants={"dense batch 1024": {"batch_size": 1024}},
    verbose=False,
    **recipe,
)
for row in results:
    print(
        f"batch {row['embedding_batch_size']:6,}  "
        f"{row['rule'] + ' ' + row['variant']:27} "
        f"AUC {row['auc']:.4f}  {row['seconds']:5.1f} seconds"
    )

"""
The same as a picture. Read it from left to right: a line that stays level is a
rule that holds. In the corner is the best AUC that any model can be expected to
reach. With 16,384 rows a step, an epoch of this small log has 15 steps, and in
the first of two the dense learning rate warms up: the paper's rule, which moves
embeddings no faster than at the small batch, has no time to arrive. With two
batch sizes the dense weights have as many steps as before.
"""


def show(path):
    """Shows a picture that zoo wrote."""
    picture = plt.imread(path)
    plt.figure(figsize=(picture.shape[1] / 130, picture.shape[0] / 130))
    plt.imshow(picture)
    plt.axis("off")
    plt.tight_layout()
    plt.show()


show("study/auc.png")

"""
The AUC is only half of the question. The time that a large batch saves depends
on the machine. On a CPU the arithmetic of the network soon takes most of a
step. A small batch leaves most of an accelerator idle.
"""

show("study/seconds.png")

"""
## What the clip does

CowClip bounds the gradient of each id's row by `count * max(clip_ratio * norm,
clip_floor)`: `count` is how often the id occurs in the batch, `norm` the
length of its embedding. So an id that occurs once in a batch may not move its
embedding by more than its own length allows, while frequent ids have more
room.

Does it ever happen? `ClippedShare` logs the share of the active rows that were
clipped in each step. Let us train the same network with smaller and smaller
clip ratios.
"""

clip_ratios = (1.0, 1e-2, 1e-3, 1e-4)
batches = zoo.ClickBatches(log.split("train"), 4096, shuffle=True)


class SharesOfSteps(keras.callbacks.Callback):
    """Keeps the clipped share of every step."""

    def __init__(self):
        super().__init__()
        self.shares = []

    def on_train_batch_end(self, batch, logs=None):
        self.shares.append(logs["clipped_share"])


def train(clip_ratio):
    keras.utils.set_random_seed(0)
    network = zoo.DeepFM(log.schema, embedding_dim=8, hidden_units=(64, 32))
    hyperparameters = keras_cowclip.scale_hyperparameters(
        4096, embedding_learning_rate=1e-3
    )
    network.compile(
        keras_cowclip.CowClip(
            clip_ratio=clip_ratio, clip_floor=1e-7, **hyperparameters
        ),
        loss="binary_crossentropy",
    )
    steps = SharesOfSteps()
    network.fit(
        batches, callbacks=[keras_cowclip.ClippedShare(), steps], verbose=0
    )
    return network, steps.shares


shares = {}
for clip_ratio in clip_ratios:
    network, shares[clip_ratio] = train(clip_ratio)
    plt.plot(shares[clip_ratio], label=f"clip_ratio {clip_ratio:g}")
plt.xlabel("step")
plt.ylabel("clipped share of the present ids")
plt.legend()
plt.title("How often the clip acts")
plt.show()

"""
At the paper's `clip_ratio=1` the clip hardly acts on this log: gradients of a
mean over 4096 rows are far shorter than the embeddings. Look at the share on
*your* log before you credit the clip for a result; that is why it is logged.

## Frequent ids and rare ids

Which ids are clipped? Rare ids keep short embeddings, so their bound is low.
Frequent ids have longer ones, and a count above one. Here is the length of
every embedding against the occurrences of its id in training.
"""

ids = np.asarray(log.split("train").inputs["ids"])
sizes = log.schema.vocabulary_sizes
stacked = ids + np.cumsum([0, *sizes[:-1]])
occurrences = np.bincount(stacked.ravel(), minlength=sum(sizes))
table = network.get_layer("embeddings").get_weights()[0]
norms = np.linalg.norm(table, axis=1)
seen = occurrences > 0

plt.loglog(occurrences[seen], norms[seen], ".", markersize=2)
plt.xlabel("occurrences of the id in training")
plt.ylabel("length of its embedding")
plt.title("Frequent ids have long embeddings")
plt.show()

rare, frequent = (
    np.median(norms[seen & chosen])
    for chosen in (occurrences < 10, occurrences > 1000)
)
print(f"median length: {rare:.4f} of rare ids, {frequent:.4f} of frequent ones")

"""
## What to take home

* Run the study on your own log: `python -m zoo scale --data encoded/mine
  --output study`.
* Try two batch sizes, `--dense-batch-size 8192`, before you give up a batch.
* Compare rules at the batch you want, with three seeds; differences below .001
  AUC are often noise.
* Look at the clipped share. If it is 0, the clip did not help.
"""

by_run = {
    (row["embedding_batch_size"], row["rule"], row["variant"]): row["auc"]
    for row in results
}
best_at_1024 = max(auc for (size, *_), auc in by_run.items() if size == 1024)
assert best_at_1024 > 0.70
assert all(0.5 < auc < log.bayes["test"]["auc"] for auc in by_run.values())
assert max(shares[1.0]) < 0.01 < max(shares[1e-4])
assert rare < frequent
