"""Vocabularies that are limited, hashed, reused or grown."""

import hashlib

import pyarrow.parquet
import pytest

from tests.zoo.encoding.logs import read_vocabulary
from zoo.encoding import ClickEncoder
from zoo.encoding import prepare


def rows(*tokens):
    return [("1", token, "b") for token in tokens]


FILL = ("0", "", "")  # of the rows that only make the log long enough


def test_max_vocabulary_keeps_the_most_frequent(make_lines, prepare_text):
    train = rows(*"cccbbaad")
    text = "\n".join(make_lines(train, other=FILL))
    folder, tables = prepare_text(text, max_vocabulary=2)
    assert read_vocabulary(folder, "a") == {
        "token": ["c", "a"],
        "id": [2, 3],
        "count": [3, 2],
    }
    ids = [row[0] for row in tables["train"]["ids"].to_pylist()]
    assert ids[:8] == [2, 2, 2, 1, 1, 3, 3, 1]


def test_buckets_are_the_published_hash(make_lines, prepare_text):
    tokens = ["x", "y", "日本", '"', "NULL", " ", "x" * 99]
    text = "\n".join(make_lines(rows(*tokens), other=FILL))
    folder, tables = prepare_text(text, num_buckets=1000)
    expected = [
        2 + int(hashlib.md5(token.encode()).hexdigest()[:15], 16) % 1000
        for token in tokens
    ]
    ids = tables["train"]["ids"].to_pylist()
    assert [row[0] for row in ids[: len(tokens)]] == expected
    assert all(row == [0, 0] for row in ids[len(tokens) :])
    assert not (folder / "encoder" / "vocabulary").exists()
    encoder = ClickEncoder.load(folder / "encoder")
    assert encoder.schema.vocabulary_sizes == [1002, 1002]
    encoded = encoder.encode([{"n": 1, "a": t, "b": None} for t in tokens])
    assert encoded["ids"].tolist() == [[id, 0] for id in expected]


def test_buckets_do_not_change_with_versions(make_lines, prepare_text):
    text = "\n".join(make_lines(rows("05db9164"), other=FILL))
    _, tables = prepare_text(text, num_buckets=10**6)
    assert tables["train"]["ids"][0].as_py()[0] == 85_008


@pytest.fixture
def days(tmp_path, tiny, make_lines, prepare_text):
    """Two days of a log; the folder of the first, encoded."""
    first = make_lines(rows(*"xxxyyz"), other=FILL)
    second = make_lines(rows(*"yzzzzwwvux"), other=FILL)
    folder, _ = prepare_text("\n".join(first), name="first")
    (tmp_path / "second.txt").write_text("\n".join(second))
    return folder, tmp_path / "second.txt"


def test_a_fitted_encoder_is_used_as_it_is(days, tmp_path):
    folder, second = days
    encoder = ClickEncoder.load(folder / "encoder")
    prepare(encoder, second, tmp_path / "reused", show_progress=False)
    assert read_vocabulary(tmp_path / "reused", "a") == read_vocabulary(
        folder, "a"
    )
    again = ClickEncoder.load(tmp_path / "reused" / "encoder")
    assert again.schema == encoder.schema
    assert again.dense_ranges == encoder.dense_ranges


@pytest.mark.parametrize(
    ("transform", "same"), [("minmax", False), ("log", True), ("none", True)]
)
def test_ranges_that_no_transform_reads_make_no_other_encoder(
    make_lines, prepare_text, transform, same
):
    """What is hashed has the same ids on every day."""
    encoders = []
    for name, largest in (("first", "5"), ("second", "70")):
        lines = make_lines([(largest, "x", "b")], other=FILL)
        folder, _ = prepare_text(
            "\n".join(lines), name=name, num_buckets=9,
            dense_transform=transform,
        )  # fmt: skip
        encoders.append(ClickEncoder.load(folder / "encoder"))
    first, second = encoders
    assert first.dense_ranges != second.dense_ranges
    assert second.extends(first) is same


def test_growth_keeps_old_ids(days, tmp_path):
    folder, second = days
    encoder = ClickEncoder.load(folder / "encoder")
    prepare(encoder, second, tmp_path / "grown", grow=True, show_progress=False)
    assert read_vocabulary(folder, "a") == {
        "token": ["x", "y", "z"],
        "id": [2, 3, 4],
        "count": [3, 2, 1],
    }
    assert read_vocabulary(tmp_path / "grown", "a") == {
        "token": ["x", "y", "z", "w", "u", "v"],
        "id": [2, 3, 4, 5, 6, 7],
        "count": [4, 3, 5, 2, 1, 1],
    }
    grown = ClickEncoder.load(tmp_path / "grown" / "encoder")
    assert grown.schema.vocabulary_sizes == [8, 3]
    old = [{"n": n, "a": a, "b": "b"} for n, a in ((1, "x"), (0, "z"))]
    assert (grown.encode(old)["ids"] == encoder.encode(old)["ids"]).all()
    assert (grown.encode(old)["dense"] == encoder.encode(old)["dense"]).all()


def test_growth_respects_the_limits(
    days, tmp_path, tiny, make_lines, prepare_text
):
    first = "\n".join(make_lines(rows(*"xxxyy"), other=FILL))
    _, second = days
    for options, expected in (
        ({"min_count": 2}, ["x", "y", "z", "w"]),
        ({"max_vocabulary": 3}, ["x", "y", "z"]),
        ({"max_vocabulary": 2}, ["x", "y"]),
    ):
        folder, _ = prepare_text(
            first, name="limited", overwrite=True, **options
        )
        encoder = ClickEncoder.load(folder / "encoder")
        output = tmp_path / "grown"
        prepare(
            encoder, second, output, grow=True, show_progress=False,
            overwrite=True,
        )  # fmt: skip
        assert read_vocabulary(output, "a")["token"] == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_vocabulary": 0}, "`max_vocabulary` must be a positive"),
        ({"num_buckets": 1.5}, "`num_buckets` must be a positive"),
        ({"num_buckets": 2**31}, "`num_buckets` must be at most"),
        ({"num_buckets": 9, "min_count": 2}, "no vocabulary to limit"),
        ({"num_buckets": 9, "max_vocabulary": 2}, "no vocabulary to limit"),
        ({"grow": True}, "`grow` needs the fitted encoder"),
        ({"fit_on": "test"}, "`fit_on` must be one of"),
        ({"engine": "pandas"}, "`engine` must be one of"),
    ],
)
def test_bad_option(tmp_path, tiny, options, message):
    with pytest.raises(ValueError, match=f"{message}.*Received: "):
        prepare(tiny, tmp_path / "none", tmp_path / "out", **options)


def test_a_fitted_encoder_brings_its_settings(days, tmp_path):
    folder, second = days
    encoder = ClickEncoder.load(folder / "encoder")
    with pytest.raises(ValueError, match="its own settings.*Received: "):
        prepare(encoder, second, tmp_path / "out", min_count=2)


def test_buckets_can_not_grow(days, tmp_path, tiny, prepare_text):
    _, second = days
    folder, _ = prepare_text(second.read_text(), name="b", num_buckets=9)
    encoder = ClickEncoder.load(folder / "encoder")
    with pytest.raises(ValueError, match="`grow` is for.*num_buckets=9"):
        prepare(encoder, second, tmp_path / "out", grow=True)


def test_a_vocabulary_edited_by_hand(days, tmp_path):
    folder, second = days
    path = folder / "encoder" / "vocabulary" / "a.parquet"
    table = pyarrow.parquet.read_table(path)
    tokens = table["token"].to_pylist()
    edited = table.set_column(0, "token", [tokens[::-1]])
    pyarrow.parquet.write_table(edited, path)
    encoder = ClickEncoder.load(folder / "encoder")
    for use in (
        lambda: encoder.encode([]),
        lambda: encoder.save(tmp_path / "copy"),
        lambda: prepare(encoder, second, tmp_path / "out"),
    ):
        with pytest.raises(
            ValueError, match="a.parquet: the vocabulary was ch"
        ):
            use()
    assert not (tmp_path / "out").exists()
