"""
Title: One model, three backends
Author: The keras_cowclip authors
Date created: 2026/11/25
Last modified: 2026/12/01
Description: Train on JAX, continue on PyTorch, serve from TensorFlow.
"""

"""
## What this is about

Keras 3 runs on TensorFlow, JAX and PyTorch, and so does CowClip: the same
weights and the same batches give the same training on each, up to rounding. So
you can train on the fastest backend, continue on that of your colleagues, and
serve on that of your servers.

Keras reads its backend once, when it is imported. So every step below is a
process of its own, as it would be on different machines; `KERAS_BACKEND` says
which backend it is. All three must be installed. It takes about two minutes on
two CPU cores.
"""

import json
import os
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pyarrow.parquet as pq

import zoo


def run(backend, *arguments, **environment):
    """Runs `python` with a backend, and shows what it printed at the end."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env={
            **os.environ,
            "KERAS_BACKEND": backend,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **environment,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning:" not in done.stderr, done.stderr
    return done.stdout


"""
## A log

A raw log and its encoding need no backend. With Kaggle's file instead:
`zoo.prepare(zoo.datasets.CRITEO, "train.txt", "encoded")`.
"""

zoo.datasets.synthetic.write_raw_log(
    "raw.txt", rows=100_000, max_vocabulary=500
)
zoo.prepare(zoo.datasets.SYNTHETIC, "raw.txt", "encoded", dense_transform="log")

"""
## Train on JAX

`python -m zoo train` leaves a preset: network, weights, vocabulary,
transforms.
"""

recipe = ["--data", "encoded", "--batch-size", "1024", "--hidden-units", "64"]
recipe += ["--embedding-learning-rate", "1e-3", "--warmup-epochs", "0"]
print(
    run(
        "jax",
        "-m",
        "zoo",
        "train",
        *recipe,
        "--epochs",
        "2",
        "--output",
        "jax_run",
    )
)

"""
## Continue on PyTorch

The preset's weights are a file that all backends read. `--initial-model`
continues from it.
"""

print(
    run(
        "torch",
        *("-m", "zoo", "train", *recipe, "--epochs", "1"),
        *("--initial-model", "jax_run", "--output", "torch_run"),
    )
)

"""
## Serve from TensorFlow

Score raw rows on TensorFlow; then on the others, to see that it doesn't
matter.
"""

scores = {}
for backend in ("tensorflow", "jax", "torch"):
    output = f"{backend}.parquet"
    run(
        backend,
        *("-m", "zoo", "predict", "torch_run"),
        *("--input", "raw.txt", "--output", output),
    )
    scores[backend] = pq.read_table(output)["probability"].to_numpy()

difference = max(
    np.abs(scores[backend] - scores["tensorflow"]).max() for backend in scores
)
print(f"{len(scores['jax']):,} rows, largest difference {difference:.1e}")

"""
For a server without Keras, TensorFlow writes a SavedModel, with the backend's
own tools to serve it:
"""

print(
    run(
        "tensorflow",
        *("-m", "zoo", "export", "torch_run"),
        *("--format", "tf_saved_model", "--output", "served"),
    )
)

"""
## Precision

`mixed_bfloat16` computes the network in half the bits; tables, moments, counts
and the clip stay float32. It is a dtype policy of Keras, and a preset can be
loaded with another one than it was saved with. Here the three backends continue
from the same weights for an epoch of the same batches, in both precisions.
"""

TRAIN = """
import sys, keras_cowclip, zoo
log = zoo.EncodedLog.load("encoded")
model = zoo.from_preset("jax_run", dtype=sys.argv[1])
optimizer = keras_cowclip.CowClip(embedding_learning_rate=1e-3)
model.compile(optimizer, "binary_crossentropy")
batches = zoo.ClickBatches(log.split("train"), 1024, shuffle=True, seed=0)
model.fit(batches, verbose=0)
model.save_to_preset("trial")
print(zoo.evaluate("trial", log)["auc"])
"""
aucs = {
    policy: [float(run(backend, "-c", TRAIN, policy)) for backend in scores]
    for policy in ("float32", "mixed_bfloat16")
}
for policy, values in aucs.items():
    print(policy, [f"{value:.5f}" for value in values])

positions = np.arange(len(scores))
for shift, (policy, values) in zip((-0.2, 0.2), aucs.items(), strict=True):
    plt.bar(positions + shift, values, width=0.4, label=policy)
plt.xticks(positions, list(scores))
plt.ylim(0.5, 0.8)
plt.ylabel("test AUC")
plt.legend()
plt.title("One epoch, three backends, two precisions")
plt.show()

"""
They are not equal to all digits: each backend adds in another order, and Adam
makes nearly a full step of the smallest gradient of a rare id. Rounding changes
the AUC by far less than its standard error, which is .005 for ten thousand test
rows, and so do 16 bits.

## Several devices

N devices with a batch of b / N rows each train what one device with b rows
trains: CowClip counts ids over the whole batch. On JAX it takes one line of
Keras before the model is made. Two virtual devices of the CPU stand in for two
GPUs.
"""

DEVICES = """
import keras, jax, zoo
from keras_cowclip import CowClip
print(jax.devices())
keras.distribution.set_distribution(keras.distribution.DataParallel())
log = zoo.EncodedLog.load("encoded")
keras.utils.set_random_seed(0)
model = zoo.DeepFM(log.schema, embedding_dim=4, hidden_units=(64,))
model.compile(CowClip(embedding_learning_rate=1e-3), "binary_crossentropy")
batches = zoo.ClickBatches(log.split("train"), 1024)
model.fit(batches, epochs=1, verbose=2)
"""
print(
    run(
        "jax",
        "-c",
        DEVICES,
        XLA_FLAGS="--xla_force_host_platform_device_count=2",
    )
)

"""
On TensorFlow it is `with tf.distribute.MirroredStrategy().scope():` around
making and compiling the model; on PyTorch `DistributedDataParallel` and a loop
of your own. The guide `docs/several_devices.md` has that loop, and a table of
what each backend can do.

## How equal is equal?

`nox -s parity` trains all four networks for 50 steps on each backend and
compares losses, tables, moments and counts; `nox -s matrix` adds speed and
memory. Results are in `benchmarks/results`.
"""

with open("torch_run/report.json") as file:
    report = json.load(file)
assert report["backend"] == "torch"
assert report["auc"] > 0.65
assert difference < 1e-5
for values in aucs.values():
    assert max(values) - min(values) < 0.003
assert abs(np.mean(aucs["float32"]) - np.mean(aucs["mixed_bfloat16"])) < 0.003
