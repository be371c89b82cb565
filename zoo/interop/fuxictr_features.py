import json
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

from zoo.feature_schema import FeatureSchema
from zoo.sequence import Sequence

# Keys of a feature's description that change its embedding.
REFUSED = ("pretrained_emb", "feature_encoder", "share_embedding")
MEAN = "layers.MaskedAveragePooling()"


@dataclass(frozen=True)
class FuxiCTRFeatures:
    """The features of a FuxiCTR model in the order of its feature map.

    Attributes:
        categorical: dict from the names of fields to vocabulary sizes.
        dense: list of the names of numeric features.
        order: list of all of these names, as the original concatenates them.
        embedding_dims: dict from a name to the length of its embedding, where
            the feature map sets one.
        labels: tuple of strings.
        sequences: dict from names to `zoo.Sequence`.
        roles: dict from `"user"`, `"item"` and `"context"` to the fields whose
            `source` that is.
    """

    categorical: dict[str, int]
    dense: list[str]
    order: list[str]
    embedding_dims: dict[str, int]
    labels: tuple[str, ...]
    sequences: dict[str, Sequence] = field(default_factory=dict)
    roles: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, features: Any) -> "FuxiCTRFeatures":
        """Reads `feature_map.json`.

        Args:
            features: path of the file, or its content as a dict.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it is no feature map, or has features that the zoo
                does not have.
        """
        content, where = _content(features)
        specs = _specs(content, where)
        labels = content.get("labels", [])
        if not isinstance(labels, list | tuple) or not labels:
            raise ValueError(
                f"{where}: `labels` must be a list of names. "
                f"Received: {labels!r}"
            )
        for name, spec in specs.items():
            _check_spec(where, name, spec, specs)
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
            labels=tuple(labels),
            sequences={
                name: _sequence(name, spec, specs)
                for name, spec in specs.items()
                if spec["type"] == "sequence"
            },
            roles=_roles(specs),
        )

    @property
    def schema(self) -> FeatureSchema:
        return FeatureSchema(
            self.dense,
            self.categorical,
            labels=self.labels,
            sequences=self.sequences,
            roles=self.roles,
        )

    @property
    def usual_order(self) -> list[str]:
        """The order that the zoo's networks have without a `field_order`."""
        return [*self.dense, *self.categorical, *self.sequences]

    def check_embedding_dim(self, embedding_dim: int) -> None:
        """Raises a `ValueError` unless all fields have this length."""
        for name, dim in self.embedding_dims.items():
            if dim != embedding_dim:
                raise ValueError(
                    "`features` must have embeddings of one length, "
                    f"{embedding_dim}. Received: embedding_dim={dim} of "
                    f"'{name}'"
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


def _check_spec(
    where: str, name: str, spec: Mapping[str, Any], specs: Mapping[str, Any]
) -> None:
    kinds = ("categorical", "numeric", "sequence", "meta")
    if spec["type"] not in kinds:
        raise ValueError(
            f"{where}: `type` of '{name}' must be one of {kinds}, "
            f"for the zoo has no other. Received: type={spec['type']!r}"
        )
    is_sequence = spec["type"] == "sequence"
    for key in REFUSED:
        if spec.get(key) and not (is_sequence and key != "pretrained_emb"):
            raise ValueError(
                f"{where}: '{name}' must have a table of its own and nothing "
                f"behind it. Received: {key}={spec[key]!r}"
            )
    if is_sequence:
        _check_sequence(where, name, spec, specs)
    if spec["type"] in ("categorical", "sequence") and "vocab_size" not in spec:
        raise ValueError(
            f"{where}: '{name}' must have a `vocab_size`. "
            f"Received: {dict(spec)}"
        )


def _check_sequence(
    where: str, name: str, spec: Mapping[str, Any], specs: Mapping[str, Any]
) -> None:
    encoder = spec.get("feature_encoder") or MEAN
    if encoder != MEAN:
        raise ValueError(
            f"{where}: `feature_encoder` of '{name}' must be {MEAN!r}, the "
            "mean, for the zoo has no other. "
            f"Received: feature_encoder={encoder!r}"
        )
    if "max_len" not in spec:
        raise ValueError(
            f"{where}: '{name}' must have a `max_len`. Received: {dict(spec)}"
        )
    shared = spec.get("share_embedding")
    if shared and specs.get(shared, {}).get("type") != "categorical":
        raise ValueError(
            f"{where}: `share_embedding` of '{name}' must be a categorical "
            f"feature. Received: share_embedding={shared!r}"
        )


def _sequence(
    name: str, spec: Mapping[str, Any], specs: Mapping[str, Any]
) -> Sequence:
    shared, names = spec.get("share_embedding"), list(specs)
    # FuxiCTR shares the table only of a feature that comes before.
    if shared and names.index(shared) > names.index(name):
        shared = None
    return Sequence(
        field=shared or None,
        vocabulary_size=None if shared else spec["vocab_size"],
        max_length=spec["max_len"],
    )


def _roles(specs: Mapping[str, Any]) -> dict[str, list[str]]:
    roles: dict[str, list[str]] = {}
    for name, spec in specs.items():
        source = spec.get("source")
        if source in ("user", "item", "context") and spec["type"] != "meta":
            roles.setdefault(source, []).append(name)
    return roles
