"""Imports networks that FuxiCTR trained."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.checks import did_you_mean
from zoo.interop.fuxictr_features import FuxiCTRFeatures
from zoo.interop.fuxictr_perceptrons import FuxiCTRPerceptrons
from zoo.interop.settings import check_setting
from zoo.interop.sources import FUXICTR
from zoo.interop.state_dict import StateDict
from zoo.interop.weighted_model import make_network
from zoo.models.ctr_model import CTRModel

# The path of the tables in a `FeatureEmbedding`.
TABLES = "embedding_layer.embedding_layers"


def import_fuxictr(
    state: StateDict,
    features: Any,
    model: str | None,
    config: Mapping[str, Any],
) -> CTRModel:
    """Imports a model of FuxiCTR; see `zoo.import_checkpoint`."""
    name = config.get("model", model)
    if name not in FUXICTR or model not in (None, name):
        raise ValueError(
            "`model`, or `config['model']`, must name one of FuxiCTR's "
            f"networks that the zoo has, {sorted(FUXICTR)}. "
            f"{'' if name in FUXICTR else did_you_mean(name, FUXICTR)}"
            f"Received: model={model!r}, "
            f"config['model']={config.get('model')!r}"
        )
    _check_tasks(config)
    for setting in ("use_features", "feature_specs"):
        if config.get(setting):
            raise ValueError(
                f"`config['{setting}']` changes the feature map: put it into "
                "`features` and leave it out. Received: "
                f"config['{setting}']={config[setting]!r}"
            )
    state.drop_integers()
    original = FuxiCTR(state, FuxiCTRFeatures.read(features), config)
    cls = FUXICTR[name](original)
    if not cls.SEVERAL_LABELS and len(original.columns.labels) > 1:
        raise ValueError(
            f"`labels` of `features` must be one label, for `{name}` has one "
            f"output. Received: labels={list(original.columns.labels)}"
        )
    state.check_all_taken()
    return make_network(cls, original.arguments, original.weights)


def _check_tasks(config: Mapping[str, Any]) -> None:
    """A network of several labels has a list of tasks, one for each."""
    tasks = config.get("task")
    for task in tasks if isinstance(tasks, list | tuple) else [tasks]:
        check_setting(
            {} if task is None else {"task": task},
            "task",
            "binary_classification",
            "binary_classification",
        )


class FuxiCTR(FuxiCTRPerceptrons):
    """An original of FuxiCTR, see `Original`; `columns` in its order."""

    columns: FuxiCTRFeatures

    def __init__(self, state, columns, config):
        super().__init__(state, columns, config)
        if columns.dense:
            self.arguments["dense"] = "embed"
        if columns.order != columns.usual_order:
            self.arguments["field_order"] = tuple(columns.order)
        if columns.sequences:
            self.arguments["linear_pooling"] = "sum"

    @property
    def fields(self) -> int:
        """The number of fields, numeric ones and sequences included."""
        return len(self.columns.order)

    @property
    def width(self) -> int:
        """Length of all embeddings side by side."""
        return self.fields * self.arguments["embedding_dim"]

    def embeddings(
        self,
        prefix: str = "embedding_layer",
        name: str = "embeddings",
        dim: int | None = None,
        sized: bool = True,
        numeric: bool = True,
    ) -> int:
        """Takes a `FeatureEmbedding`, of numeric columns too.

        Args:
            prefix: string, what the original calls it; `""` for a
                `FeatureEmbeddingDict` that it calls `embedding_layer`.
            name: string, what the zoo calls the table. The first one,
                `"embeddings"`, sets `embedding_dim`.
            dim: integer, the length it must have. Defaults to `None`, any.
            sized: boolean, whether the setting `embedding_dim` is the length.
                Defaults to `True`.
            numeric: boolean, whether it has numeric columns. Defaults to
                `True`.

        Returns:
            The length of its vectors.
        """
        tables = f"{prefix}.{TABLES}".removeprefix(".")
        columns = self.columns
        first = next(iter(columns.categorical))
        shape = self.state.shape(f"{tables}.{first}.weight")
        dim = shape[-1] if dim is None else dim
        if name == "embeddings" and sized:
            self.arguments["embedding_dim"] = self.size("embedding_dim", dim)
        columns.check_embedding_dim(dim)
        vocabularies = columns.schema.vocabularies
        taken = {
            each: self.take(f"{tables}.{each}.weight", size, dim)
            for each, size in vocabularies.items()
        }
        self.put(f"{name}/embeddings", np.concatenate([*taken.values()]))
        self._take_shared(tables, taken)
        if columns.dense and numeric:
            vectors = [
                self.take(f"{tables}.{each}.weight", dim, 1)[:, 0]
                for each in columns.dense
            ]
            self.put(f"numeric_{name}/embeddings", np.stack(vectors))
        return dim

    def listed(self, name: str, columns: list[str] | None = None) -> list[str]:
        """Returns the columns that a setting lists, as the original joins them.

        Args:
            name: string, that of the setting, by default an empty list.
            columns: the names that it may have. Defaults to `None`, those of
                fields and numeric columns.

        Raises:
            ValueError: if it is no list of these.
        """
        listed, order = self.setting(name, []), self.columns.order
        if columns is None:
            columns = [c for c in order if c not in self.columns.sequences]
        if not isinstance(listed, list | tuple) or not all(
            each in columns for each in listed
        ):
            raise ValueError(
                f"`config['{name}']` must be a list of features among "
                f"{columns}. Received: config['{name}']={listed!r}"
            )
        return [each for each in order if each in listed]

    def selected(
        self, names: list[str], prefix: str, table: str, dim: int | None = None
    ) -> int:
        """Takes the embeddings of some columns; see `Features.selected`.

        Args:
            names: names of fields and numeric columns.
            prefix: string, the path of the tables in the original, in which
                `{}` is the name of a column.
            table: string, what the zoo calls the table.
            dim: integer, the length it must have. Defaults to `None`, any.

        Returns:
            The length of its vectors.
        """
        dim = self._dim(names[0], prefix) if dim is None else dim
        fields, numeric = [], []
        for each in names:
            weight = f"{prefix.format(each)}.weight"
            if each in self.columns.dense:
                numeric.append(self.take(weight, dim, 1)[:, 0])
            else:
                size = self.columns.categorical[each]
                fields.append(self.take(weight, size, dim))
        if fields:
            self.put(f"{table}/embeddings", np.concatenate(fields))
        if numeric:
            self.put(f"numeric_{table}/embeddings", np.stack(numeric))
        return dim

    def linear(
        self,
        prefix: str,
        bias: bool = True,
        tables: str = f"embedding_layer.{TABLES}",
    ) -> None:
        """Takes a `LogisticRegression`.

        Args:
            prefix: string, what the original calls it.
            bias: boolean, whether it has one. Defaults to `True`.
            tables: string, where it has its tables. A `FeatureEmbedding` of
                length 1 has them in `TABLES`.
        """
        tables, schema = f"{prefix}.{tables}", self.columns
        sizes = schema.schema.unshared_vocabularies
        self.put(
            "linear_embeddings/embeddings",
            np.concatenate(
                [
                    self.take(f"{tables}.{name}.weight", size, 1)
                    for name, size in sizes.items()
                ]
            ),
        )
        if schema.dense:
            weights = [
                self.take(f"{tables}.{name}.weight", 1, 1)[0]
                for name in schema.dense
            ]
            self.put("linear_dense/kernel", np.stack(weights))
        if bias:
            self.add_bias(f"{prefix}.bias")

    def _dim(self, name: str, prefix: str) -> int:
        shape = self.state.shape(f"{prefix.format(name)}.weight")
        return shape[0] if name in self.columns.dense else shape[1]

    def _take_shared(
        self, tables: str, taken: Mapping[str, np.ndarray]
    ) -> None:
        """Takes the copies of shared tables that the file has."""
        for name, sequence in self.columns.sequences.items():
            key = f"{tables}.{name}.weight"
            if sequence.field is None or not self.state.has(key):
                continue
            table = taken[sequence.field]
            if not np.array_equal(self.take(key, *table.shape), table):
                raise ValueError(
                    f"{self.state.path}: `{key}` must equal the table of "
                    f"'{sequence.field}', for '{name}' of `features` shares "
                    "it. Received: other values"
                )
