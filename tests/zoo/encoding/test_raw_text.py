"""The raw text is taken as it is: nothing dropped, padded or interpreted."""

import numpy as np
import pytest

from tests.zoo.encoding.logs import read_vocabulary
from zoo.raw import text_log


@pytest.fixture
def text_of(make_lines, prepare_text):
    """Returns the vocabulary that the token of one training row makes."""

    def text_of(token, end="\n", last=True, prefix=b""):
        lines = make_lines([("1", token, "b")], other=("1", "", "b"))
        data = end.join(lines) + (end if last else "")
        folder, tables = prepare_text(prefix + data.encode())
        assert sum(t.num_rows for t in tables.values()) == len(lines)
        return read_vocabulary(folder, "a")["token"]

    return text_of


@pytest.mark.parametrize(
    "token",
    [
        '"',
        '"quoted"',
        'in"side',
        '"open',
        "'single'",
        "back\\slash",
        "\\N",
        "NULL",
        "nan",
        "NA",
        "#",
        " leading",
        "trailing ",
        " ",
        "a,b;c|d",
        "日本語é",
        "\u2028",
        "\x00",
        "0x10",
        "007",
        "1.0",
    ],
)
def test_token_is_kept(text_of, token):
    assert text_of(token) == [token]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends(text_of, end, last):
    assert text_of("x", end=end, last=last) == ["x"]


def test_mixed_line_ends(make_lines, prepare_text):
    lines = make_lines([(str(i), f"a{i}", "b") for i in range(9)])
    _, expected = prepare_text("\n".join(lines), name="expected")
    ends = ["\n", "\r\n", "\r\n", "\n", "\n"]
    mixed = "".join(line + ends[i % len(ends)] for i, line in enumerate(lines))
    _, tables = prepare_text(mixed, name="mixed")
    assert tables == expected


def test_byte_order_mark_is_no_text(text_of):
    assert text_of("x", prefix=b"\xef\xbb\xbf") == ["x"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [7, 30, 64])
def test_blocks_change_nothing(
    make_lines, prepare_text, monkeypatch, size, end
):
    train = [(str(i), f"é{i % 7}", "b") for i in range(9)]
    text = end.join(make_lines(train))
    _, whole = prepare_text(text, name="whole")
    monkeypatch.setattr(text_log, "BLOCK_BYTES", size)
    _, blocks = prepare_text(text, name="blocks")
    assert blocks == whole


def test_byte_order_mark_at_a_block_is_text(
    make_lines, prepare_text, monkeypatch
):
    # Arrow would drop it at the start of what it parses.
    lines = make_lines([("1", "x", "b")] * 40)
    lines[20] = "\ufeff" + lines[20]
    monkeypatch.setattr(
        text_log, "BLOCK_BYTES", len("\n".join(lines[:20]).encode()) + 1
    )
    with pytest.raises(ValueError, match="line 21: the label"):
        prepare_text("\n".join(lines))


def test_integers(make_lines, prepare_text):
    train = [
        (n, "a", "b") for n in ("-0", "007", "-5", "9" * 18, "-" + "9" * 18)
    ]
    _, tables = prepare_text(
        "\n".join(make_lines(train)), dense_transform="none"
    )
    values = [row[0] for row in tables["train"]["dense"].to_pylist()]
    assert values[:5] == [0, 7, -5, np.float32(1e18), np.float32(-1e18)]
