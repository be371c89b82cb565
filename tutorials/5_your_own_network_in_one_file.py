"""
Title: Your own network in one file
Author: The keras_cowclip authors
Date created: 2026/11/29
Last modified: 2026/11/29
Description: Write a network that reads a user's history, and train it.
"""

"""
## What this is about

A network of the zoo is a class with one method, `logits`. All else it has from
`zoo.CTRModel`: inputs, embedding tables, dtypes, checks, files, training and
export. So does yours, if you write it the same way.

We write a small [Deep Interest Network](https://arxiv.org/abs/1706.06978). It
reads what a user clicked before, and asks of each of those clicks how much it
has to do with the item that is offered now. It takes about two minutes on two
CPU cores.
"""

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops

import zoo

"""
## A log with histories

In each row of this synthetic log a user is offered an item. The `history` holds
the last items that the user clicked, of several interests, and the user clicks
if one of these interests is that of the item. The true probabilities are known,
and with them the AUC that no model can beat.
"""

log = zoo.datasets.synthetic.make_log(rows=120_000, history=20)
best = log.bayes["test"]["auc"]
inputs, labels = log.split("train").read(0, 3)
print(log.schema)
print(inputs["history"])  # -1 where there is no event; the last is the newest
print(f"The best AUC: {best:.4f}")

"""
## The network

`x` has the columns of a batch. `x.field("item")` is the vector of the item that
is offered, and `x.sequence("history")` has the vectors of the events, from the
same table, and a mask that is `False` where there is no event. Padding has no
gradient, and CowClip does not count it.

An argument of your own is kept as an attribute before `super().__init__` is
called. `register_network` gives the network a name that `zoo.train` takes, and
lets Keras load its files.
"""


@zoo.register_network("small_din")
class SmallDIN(zoo.CTRModel):
    """Sums the events of a history, weighted by their relation to the item.

    Args:
        schema: `zoo.FeatureSchema`.
        attention_units: integer. Defaults to `16`.
        **shared: arguments of `zoo.CTRModel`, such as `embedding_dim`.
    """

    def __init__(self, schema, *, attention_units=16, **shared):
        self.attention_units = attention_units
        super().__init__(schema, **shared)

    def logits(self, x):
        parts = [keras.layers.Flatten()(x.fields), x.dense]
        for name in self.schema.sequences:
            parts.append(self.interest(x, name))
        return x.output(x.mlp(ops.concatenate(parts, axis=-1)))

    def interest(self, x, name):
        events, mask = x.sequence(name)
        target = x.field(self.schema.vocabulary_of(name))[:, None]
        pairs = [
            events,
            target + 0 * events,
            events - target,
            events * target,
        ]
        hidden = keras.layers.Dense(self.attention_units, activation="relu")
        score = keras.layers.Dense(1)
        weights = score(hidden(ops.concatenate(pairs, axis=-1)))
        return ops.sum(ops.where(mask[..., None], weights * events, 0), axis=1)


"""
## Train it

`zoo.train` takes its name, and its own arguments as `network`. We train two
networks of the zoo beside it. They know no attention, so a history is to them
one more field: the mean of its events.
"""

recipe = {
    "batch_size": 1024,
    "epochs": 3,
    "learning_rate": 1e-2,
    "embedding_learning_rate": 1e-2,
    "embedding_deviation": 0.3,
    "embedding_l2": 1e-6,
    "warmup_epochs": 0,
    "embedding_dim": 8,
    "hidden_units": (64, 32),
}
reports = {
    name: zoo.train(
        log,
        f"runs/{name}",
        model=name,
        network=own,
        group_by="user",
        verbose=2,
        **recipe,
    )
    for name, own in (
        ("wide_deep", {}),
        ("deepfm", {}),
        ("small_din", {"attention_units": 16}),
    )
}

"""
## What attention is worth

The mean of a history says what a user likes in all; it can't say whether one of
many interests is that of the item. The curve shows the validation AUC after
each epoch, and the dashed line is the AUC of the true probabilities.
"""

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for name, report in reports.items():
    curve = report["history"]["val_auc"]
    axes.plot(range(1, len(curve) + 1), curve, "o-", label=name)
axes.axhline(best, color="gray", linestyle="--", label="true probabilities")
axes.set(xlabel="epoch", ylabel="validation AUC", xticks=[1, 2, 3])
axes.grid(alpha=0.3)
axes.legend()
plt.show()

"""
The AUC mixes users who click often with users who rarely do. Within the rows of
each user it asks whether the items that a user clicked come first: `gauc`.
"""

for name, report in reports.items():
    within = report["groups"]["user"]["gauc"]
    print(f"{name:10}  AUC {report['auc']:.4f}  within users {within:.4f}")

"""
## Load it

The folder of a run is a preset. Its files name the class, so it must be
registered where they are loaded: keep the class in a module, and import that.
"""

model = zoo.from_preset("runs/small_din")
batch, _ = log.split("test").read(0, 1000)
print(type(model).__name__, model.get_config()["attention_units"])

"""
How much does it owe to the histories? We empty them: a row of -1 has no event.
The predictions come closer to each other, because an item alone says less.
"""

predicted = model.predict(batch, verbose=0)[:, 0]
nothing = {name: np.full_like(batch[name], -1) for name in log.schema.sequences}
without = model.predict({**batch, **nothing}, verbose=0)[:, 0]
print(f"With a history:    {predicted.min():.3f} to {predicted.max():.3f}")
print(f"Without a history: {without.min():.3f} to {without.max():.3f}")

"""
## What to take along

* A network is one class with `logits`, and one file if you like.
* `x` gives what networks are made of: `x.embeddings`, `x.flat`, `x.linear()`,
  `x.mlp()`, `x.field()`, `x.sequence()`, `x.output()`. See
  `zoo.models.batch_features.Features`.
* Where an interest shows only in how the item relates to the history, a mean
  can't see it.
"""

aucs = {name: report["auc"] for name, report in reports.items()}
assert aucs["small_din"] > max(aucs["wide_deep"], aucs["deepfm"]) + 0.03
assert aucs["small_din"] < best
assert predicted.std() > without.std()
