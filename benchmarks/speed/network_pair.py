"""Times a network of the zoo and its original in FuxiCTR; prints JSON.

    KERAS_BACKEND=torch python benchmarks/speed/network_pair.py afm \\
        --fuxictr FuxiCTR

The zoo's network is imported from the original, so that both have the same
weights and settings. They take turns: forward, loss and backward of a batch. No
optimizer is part of it.
"""

import argparse
import importlib
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import zoo  # Before Keras, see `zoo.keep_freed_memory`.

# isort: split
import keras
import torch
from data import click_batch
from data import vocabulary_sizes
from fuxictr.features import FeatureMap
from network_pair_settings import DIM
from network_pair_settings import FOLDERS
from network_pair_settings import SETTINGS

from zoo.interop.weighted_model import named_weights
from zoo.runtime.environment import describe_environment


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=SETTINGS)
    parser.add_argument(
        "--fuxictr", type=Path, required=True, help="folder of its repository"
    )
    parser.add_argument("--batch-size", type=int, default=8192)
    parser.add_argument("--num-ids", type=int, default=1_000_000)
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--window-seconds", type=float, default=1.5)
    arguments = parser.parse_args()
    zoo.keep_freed_memory()
    keras.utils.set_random_seed(0)
    sizes = vocabulary_sizes(arguments.num_ids)
    batch = click_batch(sizes, arguments.batch_size)
    features = describe(sizes, batch[0].shape[1])
    name, settings = SETTINGS[arguments.network]
    settings = {"embedding_dim": DIM, **settings}
    original = make_original(arguments.fuxictr, name, features, settings)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "original.model"
        torch.save(original.state_dict(), path)
        ours = zoo.import_checkpoint(path, "fuxictr", features, name, settings)
    contestants = {
        "original": step_of_original(original, features, batch),
        "ours": step_of_ours(ours, batch),
    }
    print(
        json.dumps(
            {
                **describe_environment(),
                "network": arguments.network,
                "parameters": sum(
                    int(variable.value.numel())
                    for variable in named_weights(ours).values()
                ),
                "step_ms": take_turns(contestants, arguments),
            }
        )
    )


def describe(sizes: list[int], num_dense: int) -> dict[str, Any]:
    """FuxiCTR's feature map: numbers first, as in Criteo's."""
    roles = ("user", "item", "context")
    features = [
        {f"I{i}": {"type": "numeric", "source": roles[i % 3]}}
        for i in range(num_dense)
    ]
    for i, size in enumerate(sizes):
        spec = {"type": "categorical", "vocab_size": int(size)}
        features.append({f"C{i}": {**spec, "source": roles[i % 3]}})
    return {"labels": ["click"], "features": features}


def make_original(
    repository: Path,
    name: str,
    features: dict[str, Any],
    settings: dict[str, Any],
) -> Any:
    feature_map = FeatureMap("clicks", "")
    for each in features["features"]:
        feature_map.features.update(each)
    feature_map.labels = ["click"]
    feature_map.num_fields = feature_map.get_num_fields()
    feature_map.default_emb_dim = settings["embedding_dim"]
    feature_map.set_column_index()
    return original_class(repository, name)(
        feature_map,
        model_root=tempfile.gettempdir(),
        metrics=["AUC"],
        verbose=0,
        optimizer="adam",
        loss="binary_crossentropy",
        task="binary_classification",
        **settings,
    )


def original_class(repository: Path, name: str) -> Any:
    """A network of FuxiCTR's repository; each has a package `src`."""
    place = str(repository / "model_zoo" / FOLDERS.get(name, name))
    for module in [n for n in sys.modules if n.split(".")[0] == "src"]:
        del sys.modules[module]
    sys.path.insert(0, place)
    try:
        return getattr(importlib.import_module("src"), name)
    finally:
        sys.path.remove(place)


def step_of_original(original: Any, features: dict, batch: Any) -> Any:
    dense, ids, labels = (torch.from_numpy(array) for array in batch)
    inputs = {}
    for each in features["features"]:
        for name in each:
            values = dense if name.startswith("I") else ids
            inputs[name] = values[:, int(name[1:])].contiguous()
    inputs["click"] = labels.float()
    labels = labels.float().reshape(-1, 1)
    original.train()

    def step():
        original.zero_grad()
        original.add_loss(original.forward(inputs), labels).backward()

    return step


def step_of_ours(model: Any, batch: Any) -> Any:
    dense, ids, labels = (torch.from_numpy(array) for array in batch)
    inputs = {"dense": dense, "ids": ids}
    labels = labels.float().reshape(-1, 1)

    def step():
        model.zero_grad()
        probabilities = model(inputs, training=True)
        if isinstance(probabilities, dict):
            # The original's extra losses are not in its step either.
            probabilities = probabilities["probabilities"]
        loss = keras.ops.binary_crossentropy(labels, probabilities)
        keras.ops.mean(loss).backward()

    return step


def take_turns(
    contestants: dict[str, Any], arguments: argparse.Namespace
) -> dict[str, list[float]]:
    """Milliseconds of a step of each, in windows one after the other."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    steps = {}
    for name, step in contestants.items():
        step()
        seconds = timed(step, 2)
        steps[name] = max(2, round(arguments.window_seconds / seconds))
    for _ in range(arguments.windows):
        for name, step in contestants.items():
            times[name].append(1e3 * timed(step, steps[name]))
    return times


def timed(step: Any, steps: int) -> float:
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - start) / steps


if __name__ == "__main__":
    main()
