"""Ids, checked by hand."""

import pytest

from tests.zoo.encoding.logs import read_vocabulary

TRAIN = [
    ("1", "x", "p"),
    ("2", "z", "p"),
    ("3", "y", "p"),
    ("4", "x", ""),
    ("5", "y", "q"),
    ("6", "z", "q"),
    ("7", "x", "q"),
    ("8", "", "p"),
    ("9", "w", "p"),
]
FILL = ("0", "", "")  # of the rows that only make the log long enough


def train_ids(tables):
    return tables["train"]["ids"].to_pylist()[: len(TRAIN)]


def test_ids_by_falling_count_ties_by_token(make_lines, prepare_text):
    text = "\n".join(make_lines(TRAIN, other=FILL)) + "\n"
    folder, tables = prepare_text(text)
    # a: x 3 times, y and z twice, w once; b: p 5 times, q 3 times.
    assert train_ids(tables) == [
        [2, 2],
        [4, 2],
        [3, 2],
        [2, 0],
        [3, 3],
        [4, 3],
        [2, 3],
        [0, 2],
        [5, 2],
    ]
    assert read_vocabulary(folder, "a") == {
        "token": ["x", "y", "z", "w"],
        "id": [2, 3, 4, 5],
        "count": [3, 2, 2, 1],
    }
    assert read_vocabulary(folder, "b")["count"] == [5, 3]


@pytest.mark.parametrize(
    ("min_count", "expected"),
    [
        (1, [2, 4, 3, 2, 3, 4, 2, 0, 5]),
        (2, [2, 4, 3, 2, 3, 4, 2, 0, 1]),
        (3, [2, 1, 1, 2, 1, 1, 2, 0, 1]),
        (4, [1, 1, 1, 1, 1, 1, 1, 0, 1]),
    ],
)
def test_min_count(make_lines, prepare_text, min_count, expected):
    text = "\n".join(make_lines(TRAIN, other=FILL)) + "\n"
    _, tables = prepare_text(text, min_count=min_count)
    assert [a for a, _ in train_ids(tables)] == expected


def test_ties_go_by_bytes(make_lines, prepare_text):
    tokens = ["é", "a", "B", "10", "9", "日", " a", '"a"']
    lines = make_lines([("1", t, "b") for t in tokens], other=FILL)
    folder, _ = prepare_text("\n".join(lines))
    by_bytes = sorted(tokens, key=str.encode)
    assert read_vocabulary(folder, "a")["token"] == by_bytes
    assert by_bytes == [" a", '"a"', "10", "9", "B", "a", "é", "日"]


def test_vocabulary_is_of_the_training_split(make_lines, prepare_text):
    lines = make_lines(TRAIN * 3, other=("0", "unseen", "p"))
    # The same tokens in every other row must change no count.
    folder, tables = prepare_text("\n".join(lines))
    assert "unseen" not in read_vocabulary(folder, "a")["token"]
    assert read_vocabulary(folder, "a")["count"] == [9, 6, 6, 3]
    for split in ("validation", "test"):
        assert set(map(tuple, tables[split]["ids"].to_pylist())) == {(1, 2)}


def test_a_field_without_tokens_has_two_ids(make_lines, prepare_text):
    lines = make_lines([("1", "", "b")], other=("1", "", "b"))
    folder, tables = prepare_text("\n".join(lines))
    assert {a for a, _ in tables["test"]["ids"].to_pylist()} == {0}
    assert read_vocabulary(folder, "a")["token"] == []
