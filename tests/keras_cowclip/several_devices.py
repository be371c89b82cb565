"""Trains small models on one or several devices and saves what comes out.

Run as a script, because the number of devices is fixed when a backend starts:

    python several_devices.py KIND DEVICES FOLDER [OPTIONS ...]

Each of `OPTIONS` is one training, such as `lazy=true` or
`use_ema=true,ema_momentum=0.8`. It ends up in `FOLDER/<its options>.npz`, or
its error in `FOLDER/<its options>.txt`. On PyTorch run it by `torchrun`, once
on each device.
"""

import contextlib
import json
import os
import sys
import traceback
from pathlib import Path

KIND, DEVICES, FOLDER = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if os.environ["KERAS_BACKEND"] == "jax":
    os.environ["XLA_FLAGS"] = (
        f"--xla_force_host_platform_device_count={DEVICES}"
    )

# ruff: noqa: E402 - The devices have to be there before Keras is.
import keras
import numpy as np

import keras_cowclip

BATCH_SIZE, STEPS, IDS, FIELDS = 64, 20, 48, 5


def make_data(padded):
    random = np.random.default_rng(0)
    rows = BATCH_SIZE * STEPS
    ids = (random.zipf(1.3, (rows, FIELDS)) % IDS).astype("int32")
    if padded:  # As in a history: devices get more and less of it.
        ids[np.arange(FIELDS) < random.integers(0, FIELDS, (rows, 1))] = -1
    return ids, random.integers(0, 2, (rows, 1)).astype("float32")


def make_model(policy="float32", padded=False, **options):
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(policy)
    ids = keras.Input((FIELDS,), dtype="int32")
    table = keras_cowclip.CowClipEmbedding(IDS, 4, name="table")
    wide = keras_cowclip.CowClipEmbedding(IDS, 1, clip=False, name="wide")
    mask = ids >= 0 if padded else None
    table, wide = table(ids, padding_mask=mask), wide(ids, padding_mask=mask)
    hidden = keras.layers.Dense(8, "tanh")(keras.layers.Flatten()(table))
    logit = keras.layers.Dense(1)(hidden) + keras.ops.sum(wide, axis=1)
    probability = keras.layers.Activation("sigmoid", dtype="float32")(logit)
    model = keras.Model(ids, probability)
    model.compile(
        # A small ratio, so that the clip is active on most rows.
        optimizer=keras_cowclip.CowClip(
            1e-2, 1e-2, embedding_l2=1e-3, clip_ratio=3e-3, **options
        ),
        loss="binary_crossentropy",
    )
    return model


def mirrored():
    import tensorflow as tf

    # A second call says the same.
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * DEVICES,
    )
    names = [f"CPU:{i}" for i in range(DEVICES)]
    return tf.distribute.MirroredStrategy(names).scope()


def data_parallel():
    devices = keras.distribution.list_devices()
    return keras.distribution.DataParallel(devices=devices).scope()


def model_parallel():
    mesh = keras.distribution.DeviceMesh(
        (DEVICES // 2, 2), ("batch", "rows"), keras.distribution.list_devices()
    )
    layouts = keras.distribution.LayoutMap(mesh)
    layouts[".*embeddings"] = ("rows", None)
    layouts[".*id_counts"] = ("rows",)
    return keras.distribution.ModelParallel(
        layout_map=layouts, batch_dim_name="batch"
    ).scope()


def fit(scope, options):
    ids, clicks = make_data("padded" in options)
    with scope:
        model = make_model(**options)
        model.fit(ids, clicks, batch_size=BATCH_SIZE, shuffle=False, verbose=0)
    return model


def torch_ddp(options):
    """The loop of PyTorch's own documentation, with a Keras optimizer."""
    import torch
    from torch import distributed
    from torch.nn.parallel import DistributedDataParallel

    rank, world = distributed.get_rank(), distributed.get_world_size()
    model = make_model(**options)
    parallel = DistributedDataParallel(model)
    ids, clicks = make_data("padded" in options)
    loss = keras.losses.BinaryCrossentropy()
    variables = model.trainable_variables
    for start in range(0, len(ids), BATCH_SIZE):
        mine = slice(start + rank, start + BATCH_SIZE, world)
        model.zero_grad()
        probability = parallel(torch.from_numpy(ids[mine]))
        value = loss(torch.from_numpy(clicks[mine]), probability)
        # By what a LossScaleOptimizer divides again.
        model.optimizer.scale_loss(value).backward()
        with torch.no_grad():
            model.optimizer.apply([v.value.grad for v in variables], variables)
    # As `fit` does in the end; it matters for `use_ema`.
    model.optimizer.finalize_variable_values(variables)
    return model


@contextlib.contextmanager
def process_group():
    from torch import distributed

    distributed.init_process_group("gloo")
    yield
    # A process that ends with its group's threads running is sometimes aborted,
    # and one whose peer has ended can wait for it forever.
    distributed.barrier()
    distributed.destroy_process_group()


SCOPES = {
    "one": contextlib.nullcontext,
    "mirrored": mirrored,
    "data_parallel": data_parallel,
    "model_parallel": model_parallel,
}


def save(model, path):
    weights = keras_cowclip.get_weights(model)
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not optimizer.lazy:  # On one device, it moves rows without any counts.
        weights += [
            keras.ops.convert_to_numpy(model.get_layer(name).id_counts.value)
            for name in ("table", "wide")
        ]
    weights.append(optimizer.clipped_share)
    np.savez(path, *weights)


def main():
    if KIND == "torch_ddp":
        group, train = process_group(), torch_ddp
    else:
        # TensorFlow's devices are those of the whole process.
        scope = SCOPES[KIND]
        group, train = contextlib.nullcontext(), lambda o: fit(scope(), o)
    first = not int(os.environ.get("RANK", 0))
    with group:
        for text in sys.argv[4:]:
            pairs = [pair.split("=") for pair in text.split(",") if pair]
            options = {name: json.loads(value) for name, value in pairs}
            try:
                model = train(options)
            except NotImplementedError:
                error = traceback.format_exc()
                Path(FOLDER, f"{text}.txt").write_text(error)
            else:
                if first:
                    save(model, Path(FOLDER, f"{text}.npz"))


if __name__ == "__main__":
    main()
