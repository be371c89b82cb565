"""Measures training steps of one network in this process; prints JSON.

    KERAS_BACKEND=jax python benchmarks/speed/cell.py --batch-size 8192

`run.py` calls it for each cell of its table. The contestants take turns, a
window of `fit` each, so that a drift of the machine's speed meets all alike.
The same network and batches train with

* `cowclip`: `CowClipEmbedding` and `CowClip`,
* `lazy`: the same with `lazy=True`,
* `adam`: `keras.layers.Embedding` and `keras.optimizers.Adam`.
"""

import argparse
import json
import time
from unittest import mock

import zoo  # Before Keras, see `zoo.keep_freed_memory`.

# isort: split
import keras
import numpy as np
from data import click_batch
from data import vocabulary_sizes
from limits import measure_limits

from keras_cowclip import CowClip
from zoo.data.split import Split
from zoo.datasets.criteo_shape import NUM_DENSE
from zoo.feature_schema import FeatureSchema
from zoo.registry import NETWORKS
from zoo.runtime.accelerator import peak_memory
from zoo.runtime.environment import describe_environment

OPTIMIZERS = {
    "cowclip": CowClip,
    "lazy": lambda: CowClip(lazy=True),
    "adam": keras.optimizers.Adam,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=NETWORKS, default="deepfm")
    parser.add_argument("--batch-size", type=int, default=8192)
    parser.add_argument("--num-ids", type=int, default=1_000_000)
    parser.add_argument("--embedding-dim", type=int, default=10)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--jit-compile", action="store_true")
    parser.add_argument(
        "--optimizers", nargs="+", choices=OPTIMIZERS, default=list(OPTIMIZERS)
    )
    parser.add_argument(
        "--default-allocator",
        action="store_true",
        help="leave out `zoo.keep_freed_memory()`",
    )
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--window-seconds", type=float, default=1.5)
    arguments = parser.parse_args()
    if not arguments.default_allocator:
        zoo.keep_freed_memory()
    keras.utils.set_random_seed(0)
    contestants = [Contestant(name, arguments) for name in arguments.optimizers]
    for _ in range(arguments.windows):
        for contestant in contestants:
            contestant.run_window()
    print(
        json.dumps(
            {
                **describe_environment(),
                "limits": measure_limits(
                    contestants[0].network, arguments.batch_size
                ),
                "peak_mib": peak_memory() / 2**20,
                "parameters": contestants[0].result.parameters,
                "contestants": [vars(c.result) for c in contestants],
            }
        )
    )


class Contestant:
    """One network that trains with one optimizer."""

    def __init__(self, optimizer: str, arguments: argparse.Namespace):
        self.result = argparse.Namespace(name=optimizer, step_ms=[])
        self.batch_size = arguments.batch_size
        self.network = build(optimizer, arguments)
        self.result.parameters = sum(
            int(np.prod(variable.shape))
            for variable in self.network.weights
            if not getattr(variable, "overwrite_with_gradient", False)
        )
        sizes = vocabulary_sizes(arguments.num_ids)
        self.batch = click_batch(sizes, self.batch_size)
        start = time.perf_counter()
        self._fit(steps=1)
        self.result.first_step_seconds = time.perf_counter() - start
        # The first of the two may still compile.
        step_seconds = min(self._fit(steps=1), self._fit(steps=1))
        self.steps = max(1, round(arguments.window_seconds / step_seconds))

    def run_window(self) -> None:
        seconds = self._fit(self.steps)
        self.result.step_ms.append(1e3 * seconds / self.steps)

    def _fit(self, steps: int) -> float:
        dense, ids, labels = (
            np.resize(array, (steps * self.batch_size, *array.shape[1:]))
            for array in self.batch
        )
        split = Split({"dense": dense, "ids": ids}, labels)
        batches = zoo.ClickBatches(split, self.batch_size).to_keras()
        start = time.perf_counter()
        self.network.fit(batches, shuffle=False, verbose=0)
        return time.perf_counter() - start


def build(optimizer: str, arguments: argparse.Namespace) -> keras.Model:
    fields = {
        f"C{i}": size
        for i, size in enumerate(vocabulary_sizes(arguments.num_ids))
    }
    roles = {
        role: [*fields][i::3]
        for i, role in enumerate(("user", "item", "context"))
    }
    schema = FeatureSchema(
        [f"I{i}" for i in range(NUM_DENSE)], fields, roles=roles
    )
    model = NETWORKS[arguments.model]
    make = dict(
        embedding_dim=arguments.embedding_dim, dtype=arguments.precision
    )
    if optimizer == "adam":
        with mock.patch(
            "zoo.models.batch_features.CowClipEmbedding", plain_embedding
        ):
            network = model(schema, **make)
    else:
        network = model(schema, **make)
    network.compile(
        OPTIMIZERS[optimizer](),
        loss="binary_crossentropy",
        jit_compile=True if arguments.jit_compile else "auto",
    )
    return network


def plain_embedding(*arguments, clip=True, **kwargs):
    return keras.layers.Embedding(*arguments, **kwargs)


if __name__ == "__main__":
    main()
