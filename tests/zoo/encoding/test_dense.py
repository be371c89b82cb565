"""Dense transforms, checked by hand."""

import math

import numpy as np
import pytest

from zoo.encoding import ClickEncoder

TRAIN = [(n, "a", "b") for n in ("-2", "", "3", "8", "0")]
ROWS = [{"n": n, "a": "a", "b": "b"} for n in (-2, None, 3, 8, 100, -(10**15))]


def fitted(make_lines, prepare_text, train, other, transform):
    lines = make_lines(train, other=(other, "a", "b"))
    folder, tables = prepare_text("\n".join(lines), dense_transform=transform)
    offline = np.array(tables["train"]["dense"].to_pylist())[: len(train), 0]
    return offline, ClickEncoder.load(folder / "encoder")


@pytest.mark.parametrize(
    ("transform", "offline", "online"),
    [
        # Training values -2 ... 8, so (x + 2) / 10, clipped.
        ("minmax", [0, 0.2, 0.5, 1, 0.2], [0, 0.2, 0.5, 1, 1, 0]),
        (
            "log",
            [-math.log(3), 0, math.log(4), math.log(9), 0],
            [
                -math.log(3),
                0,
                math.log(4),
                math.log(9),
                math.log(101),
                -math.log(10**15 + 1),
            ],
        ),
        ("none", [-2, 0, 3, 8, 0], [-2, 0, 3, 8, 100, -1e15]),
    ],
)
def test_transform(make_lines, prepare_text, transform, offline, online):
    # The filling rows lie inside the range of the others.
    written, encoder = fitted(make_lines, prepare_text, TRAIN, "1", transform)
    np.testing.assert_array_equal(written, np.float32(offline))
    encoded = encoder.encode(ROWS)["dense"]
    assert encoded.dtype == np.float32
    np.testing.assert_array_equal(encoded[:, 0], np.float32(online))


def test_missing_counts_as_zero_in_the_range(make_lines, prepare_text):
    train = [(n, "a", "b") for n in ("5", "", "10")]
    written, _ = fitted(make_lines, prepare_text, train, "7", "minmax")
    np.testing.assert_array_equal(written, np.float32([0.5, 0, 1]))


def test_constant_column_is_zero(make_lines, prepare_text):
    train = [("5", "a", "b")] * 3
    written, encoder = fitted(make_lines, prepare_text, train, "5", "minmax")
    assert not written.any()
    assert not encoder.encode(ROWS)["dense"].any()


def test_range_is_of_the_training_split(
    tiny, make_lines, prepare_text, split_of
):
    lines = make_lines([("0", "a", "b"), ("10", "a", "b")] * 20, "9ab")
    lines = [
        line
        if split_of(i) == "train"
        else line.replace("\t9\tu\ta\tb", "\t1000\tu\ta\tb")
        for i, line in enumerate(lines)
    ]
    _, tables = prepare_text("\n".join(lines))
    for split in ("validation", "test"):
        assert set(tables[split]["dense"].to_pylist()[0]) == {1.0}
    assert max(tables["train"]["dense"].to_pylist()) == [1.0]
    assert [0.0] in tables["train"]["dense"].to_pylist()
