"""Encodes raw rows in memory, as the SQL of `zoo.encoding.sql` encodes logs."""

import threading
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zoo.encoding import vocabulary_file
from zoo.encoding.encoder_settings import EncoderSettings
from zoo.encoding.token_hash import TokenHash
from zoo.encoding.token_index import TokenIndex
from zoo.encoding.vocabularies import Vocabularies
from zoo.feature_schema import PADDING
from zoo.raw.columns import without_missing
from zoo.raw.list_values import as_lists
from zoo.raw.log_format import LARGEST_FLOAT
from zoo.raw.log_format import NUMBER_PATTERNS


class MemoryEncoding:
    """Encodes rows in memory with a fitted encoder.

    A request of one row takes a millisecond, where a database would take a
    hundred. Vocabularies are read by `load` or at the first call, and travel
    with a pickled copy. Several threads may encode at a time.

    Args:
        settings: `EncoderSettings`.
        dense_ranges: the smallest and largest value of each dense column.
        vocabularies: `Vocabularies`.
    """

    def __init__(
        self,
        settings: EncoderSettings,
        dense_ranges: Sequence[tuple[float, float]],
        vocabularies: Vocabularies,
    ):
        self._settings = settings
        self._dense_ranges = dense_ranges
        self._vocabularies = vocabularies
        self._tokens: TokenIndex | TokenHash | None = None
        self._lock = threading.Lock()

    def __getstate__(self):
        state = {**self.__dict__, "_tokens": self.load()}
        # A lock can't be sent to another process.
        del state["_lock"]
        return state

    def __setstate__(self, state):
        self.__dict__.update(state, _lock=threading.Lock())

    def load(self) -> TokenIndex | TokenHash:
        """Returns what finds the ids of tokens; reads the vocabularies once.

        Raises:
            FileNotFoundError: if a vocabulary is missing.
            ValueError: if a vocabulary has changed.
        """
        with self._lock:
            if self._tokens is None:
                num_buckets = self._settings.num_buckets
                if num_buckets is not None:
                    self._tokens = TokenHash(num_buckets)
                else:
                    paths = self._vocabularies.paths()
                    self._tokens = TokenIndex(
                        vocabulary_file.read_tokens(path) for path in paths
                    )
                    # Arrow would keep as much as it took to read the files.
                    pa.default_memory_pool().release_unused()
            return self._tokens

    def encode(
        self,
        raw: pa.Table,
        by_value: Collection[str],
        raise_bad_row: Callable[[int], None],
        joins_lists: bool = False,
    ) -> dict[str, np.ndarray]:
        """Encodes rows in their order.

        Args:
            raw: `raw` of `zoo.encoding.sql`.
            by_value: names of the columns that are looked up by value.
            raise_bad_row: is called with the number of the first row whose
                text breaks a rule, and raises.
            joins_lists: boolean. Whether a list is one text in `raw`.
        """
        numbers, is_bad = self._numbers(raw)
        lists = self._lists(raw, joins_lists)
        bad_rows = np.flatnonzero(is_bad | self._differ_in_length(lists))
        if len(bad_rows):
            raise_bad_row(raw["row_id"][int(bad_rows[0])].as_py())
        inputs = {
            "dense": self._transformed(numbers),
            "ids": self._field_ids(raw, by_value),
        }
        for name, tokens in lists.items():
            inputs[name] = self._list_ids(name, tokens, name in by_value)
        return inputs

    def _numbers(self, raw: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """The dense columns as float64, and the rows that are not numbers."""
        log_format = self._settings.log_format
        shape = (len(log_format.dense), raw.num_rows)
        if not log_format.dense:
            return np.empty(shape), np.zeros(raw.num_rows, bool)
        text = without_missing(
            _joined(raw, "dense", len(log_format.dense)),
            log_format.missing_in(log_format.dense[0]),
        )
        pattern = NUMBER_PATTERNS[log_format.dense_type]
        is_number = pc.match_substring_regex(text, pattern)
        text = pc.if_else(is_number, text, pa.scalar(None, text.type))
        values = text.cast(pa.float64())
        if log_format.dense_type == "float":
            is_small = pc.less(pc.abs(values), float(LARGEST_FLOAT))
            is_number = pc.and_(is_number, pc.fill_null(is_small, True))
        is_bad = pc.fill_null(pc.invert(is_number), False)
        return (
            values.fill_null(0).to_numpy().reshape(shape),
            is_bad.to_numpy(zero_copy_only=False).reshape(shape).any(axis=0),
        )

    def _transformed(self, numbers: np.ndarray) -> np.ndarray:
        """The inputs `dense`, `(rows, num_dense)` float32."""
        transform = self._settings.dense_transform
        if transform == "log":
            # Arrow's logarithm has the bits of DuckDB's, NumPy's has not.
            sizes = pc.ln(pa.array(1 + np.abs(numbers).ravel())).to_numpy()
            numbers = np.sign(numbers) * sizes.reshape(numbers.shape)
        elif transform == "minmax":
            low, high = np.reshape(self._dense_ranges, (-1, 2)).T[..., None]
            spread = high - low
            clipped = np.clip(numbers, low, high) - low
            numbers = np.where(spread, clipped / np.where(spread, spread, 1), 0)
        return np.ascontiguousarray(numbers.T, "float32")

    def _field_ids(
        self, raw: pa.Table, by_value: Collection[str]
    ) -> np.ndarray:
        """The inputs `ids`, `(rows, num_fields)` int32."""
        log_format = self._settings.log_format
        fields = list(log_format.categorical)
        tokens = without_missing(
            _joined(raw, "field", len(fields)), log_format.missing
        )
        # The number of a field is that of its vocabulary.
        chosen = [i for i, name in enumerate(fields) if name in by_value]
        numbers: np.ndarray = np.repeat(np.arange(len(fields)), raw.num_rows)
        ids = self.load().ids(tokens, numbers, chosen)
        ids = ids.reshape(len(fields), raw.num_rows)
        return np.ascontiguousarray(ids.T)

    def _lists(
        self, raw: pa.Table, joins_lists: bool
    ) -> dict[str, pa.ListArray]:
        """The tokens of each list, all of them."""
        log_format = self._settings.log_format
        lists = {}
        for i, (name, column) in enumerate(log_format.sequences.items()):
            values = raw[f"sequence_{i}"]
            if joins_lists:
                missing = log_format.missing_in(name)
                values = as_lists(values, column.separator, missing, "exact")
            elif isinstance(values, pa.ChunkedArray):
                values = values.combine_chunks()
            lists[name] = values
        return lists

    def _differ_in_length(self, lists: dict[str, pa.ListArray]) -> np.ndarray:
        """The rows in which lists differ in length that must not."""
        differ: np.ndarray = np.zeros((), bool)
        for name, column in self._settings.log_format.sequences.items():
            if column.parallel_to is not None:
                other = lists[column.parallel_to]
                differ = differ | (_lengths(lists[name]) != _lengths(other))
        return differ

    def _list_ids(
        self, name: str, lists: pa.ListArray, by_value: bool
    ) -> np.ndarray:
        """The ids of one list in each row, `(rows, max_length)` int32."""
        log_format = self._settings.log_format
        max_length = log_format.sequences[name].max_length
        tokens = without_missing(
            lists.flatten().cast(pa.large_string()), log_format.missing_in(name)
        )
        vocabulary = log_format.vocabularies.index(
            log_format.vocabulary_of(name)
        )
        numbers: np.ndarray = np.full(len(tokens), vocabulary)
        chosen = [vocabulary] if by_value else []
        found = self.load().ids(tokens, numbers, chosen)
        lengths = _lengths(lists)
        rows: np.ndarray = np.repeat(np.arange(len(lists)), lengths)
        # From the end of its row, for the most recent event is there.
        places = np.arange(len(tokens)) - np.repeat(np.cumsum(lengths), lengths)
        is_kept = places >= -max_length
        ids: np.ndarray = np.full((len(lists), max_length), PADDING, "int32")
        ids[rows[is_kept], places[is_kept]] = found[is_kept]
        return ids


def _joined(raw: pa.Table, kind: str, number: int) -> pa.Array:
    """The texts of the first column of a kind, then of the next, ..."""
    columns = (raw[f"{kind}_{i}"] for i in range(number))
    chunks = [
        chunk.cast(pa.large_string())
        for column in columns
        for chunk in (
            column.chunks if isinstance(column, pa.ChunkedArray) else [column]
        )
    ]
    return pa.concat_arrays([pa.array([], pa.large_string()), *chunks])


def _lengths(lists: pa.ListArray) -> np.ndarray:
    return pc.fill_null(pc.list_value_length(lists), 0).to_numpy(
        zero_copy_only=False
    )
