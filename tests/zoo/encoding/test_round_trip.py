"""Random logs: encode offline, decode, encode in memory: all the same."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from tests.zoo.encoding.logs import read_split
from tests.zoo.encoding.logs import tokens_by_id
from zoo.encoding import ClickEncoder
from zoo.encoding import LogFormat
from zoo.encoding import prepare

RANDOM = LogFormat(
    name="random",
    columns=("click", "n", "a", "b"),
    label="click",
    dense=("n",),
    categorical=("a", "b"),
)

# Any text that is one value on one line.
tokens = st.text(
    st.characters(codec="utf-8", exclude_characters="\t\r\n"), max_size=5
)
numbers = st.one_of(
    st.just(""), st.integers(-(10**18) + 1, 10**18 - 1).map(str)
)
rows = st.tuples(numbers, tokens, tokens | st.sampled_from(["x", "y"]))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    rows=st.lists(rows, min_size=2, max_size=30),
    transform=st.sampled_from(["minmax", "log", "none"]),
    min_count=st.integers(1, 3),
)
def test_round_trip(rows, transform, min_count):
    # The label starts the file, so a byte order mark in a value is text.
    text = "\n".join(
        "\t".join((str(i % 2), *row)) for i, row in enumerate(rows)
    )
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "raw", Path(folder) / "out"
        source.write_bytes(text.encode())
        prepare(
            RANDOM,
            source,
            output,
            test_fraction=0,
            validation_fraction=0,
            dense_transform=transform,
            min_count=min_count,
            show_progress=False,
        )
        table = read_split(output, "train")
        offline = np.array(table["ids"].to_pylist())
        assert len(offline) == len(rows)
        encoder = ClickEncoder.load(output / "encoder")
        in_memory = encoder.encode(
            [{"n": n, "a": a, "b": b} for n, a, b in rows]
        )
        np.testing.assert_array_equal(in_memory["ids"], offline)
        dense = np.array(table["dense"].to_pylist(), "float32")
        np.testing.assert_array_equal(in_memory["dense"], dense)
        for field, name in enumerate("ab"):
            decode = tokens_by_id(output, name)
            raw = [row[1 + field] for row in rows]
            for id, token in zip(offline[:, field], raw, strict=True):
                if id == 0:
                    assert token == ""
                elif id == 1:
                    assert 0 < raw.count(token) < min_count
                else:
                    assert decode[id] == token
