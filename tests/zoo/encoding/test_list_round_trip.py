"""Random logs with lists: encode offline, decode, encode in memory, all same.

Spark is compared in `test_spark.py`.
"""

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from tests.zoo.encoding.logs import read_split
from tests.zoo.encoding.logs import tokens_by_id
from zoo import ListColumn
from zoo.encoding import ClickEncoder
from zoo.encoding import LogFormat
from zoo.encoding import open_raw_log
from zoo.encoding import prepare

LENGTH = 4
RANDOM = LogFormat(
    name="random",
    columns=("click", "a", "b", "c"),
    label="click",
    categorical=("a",),
    sequences={
        "b": ListColumn("a", max_length=LENGTH),
        "c": ListColumn(max_length=LENGTH, separator=" "),
    },
)

# Any text that is one token of one line.
tokens = st.text(
    st.characters(codec="utf-8", exclude_characters="\t\r\n| "), max_size=3
) | st.sampled_from(["x", "y", ""])
lists = st.lists(tokens, max_size=7)
rows = st.tuples(tokens, lists, lists)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    rows=st.lists(rows, min_size=2, max_size=20),
    min_count=st.integers(1, 3),
    is_text=st.booleans(),
)
def test_round_trip(rows, min_count, is_text):
    if is_text:
        # As text, a list of one empty token is an empty list.
        rows = [
            (a, *([] if x == [""] else x for x in (b, c))) for a, b, c in rows
        ]
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "raw", Path(folder) / "out"
        write(source, rows, is_text)
        prepare(
            RANDOM,
            source,
            output,
            test_fraction=0,
            validation_fraction=0,
            min_count=min_count,
            show_progress=False,
        )
        table = read_split(output, "train")
        encoder = ClickEncoder.load(output / "encoder")
        given_rows = [{"a": a, "b": b, "c": c} for a, b, c in rows]
        check_same(encoder.encode(given_rows), table)
        opened = open_raw_log(source, RANDOM.unlabeled())
        ((from_file, _),) = encoder.encode_source(opened)
        check_same(from_file, table)
        for i, (name, shared) in enumerate((("b", "a"), ("c", "c"))):
            decode = tokens_by_id(output, shared)
            counted = [
                t for row in rows for t in row["abc".index(name)][-LENGTH:]
            ]
            if shared == "a":
                counted += [row[0] for row in rows]
            for row, ids in zip(rows, table[f"sequence_{i}"], strict=True):
                raw = row["abc".index(name)][-LENGTH:]
                for id, token in zip(ids.as_py(), raw, strict=True):
                    if id == 0:
                        assert token == ""
                    elif id == 1:
                        assert 0 < counted.count(token) < min_count
                    else:
                        assert decode[id] == token


def write(path, rows, is_text):
    if is_text:
        lines = [
            "\t".join((str(i % 2), a, "|".join(b), " ".join(c)))
            for i, (a, b, c) in enumerate(rows)
        ]
        path.write_bytes(("\n".join(lines) + "\n").encode())
        return
    a, b, c = zip(*rows, strict=True)
    kind = pa.list_(pa.string())
    table = pa.table(
        {
            "click": [i % 2 for i in range(len(rows))],
            "a": pa.array(a, pa.string()),
            "b": pa.array(b, kind),
            "c": pa.array(c, kind),
        }
    )
    pa.parquet.write_table(table, path)


def check_same(inputs, table):
    assert inputs["ids"].tolist() == table["ids"].to_pylist()
    for i, name in enumerate(RANDOM.sequences):
        padded = [
            [-1] * (LENGTH - len(ids)) + ids
            for ids in table[f"sequence_{i}"].to_pylist()
        ]
        assert inputs[name].tolist() == padded
