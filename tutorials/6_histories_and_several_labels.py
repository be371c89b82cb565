"""
Title: Histories and several labels
Author: The keras_cowclip authors
Date created: 2026/11/30
Last modified: 2026/12/01
Description: From a raw log with histories and two labels to served models.
"""

"""
## What this is about

A shop's log says more than which item was offered to whom: it has the items
that a user clicked before, and whether a click became a purchase. Two kinds of
networks are made for that. [DIN](https://arxiv.org/abs/1706.06978) weighs each
event of a history by its relation to the item that is offered.
[MMoE](https://doi.org/10.1145/3219819.3220007) predicts several labels by
experts that these share, mixed for each label by a gate of its own.

We go from a raw file to both networks, and score raw rows. It takes about three
minutes on two CPU cores.
"""

import keras
import matplotlib.pyplot as plt
import numpy as np

import zoo

"""
## The raw log

A CSV file with a header. A history is one value with `|` between its events,
the most recent last; a user without a history has an empty one. The synthetic
log stands for yours: its true probabilities are known.
"""

LOG = {"rows": 150_000, "history": 20, "purchase": True}
zoo.datasets.synthetic.write_raw_log("shop.csv", **LOG)
with open("shop.csv") as file:
    for _ in range(3):
        print(file.readline().strip())

"""
## Prepare

`LogFormat` says what the columns are. `history` shares the vocabulary of
`item`, so that an item has one vector wherever it stands, and
`history_category` holds the categories of the same events: the two are
parallel, and a network sees them as one history. Both labels are predicted.
"""

shop = zoo.LogFormat(
    name="shop",
    labels=("click", "purchase"),
    dense=("price",),
    categorical=("user", "item", "category", "hour"),
    sequences={
        "history": zoo.ListColumn("item", max_length=20),
        "history_category": zoo.ListColumn(
            "category", max_length=20, parallel_to="history"
        ),
    },
    delimiter=",",
    header=True,
)
zoo.prepare(
    shop,
    "shop.csv",
    "encoded",
    split="sequential",
    test_fraction=0.1,
    validation_fraction=0.1,
    min_count=1,
    dense_transform="log",
)
log = zoo.EncodedLog.load("encoded")
print({name: len(split) for name, split in log.splits.items()})
print("histories:", log.schema.histories)

"""
## Train

Both networks predict both labels. `mmoe` knows no attention: to it a history is
one more field, the mean of its events. Metrics are exact, for each label.
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
        verbose=2,
        **recipe,
    )
    for name, own in (
        ("din", {"attention_units": (16,)}),
        ("mmoe", {"num_experts": 4, "tower_units": (32,), "gate_units": ()}),
    )
}

"""
## What each is good at

Whether the item is of one of the user's interests decides about a click; the
price decides about a purchase. The dashed lines are the AUC of the true
probabilities.
"""

best = zoo.datasets.synthetic.make_log(**LOG).bayes["test"]
figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
for panel, label in zip(axes, log.schema.labels, strict=True):
    for name, report in reports.items():
        curve = report["history"][f"val_{label}_auc"]
        panel.plot(range(1, len(curve) + 1), curve, "o-", label=name)
    panel.axhline(best[label]["auc"], color="gray", linestyle="--")
    panel.set(title=label, xlabel="epoch", ylabel="validation AUC")
    panel.set_xticks([1, 2, 3])
    panel.grid(alpha=0.3)
axes[0].legend()
plt.show()

aucs = {
    name: {label: report["labels"][label]["auc"] for label in log.schema.labels}
    for name, report in reports.items()
}
for name, of_labels in aucs.items():
    print(name, {label: round(auc, 4) for label, auc in of_labels.items()})

"""
## Score raw rows

The folder of a run is a preset: network, weights, vocabularies. It takes rows
as the log has them, without their labels. A history is text, as in the file, or
a list; an unknown item is an event like any other. It returns a column for each
label.
"""

predictor = zoo.CTRPredictor.from_preset("runs/din")
with open("shop.csv") as file:
    names = file.readline().strip().split(",")
    values = file.readline().strip().split(",")
row = dict(zip(names, values, strict=True))
for label in log.schema.labels:
    del row[label]
rows = [
    row,
    {**row, "history": "", "history_category": ""},
    {**row, "history": ["never seen"], "history_category": [row["category"]]},
]
probabilities = predictor.predict(rows)
print(probabilities)

"""
## Export

The exported model takes ids: each history is an input of its own, and there is
an output for each label, in the order of the schema.
"""

exports = {
    "tensorflow": ("tf_saved_model", "exported"),
    "jax": ("tf_saved_model", "exported"),
    "torch": ("torch", "exported.pt2"),
}
format, output = exports[keras.backend.backend()]
for name in reports:
    try:
        zoo.export(f"runs/{name}", f"{name}_{output}", format=format)
    except ImportError as error:
        print(error)

"""
## What to take along

* A list column shares the vocabulary of a field by its first argument, and
  `parallel_to` says that two columns are of the same events.
* Every network takes histories, as their mean. The networks that need "a
  history", in the README's table, weigh events by the offered item. Every
  network takes several labels. Those that need "several labels" have parts for
  each.
* Such a network is better only on a log that has what it reads: here the
  interest is in how an item relates to a history, which a mean can't tell.
"""

clicked = np.asarray(probabilities["click"])
assert len(clicked) == 3 and ((clicked > 0) & (clicked < 1)).all()
assert aucs["din"]["click"] > aucs["mmoe"]["click"] + 0.03
assert all(
    of_labels[label] < best[label]["auc"]
    for of_labels in aucs.values()
    for label in log.schema.labels
)
