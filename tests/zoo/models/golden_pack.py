"""Reads golden numbers: what originals computed from given weights.

`<source>/<network>/<variant>.npz` with a `.json` beside it; the arrays are
described in `golden/README.md`.
"""

import functools
import importlib
import json
import zipfile
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from tests.zoo.models.golden_by_hand import import_by_hand
from zoo.interop.checkpoint_import import SOURCES
from zoo.interop.state_dict import StateDict

OWN = Path(__file__).parent / "golden"
# Mappings of sources that the zoo does not import, a file for each topic.
for _path in sorted(Path(__file__).parent.glob("golden_by_hand_*.py")):
    importlib.import_module(f"tests.zoo.models.{_path.stem}")
# LongCTR's mask of the events of a history.
HISTORY = "inputs/mask"
MEAN = "layers.MaskedAveragePooling()"
NAMES = {
    "FuxiCTR": "fuxictr",
    # Made of FuxiCTR's parts.
    "DCNv3": "fuxictr",
    "DeepCTR-Torch": "deepctr_torch",
}
# Settings that only the recording of the numbers knows.
NOT_SETTINGS = {"FuxiCTR": (), "DCNv3": (), "DeepCTR-Torch": ("embedding_dim",)}

Variant = namedtuple("Variant", "source network variant path")


@functools.cache
def variants(folder):
    """All variants below a folder, and the project's own, by their names."""
    found = {}
    for root in (OWN, folder):
        for path in sorted(root.glob("*/*/*.npz")):
            source, network = path.parts[-3:-1]
            variant = Variant(source, network, path.stem, path)
            found["/".join(variant[:3])] = variant
    return found


class Golden:
    """One variant.

    Args:
        variant: `Variant`.
    """

    def __init__(self, variant):
        self.variant = variant
        self.about = json.loads(variant.path.with_suffix(".json").read_text())
        self.arrays = dict(np.load(variant.path))

    @staticmethod
    def has_training_loss(variant):
        """Whether the original trains on more than the cross-entropy."""
        with zipfile.ZipFile(variant.path) as arrays:
            return "training_loss.npy" in arrays.namelist()

    def __getitem__(self, name):
        return self.arrays[name]

    def __contains__(self, name):
        return name in self.arrays

    def by_label(self, name):
        """An array of the outputs, `(batch, labels)`."""
        array = self.arrays[name].astype("float32")
        return array.reshape(len(array), -1)

    def group(self, prefix):
        """Arrays by what follows `prefix/` in their names."""
        start = f"{prefix}/"
        return {
            name.removeprefix(start): array
            for name, array in self.arrays.items()
            if name.startswith(start)
        }

    def import_weights(self):
        """The zoo's network with the weights of the original."""
        return self._import({**self.group("weights"), **self._constants()})

    def import_gradients(self, group="gradients"):
        """The zoo's network with the gradients in the place of weights.

        An import only moves and turns weights, so it does so with gradients.
        """
        gradients = self.group(group)
        tensors = {
            name: gradients.get(name, np.zeros_like(weight))
            for name, weight in self.group("weights").items()
        }
        return self._import({**tensors, **self._constants()})

    def inputs(self, schema):
        """The rows, as the zoo's network takes them."""
        rows = _with_histories(self.group("inputs"))
        count = len(self["labels"])
        none = np.zeros((count, 0))
        dense = [rows[name].reshape(count, 1) for name in schema.dense]
        ids = [rows[name].reshape(count, 1) for name in schema.categorical]
        return {
            "dense": np.concatenate([none, *dense], 1).astype("float32"),
            "ids": np.concatenate(ids, 1).astype("int32"),
            # The originals pad with 0.
            **{
                name: np.where(rows[name] == 0, -1, rows[name]).astype("int32")
                for name in schema.sequences
            },
        }

    def _constants(self):
        return {
            name: array.astype("int64")
            for name, array in self.group("constants").items()
        }

    def _import(self, tensors):
        aliases = self.about["weights"].get("aliases", {})
        for alias, name in aliases.items():
            tensors[alias] = tensors[name]
        state = StateDict(self.variant.path, tensors)
        source = NAMES.get(self.variant.source)
        if source is None:
            return import_by_hand(
                "/".join(self.variant[:2]),
                state,
                self.about,
            )
        config = {
            name: value
            for name, value in self.about["hyperparameters"].items()
            if name not in NOT_SETTINGS[self.variant.source]
        }
        if HISTORY in self:
            config.setdefault("max_len", self[HISTORY].shape[1])
        features = getattr(self, f"_{source}_features")()
        return SOURCES[source](state, features, self.variant.network, config)

    def _fuxictr_features(self):
        features = []
        for each in self.about["features"]:
            spec = {"type": each["type"], "source": each.get("group", "")}
            if each["type"] != "numeric":
                spec["vocab_size"] = each["vocabulary_size"]
            if each["type"] == "sequence":
                spec["max_len"] = each["length"]
                spec["share_embedding"] = each.get("shares_embedding_of")
                spec["feature_encoder"] = MEAN
            features.append({each["name"]: spec})
        return {"labels": self.about["labels"], "features": features}

    def _deepctr_torch_features(self):
        dim = self.about["hyperparameters"]["embedding_dim"]
        columns = []
        for each in self.about["features"]:
            column = {"name": each["name"], "embedding_dim": dim}
            if each["type"] == "numeric":
                column = {"name": each["name"], "dimension": 1}
            else:
                column["vocabulary_size"] = each["vocabulary_size"]
                shared = each.get("shares_embedding_of") or each["name"]
                column["embedding_name"] = shared
            if each["type"] == "sequence":
                column["maxlen"] = each["length"]
            columns.append(SimpleNamespace(**column))
        return columns


def _with_histories(rows):
    """LongCTR's columns of items as `zoo.interop.long_histories` reads them.

    These have the events of the history, and last the item that is offered.
    """
    if "mask" not in rows:
        return rows
    length = rows["mask"].shape[1]
    items = [
        name
        for name, array in rows.items()
        if array.ndim == 2 and array.shape[1] == length + 1
    ]
    return {
        **rows,
        **{name: rows[name][:, -1] for name in items},
        **{f"{name}_history": rows[name][:, :-1] for name in items},
    }
