import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.feature_schema import FeatureSchema

# Keys of a feature's description that would change its embedding.
REFUSED = ("pretrained_emb", "feature_encoder", "share_embedding")


@dataclass(frozen=True)
class FuxiCTRFeatures:
    """The features of a FuxiCTR model in the order of its feature map.

    Attributes:
        categorical: dict from the names of fields to vocabulary sizes.
        dense: list of the names of numeric features.
        order: list of all of these names, as the original concatenates them.
        embedding_dims: dict from a name to the length of its embedding, where
            the feature map sets one.
        label: string.
    """

    categorical: dict[str, int]
    dense: list[str]
    order: list[str]
    embedding_dims: dict[str, int]
    label: str

    @classmethod
    def read(cls, features: Any) -> "FuxiCTRFeatures":
        """Reads `feature_map.json`.

        Args:
            features: path of the file, or its content as a dict.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is no feature map, or has features that the zoo
                has not.
        """
        content, where = _content(features)
        specs = _specs(content, where)
        labels = content.get("labels", [])
        if len(labels) != 1:
            raise ValueError(
                f"{where}: `labels` must be one label. Received: {labels!r}"
            )
        for name, spec in specs.items():
            _check_spec(where, name, spec)
        kinds = {name: spec["type"] for name, spec in specs.items()}
        return cls(
            categorical={
                name: spec["vocab_size"]
                for name, spec in specs.items()
                if spec["type"] == "categorical"
            },
            dense=[name for name in kinds if kinds[name] == "numeric"],
            order=[name for name in kinds if kinds[name] != "meta"],
            embedding_dims={
                name: spec["embedding_dim"]
                for name, spec in specs.items()
                if "embedding_dim" in spec and spec["type"] != "meta"
            },
            label=labels[0],
        )

    @property
    def schema(self) -> FeatureSchema:
        return FeatureSchema(self.dense, self.categorical, self.label)

    def check_embedding_dim(self, embedding_dim: int) -> None:
        """Raises a `ValueError` unless all fields have this length."""
        for name, dim in self.embedding_dims.items():
            if dim != embedding_dim:
                raise ValueError(
                    "`features` must have embeddings of one length, "
                    f"{embedding_dim}. Received: embedding_dim={dim} of "
                    f"'{name}'"
                )

    def check_no_numeric(self, network: str) -> None:
        """Raises a `ValueError` if there are numeric features."""
        if self.dense:
            raise ValueError(
                f"`features` of a FuxiCTR {network} must be categorical: it "
                "embeds numeric ones as fields that interact, the zoo takes "
                f"them as they are. Received: the numeric {self.dense}"
            )

    def fold(self, rows: np.ndarray, numeric: np.ndarray) -> np.ndarray:
        """Rearranges a kernel on the original's embeddings for the zoo's.

        FuxiCTR embeds a number `x` as `x * w`, so `(x * w) @ rows` is
        `x * (w @ rows)`: one row of the zoo's kernel on the number itself.

        Args:
            rows: `(features * embedding_dim, units)`, in FuxiCTR's order.
            numeric: `(num_dense, embedding_dim)`, the vectors `w`.

        Returns:
            `(num_fields * embedding_dim + num_dense, units)`.
        """
        units = rows.shape[1]
        blocks = rows.reshape(len(self.order), -1, units)
        fields = blocks[[self.order.index(name) for name in self.categorical]]
        dense = blocks[[self.order.index(name) for name in self.dense]]
        folded = np.einsum(
            "fd,fdu->fu", numeric.astype("float64"), dense.astype("float64")
        )
        return np.concatenate(
            [fields.reshape(-1, units), folded.astype("float32")]
        )


def _content(features: Any) -> tuple[Mapping[str, Any], str]:
    if isinstance(features, Mapping):
        return features, "`features`"
    path = Path(features)
    if not path.is_file():
        raise FileNotFoundError(
            "`features` must be the path of FuxiCTR's feature_map.json, or its "
            f"content. Received: features={str(features)!r}"
        )
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path}: must be JSON. Received: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(
            f"{path}: must hold a JSON object. Received: {content!r:.100}"
        )
    return content, str(path)


def _specs(content: Mapping[str, Any], where: str) -> dict[str, Any]:
    features = content.get("features")
    if not isinstance(features, list) or not all(
        isinstance(entry, Mapping)
        and all(isinstance(s, Mapping) and "type" in s for s in entry.values())
        for entry in features
    ):
        raise ValueError(
            f"{where}: `features` must be a list of features with their "
            "`type`, as FuxiCTR 2 writes it. "
            f"Received: features={features!r:.200}"
        )
    pairs = [pair for entry in features for pair in entry.items()]
    specs = dict(pairs)
    if len(specs) != len(pairs):
        raise ValueError(
            f"{where}: the names of `features` must differ from each other. "
            f"Received: {[name for name, _ in pairs]}"
        )
    return specs


def _check_spec(where: str, name: str, spec: Mapping[str, Any]) -> None:
    if spec["type"] not in ("categorical", "numeric", "meta"):
        raise ValueError(
            f"{where}: `type` of '{name}' must be 'categorical' or 'numeric', "
            f"for the zoo has no other. Received: type={spec['type']!r}"
        )
    for key in REFUSED:
        if spec.get(key):
            raise ValueError(
                f"{where}: '{name}' must have a table of its own and nothing "
                f"behind it. Received: {key}={spec[key]!r}"
            )
    if spec["type"] == "categorical" and "vocab_size" not in spec:
        raise ValueError(
            f"{where}: '{name}' must have a `vocab_size`. "
            f"Received: {dict(spec)}"
        )
