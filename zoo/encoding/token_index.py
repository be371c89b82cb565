"""Finds the ids of tokens in memory, without a database."""

import threading
from collections.abc import Collection
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zoo.encoding.sql import MISSING_ID
from zoo.encoding.sql import UNKNOWN_ID
from zoo.encoding.token_values import is_plain_value
from zoo.encoding.token_values import other_values
from zoo.encoding.token_values import value_of
from zoo.encoding.vocabulary_sql import FIRST_ID

# Tokens hashed at a time, which takes 24 bytes for each of their bytes.
_HASHED_AT_A_TIME = 1 << 16
_HASH_BASE = np.uint64(0x100000001B3)
_MIXER = np.uint64(0x9E3779B97F4A7C15)


class TokenIndex:
    """Finds the ids of tokens in several vocabularies.

    Holds the texts once, and 16 bytes more for each: a sorted array of 32-bit
    hashes of all vocabularies, and the places of their tokens. A lookup is a
    binary search, and compares the texts, so that two tokens of one hash are
    told apart.

    Args:
        vocabularies: the tokens of each, in the order of their ids.

    Example:

    ```python
    index = TokenIndex([pa.array(["b", "a"])])
    index.ids(pa.array(["a", "c", None]), np.zeros(3, "int32"))  # 3, 1, 0
    ```
    """

    def __init__(self, vocabularies: Iterable[pa.Array]):
        texts = [tokens.cast(pa.large_string()) for tokens in vocabularies]
        lengths = [len(tokens) for tokens in texts]
        self._bounds: np.ndarray = np.cumsum([0, *lengths])
        self._tokens = pa.concat_arrays([_no_tokens(), *texts])
        numbers: np.ndarray = np.repeat(
            np.arange(len(texts), dtype="int32"), lengths
        )
        hashes = _hashes(self._tokens, numbers)
        self._places = np.argsort(hashes).astype("int32")
        self._hashes = hashes[self._places]
        self._values: dict[int, dict[str, int]] = {}
        self._lock = threading.Lock()

    def __getstate__(self):
        state = self.__dict__.copy()
        # A lock can't be sent to another process.
        del state["_lock"]
        return state

    def __setstate__(self, state):
        self.__dict__.update(state, _lock=threading.Lock())

    @property
    def nbytes(self) -> int:
        """The bytes that the vocabularies take in memory."""
        arrays = (self._tokens, self._hashes, self._places)
        return sum(array.nbytes for array in arrays)

    def ids(
        self,
        tokens: pa.Array,
        vocabularies: np.ndarray,
        by_value: Collection[int] = (),
    ) -> np.ndarray:
        """Returns the id of each token, int32.

        Args:
            tokens: texts; null where one is missing.
            vocabularies: integers, the number of each token's vocabulary.
            by_value: numbers of the vocabularies in which an unknown token gets
                the id of one with its value, of several the most frequent's.
                Defaults to `()`.
        """
        tokens = tokens.cast(pa.large_string())
        ids: np.ndarray = np.full(len(tokens), UNKNOWN_ID, "int32")
        ids[tokens.is_null().to_numpy(zero_copy_only=False)] = MISSING_ID
        self._find(tokens, vocabularies, ids)
        for vocabulary in by_value:
            unknown = (ids == UNKNOWN_ID) & (vocabularies == vocabulary)
            places = np.flatnonzero(unknown)
            distinct = tokens.take(pa.array(places)).dictionary_encode()
            values = [value_of(x) for x in distinct.dictionary.to_pylist()]
            found = self._ids_of_values(values, vocabulary)
            ids[places] = found[distinct.indices.to_numpy()]
        return ids

    def _find(
        self, tokens: pa.Array, vocabularies: np.ndarray, ids: np.ndarray
    ) -> None:
        """Sets the ids of the tokens that are in their vocabularies."""
        left = np.flatnonzero(ids == UNKNOWN_ID)
        wanted = tokens.take(pa.array(left))
        hashes = _hashes(wanted, vocabularies[left])
        places = np.atleast_1d(np.searchsorted(self._hashes, hashes))
        while len(left):
            inside = places < len(self._hashes)
            inside[inside] = self._hashes[places[inside]] == hashes[inside]
            left, places, hashes = left[inside], places[inside], hashes[inside]
            wanted = wanted.filter(pa.array(inside))
            found = self._places[places]
            same = pc.equal(self._tokens.take(pa.array(found)), wanted)
            start = self._bounds[vocabularies[left]]
            end = self._bounds[vocabularies[left] + 1]
            is_it = same.to_numpy(zero_copy_only=False)
            is_it = is_it & (start <= found) & (found < end)
            ids[left[is_it]] = (found - start + FIRST_ID)[is_it]
            # Another token with this hash may be the one.
            left, places = left[~is_it], places[~is_it] + 1
            hashes, wanted = hashes[~is_it], wanted.filter(pa.array(~is_it))

    def tokens(self, vocabulary: int) -> pa.Array:
        """Returns the tokens of a vocabulary, in the order of their ids."""
        start, end = self._bounds[vocabulary : vocabulary + 2]
        return self._tokens.slice(start, end - start)

    def _ids_of_values(
        self, values: list[str | None], vocabulary: int
    ) -> np.ndarray:
        with self._lock:
            if vocabulary not in self._values:
                self._values[vocabulary] = _by_value(self.tokens(vocabulary))
        others = self._values[vocabulary]
        # A token that is its own value isn't among the others.
        plain = [v if v and is_plain_value(v) else None for v in values]
        ids = self.ids(
            pa.array(plain, pa.string()), np.full(len(plain), vocabulary)
        )
        for i, value in enumerate(values):
            candidates = (ids[i], others.get(value or "", UNKNOWN_ID))
            known = [id for id in candidates if id >= FIRST_ID]
            ids[i] = min(known, default=UNKNOWN_ID)
        return ids


def _by_value(tokens: pa.Array) -> dict[str, int]:
    """The smallest id of each value that tokens spell in another way."""
    ids: dict[str, int] = {}
    for place, value in other_values(tokens):
        ids.setdefault(value, place + FIRST_ID)
    return ids


def _no_tokens() -> pa.Array:
    return pa.array([], pa.large_string())


def _hashes(tokens: pa.Array, vocabularies: np.ndarray) -> np.ndarray:
    """A hash of 32 bits of each token and the number of its vocabulary."""
    hashes: np.ndarray = np.empty(len(tokens), "uint32")
    for start in range(0, len(tokens), _HASHED_AT_A_TIME):
        end = min(start + _HASHED_AT_A_TIME, len(tokens))
        sums = _sums(tokens.slice(start, end - start))
        sums += vocabularies[start:end].astype("uint64")
        mixed = (sums ^ (sums >> np.uint64(31))) * _MIXER
        hashes[start:end] = mixed >> np.uint64(32)
    return hashes


def _sums(tokens: pa.Array) -> np.ndarray:
    """Sums `byte * base ** place` of each token's bytes, modulo 2**64."""
    _, offsets_buffer, bytes_buffer = tokens.buffers()
    offsets = np.frombuffer(offsets_buffer, "int64")
    offsets = offsets[tokens.offset : tokens.offset + len(tokens) + 1]
    starts, lengths = offsets[:-1], np.diff(offsets)
    sums: np.ndarray = np.zeros(len(tokens), "uint64")
    filled = np.flatnonzero(lengths)
    if not len(filled):
        return sums
    first, end = offsets[0], offsets[-1]
    text = np.frombuffer(bytes_buffer, "uint8")[first:end].astype("uint64")
    bases = np.full(int(lengths.max()), _HASH_BASE)
    powers = np.multiply.accumulate(bases)
    places = np.arange(len(text)) - np.repeat(starts - first, lengths)
    text *= powers[places]
    # Empty texts would each get a byte of the next one.
    sums[filled] = np.add.reduceat(text, starts[filled] - first)
    return sums
