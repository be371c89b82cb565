import pickle

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from zoo.encoding import token_index
from zoo.encoding import vocabulary_sql
from zoo.encoding.token_hash import TokenHash
from zoo.encoding.token_index import TokenIndex
from zoo.encoding.token_values import value_of

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
spelled = st.one_of(
    st.integers().map(str),
    st.floats(allow_nan=False).map(str),
    st.floats(allow_nan=False).map("{:.3f}".format),
    st.from_regex(r"[-+]?0*[0-9]{1,3}[.]?0*([eE][-+]?[0-9]{1,3})?\n?"),
    st.sampled_from(["true", "True", "FALSE", "inf", "nan", "1e999", "-0.0"]),
)
tokens = st.one_of(texts, spelled).filter(bool)


def ids_of(index, column, vocabulary, by_value=()):
    numbers = np.full(len(column), vocabulary)
    return index.ids(pa.array(column, pa.string()), numbers, by_value).tolist()


def test_tokens_have_the_ids_of_their_places():
    index = TokenIndex([pa.array(["b", "a"]), pa.array(["a"]), pa.array(["c"])])
    assert ids_of(index, ["a", "b", "c", None, ""], 0) == [3, 2, 1, 0, 1]
    assert ids_of(index, ["a", "b", "c", None, ""], 1) == [2, 1, 1, 0, 1]
    assert ids_of(index, [], 2) == []
    copied = pickle.loads(pickle.dumps(index))
    assert ids_of(copied, ["c", "7"], 2, by_value=[2]) == [2, 1]


def test_no_vocabulary_has_tokens():
    index = TokenIndex([pa.array([], pa.string())])
    assert ids_of(index, ["a", None], 0, by_value=[0]) == [1, 0]


@pytest.mark.parametrize("num_hashes", [1, 3])
def test_tokens_of_one_hash_are_told_apart(monkeypatch, num_hashes):
    def few(tokens, vocabularies):
        return np.array(pc.utf8_length(tokens)).astype("uint32") % num_hashes

    monkeypatch.setattr(token_index, "_hashes", few)
    words = ["w" * i for i in range(1, 21)]
    index = TokenIndex([pa.array(words), pa.array(words[::-1])])
    assert ids_of(index, [*words, "w" * 21], 0) == [*range(2, 22), 1]
    assert ids_of(index, [*words, "w" * 21], 1) == [*range(21, 1, -1), 1]


def test_chunks_and_slices_are_hashed_alike(monkeypatch):
    words = [f"{i}{'é' * (i % 40)}" for i in range(300)]
    column = pa.array(words, pa.large_string())
    whole = token_index._hashes(column, np.zeros(300))
    monkeypatch.setattr(token_index, "_HASHED_AT_A_TIME", 7)
    np.testing.assert_array_equal(
        token_index._hashes(column, np.zeros(300)), whole
    )
    np.testing.assert_array_equal(
        token_index._hashes(column[11:200], np.zeros(189)), whole[11:200]
    )
    assert len(set(whole.tolist())) == 300


@settings(max_examples=60, deadline=None)
@example(["-0", "+7", "007", "7.", "1e3", "1e16", "9007199254740993", "1e-7"])
@example(["7\n", "9" * 38, "0" * 38, ".5", "-.5e-3", "+1.5", "1e999", "TrUe"])
@given(st.lists(tokens, min_size=1))
def test_values_are_those_of_sql(words):
    rows = pa.table({"token": pa.array(words, pa.string())})
    with duckdb.connect() as connection:
        connection.register("words", rows)
        query = f"select {vocabulary_sql.value_of('token')} from words"
        expected = [value for (value,) in connection.execute(query).fetchall()]
    assert [value_of(word) for word in words] == expected


@settings(max_examples=40, deadline=None)
@given(
    st.lists(tokens, unique=True, max_size=30),
    st.lists(st.one_of(tokens, st.none())),
)
def test_ids_by_value_are_those_of_sql(vocabulary, words):
    words = [*words, *(f"0{token}" for token in vocabulary)]
    index = TokenIndex([pa.array(["other"]), pa.array(vocabulary, pa.string())])
    with duckdb.connect() as connection:
        connection.register(
            "vocabulary_1",
            pa.table(
                {
                    "token": pa.array(vocabulary, pa.string()),
                    "id": np.arange(len(vocabulary)) + 2,
                }
            ),
        )
        spelling = f"create table spelling_1 as {vocabulary_sql.spelling(1)}"
        connection.execute(spelling)
        column = pa.array(words, pa.string())
        connection.register(
            "words", pa.table({"n": np.arange(len(words)), "token": column})
        )
        value = vocabulary_sql.value_of("words.token")
        query = (
            "select coalesce(v.id, s.id, 1) from words "
            "left join vocabulary_1 as v on words.token = v.token "
            f"left join spelling_1 as s on {value} = s.value order by n"
        )
        expected = [id for (id,) in connection.execute(query).fetchall()]
    expected = [
        0 if w is None else i for w, i in zip(words, expected, strict=True)
    ]
    assert ids_of(index, words, 1, by_value=[1]) == expected


def test_hashed_ids_are_those_of_md5():
    column = pa.array(["7", None, "7.0", "7", "x"])
    numbers = np.array([0, 0, 1, 1, 1])
    # int(hashlib.md5(b"7.0").hexdigest()[:15], 16) % 10 + 2 = 8, and so on.
    hashed = TokenHash(10)
    assert hashed.ids(column, numbers).tolist() == [7, 0, 8, 7, 5]
    assert hashed.ids(column, numbers, by_value=[1]).tolist() == [7, 0, 7, 7, 5]
