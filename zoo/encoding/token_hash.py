import hashlib
from collections.abc import Collection

import numpy as np
import pyarrow as pa

from zoo.encoding.sql import HASH_DIGITS
from zoo.encoding.sql import MISSING_ID
from zoo.encoding.token_values import value_of
from zoo.encoding.vocabulary_sql import FIRST_ID


class TokenHash:
    """Hashes tokens to ids in memory; is called as a `TokenIndex` is.

    Args:
        num_buckets: integer.
    """

    def __init__(self, num_buckets: int):
        self._num_buckets = num_buckets

    def ids(
        self,
        tokens: pa.Array,
        vocabularies: np.ndarray,
        by_value: Collection[int] = (),
    ) -> np.ndarray:
        """Returns the id of each token, int32.

        Args:
            tokens, vocabularies: as `TokenIndex.ids` takes them.
            by_value: numbers of the vocabularies in which `7.0` gets the id
                of `7`. Defaults to `()`.
        """
        encoded = tokens.dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        places = encoded.indices.fill_null(-1).to_numpy() + 1
        ids = self._hashed(distinct)[places]
        chosen = np.isin(vocabularies, list(by_value))
        if chosen.any():
            values = [value_of(token) or token for token in distinct]
            ids[chosen] = self._hashed(values)[places[chosen]]
        return ids

    def _hashed(self, tokens: list[str]) -> np.ndarray:
        """The ids of a missing token and then of these."""
        ids = (FIRST_ID + _hash(token) % self._num_buckets for token in tokens)
        return np.array([MISSING_ID, *ids], "int32")


def _hash(token: str) -> int:
    digest = hashlib.md5(token.encode(), usedforsecurity=False).hexdigest()
    return int(digest[:HASH_DIGITS], 16)
