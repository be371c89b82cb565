from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from typing import Any

from zoo.feature_schema import FeatureSchema
from zoo.sequence import Sequence


@dataclass(frozen=True)
class DeepCTRTorchColumns:
    """The feature columns of a DeepCTR-Torch model.

    Attributes:
        categorical: dict from the names of fields to vocabulary sizes.
        dense: list of names, a wide column's once for each of its numbers.
        embedding_dim: integer.
        sequences: dict from names to `zoo.Sequence`.
    """

    categorical: dict[str, int]
    dense: list[str]
    embedding_dim: int
    sequences: dict[str, Sequence] = field(default_factory=dict)

    @classmethod
    def read(cls, features: Any) -> "DeepCTRTorchColumns":
        """Reads columns of ids, lists and numbers by their attributes.

        Raises:
            ValueError: if there is any other column, two have one name, or
                one asks for what the zoo does not have.
        """
        columns = _checked(features)
        sparse = [c for c in columns if _is_sparse(c)]
        if not sparse:
            raise ValueError(
                "`features` must have a `SparseFeat`, for the zoo's networks "
                f"need a field of ids. Received: features={columns!r}"
            )
        names = [column.name for column in sparse]
        lists = [c for c in columns if hasattr(c, "maxlen")]
        for column in sparse:
            _check_sparse(column, sparse[0].embedding_dim, [column.name])
        for column in lists:
            tables = [column.name, *names]
            _check_sparse(column, sparse[0].embedding_dim, tables)
            _check_list(column)
        dense = []
        for column in columns:
            if not _is_sparse(column) and column not in lists:
                dense += _numbers(column)
        return cls(
            {column.name: column.vocabulary_size for column in sparse},
            dense,
            sparse[0].embedding_dim,
            {column.name: _sequence(column) for column in lists},
        )

    @property
    def schema(self) -> FeatureSchema:
        return FeatureSchema(
            self.dense, self.categorical, sequences=self.sequences
        )


def _checked(features: Any) -> list[Any]:
    columns = list(features) if isinstance(features, Iterable) else []
    if not columns or isinstance(features, str | dict):
        raise ValueError(
            "`features` must be the list of DeepCTR-Torch's feature columns. "
            f"Received: features={features!r}"
        )
    for column in columns:
        if not hasattr(column, "name") or not (
            hasattr(column, "vocabulary_size") or hasattr(column, "dimension")
        ):
            raise ValueError(
                "`features` must be `SparseFeat`, `VarLenSparseFeat` and "
                f"`DenseFeat` columns. Received: {column!r}"
            )
    names = [column.name for column in columns]
    if len(set(names)) != len(names):
        raise ValueError(
            "The names of `features` must differ from each other. "
            f"Received: {names}"
        )
    return columns


def _is_sparse(column: Any) -> bool:
    # A `VarLenSparseFeat` has the attributes of a `SparseFeat` too.
    return hasattr(column, "vocabulary_size") and not hasattr(column, "maxlen")


def _check_sparse(column: Any, embedding_dim: int, tables: list[str]) -> None:
    if column.embedding_dim != embedding_dim:
        raise ValueError(
            f"`features` must have embeddings of one length, {embedding_dim} "
            f"as the first has. Received: {column!r}"
        )
    if getattr(column, "embedding_name", column.name) not in tables:
        raise ValueError(
            f"'{column.name}' of `features` must have a table of its own, or a "
            "list that of a field. "
            f"Received: embedding_name={column.embedding_name!r}"
        )


def _check_list(column: Any) -> None:
    combiner = getattr(column, "combiner", "mean")
    if combiner != "mean":
        raise ValueError(
            f"`combiner` of '{column.name}' must be 'mean': the zoo has no "
            f"other. Received: combiner={combiner!r}"
        )


def _sequence(column: Any) -> Sequence:
    table = getattr(column, "embedding_name", column.name)
    shared = table if table != column.name else None
    return Sequence(
        field=shared,
        vocabulary_size=None if shared else column.vocabulary_size,
        max_length=column.maxlen,
    )


def _numbers(column: Any) -> list[str]:
    if column.dimension == 1:
        return [column.name]
    return [f"{column.name}_{i}" for i in range(column.dimension)]
