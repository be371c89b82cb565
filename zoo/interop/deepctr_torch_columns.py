from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from zoo.feature_schema import FeatureSchema


@dataclass(frozen=True)
class DeepCTRTorchColumns:
    """The feature columns of a DeepCTR-Torch model.

    Attributes:
        categorical: dict from the names of fields to vocabulary sizes.
        dense: list of names, a wide column's once for each of its numbers.
        embedding_dim: integer.
    """

    categorical: dict[str, int]
    dense: list[str]
    embedding_dim: int

    @classmethod
    def read(cls, features: Any) -> "DeepCTRTorchColumns":
        """Reads `SparseFeat` and `DenseFeat` columns by their attributes.

        Raises:
            ValueError: if there is any other column, two have one name, or
                the zoo has not what one asks for.
        """
        columns = _checked(features)
        sparse = [c for c in columns if hasattr(c, "vocabulary_size")]
        if not sparse:
            raise ValueError(
                "`features` must have a `SparseFeat`, for the zoo's networks "
                f"need a field of ids. Received: features={columns!r}"
            )
        for column in sparse:
            _check_sparse(column, sparse[0].embedding_dim)
        dense = []
        for column in columns:
            if not hasattr(column, "vocabulary_size"):
                dense += _numbers(column)
        return cls(
            {column.name: column.vocabulary_size for column in sparse},
            dense,
            sparse[0].embedding_dim,
        )

    @property
    def schema(self) -> FeatureSchema:
        return FeatureSchema(self.dense, self.categorical)

    @property
    def width(self) -> int:
        """Length of all embeddings and dense columns together."""
        return len(self.categorical) * self.embedding_dim + len(self.dense)


def _checked(features: Any) -> list[Any]:
    columns = list(features) if isinstance(features, Iterable) else []
    if not columns or isinstance(features, str | dict):
        raise ValueError(
            "`features` must be the list of DeepCTR-Torch's feature columns. "
            f"Received: features={features!r}"
        )
    for column in columns:
        # A `VarLenSparseFeat` has the attributes of a `SparseFeat` too.
        if hasattr(column, "maxlen") or not (
            hasattr(column, "name")
            and (
                hasattr(column, "vocabulary_size")
                or hasattr(column, "dimension")
            )
        ):
            raise ValueError(
                "`features` must be `SparseFeat` and `DenseFeat` columns, for "
                f"the zoo has no sequences. Received: {column!r}"
            )
    names = [column.name for column in columns]
    if len(set(names)) != len(names):
        raise ValueError(
            "The names of `features` must differ from each other. "
            f"Received: {names}"
        )
    return columns


def _check_sparse(column: Any, embedding_dim: int) -> None:
    if column.embedding_dim != embedding_dim:
        raise ValueError(
            f"`features` must have embeddings of one length, {embedding_dim} "
            f"as the first has. Received: {column!r}"
        )
    if getattr(column, "embedding_name", column.name) != column.name:
        raise ValueError(
            f"'{column.name}' of `features` must have a table of its own. "
            f"Received: embedding_name={column.embedding_name!r}"
        )


def _numbers(column: Any) -> list[str]:
    if column.dimension == 1:
        return [column.name]
    return [f"{column.name}_{i}" for i in range(column.dimension)]
