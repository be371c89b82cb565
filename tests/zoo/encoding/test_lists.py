"""Columns with lists: split, cut, counted with the field that they share."""

import json
from dataclasses import replace

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from tests.zoo.encoding.logs import read_split
from tests.zoo.encoding.logs import read_vocabulary
from zoo import ListColumn
from zoo import Sequence
from zoo.cli.app import app
from zoo.encoding import ClickEncoder
from zoo.encoding import LogFormat
from zoo.encoding import open_raw_log
from zoo.encoding import prepare

SHOP = LogFormat(
    name="shop",
    columns=("click", "item", "history", "tags"),
    label="click",
    categorical=("item",),
    delimiter=",",
    sequences={
        "history": ListColumn("item", max_length=3),
        "tags": ListColumn(max_length=2, separator=" "),
    },
    missing=("NULL",),
)
TRAIN = [
    ("1", "a", ["a", "b", "c", "b"], ["t", "u", "v"]),
    ("0", "b", [], ["u"]),
    ("1", "", ["", "NULL", "c"], []),
    ("0", "c", ["b"], ["t", ""]),
]
TEST = [
    ("1", "d", ["d", "a", "b"], ["x"]),
    ("0", "a", ["", ""], ["u", "u"]),
]


def as_text(rows):
    return "\n".join(
        ",".join((click, item, "|".join(history), " ".join(tags)))
        for click, item, history, tags in rows
    )


def as_table(rows):
    click, item, history, tags = zip(*rows, strict=True)
    return pa.table(
        {
            "click": pa.array(list(map(int, click))),
            "item": list(item),
            "history": list(history),
            "tags": list(tags),
        }
    )


def as_texts(rows):
    """A table whose lists are texts."""
    table = as_table(rows)
    for i, separator in ((2, "|"), (3, " ")):
        texts = [separator.join(x) for x in table[i].to_pylist()]
        table = table.set_column(i, table.column_names[i], pa.array(texts))
    return table


@pytest.fixture
def encode(tmp_path):
    """Encodes training rows and test rows of a kind; returns the folder."""

    def encode(
        kind="text", name="out", log=SHOP, rows=(TRAIN, TEST), **options
    ):
        source = {}
        for split, some in zip(("train", "test"), rows, strict=True):
            path = tmp_path / f"{name}_{split}"
            if kind == "text":
                path.write_text(as_text(some))
                source[split] = path
            elif kind.startswith("parquet"):
                table = as_texts if kind == "parquet of texts" else as_table
                pa.parquet.write_table(table(some), path)
                source[split] = path
            elif kind == "datasets":
                columns = as_table(some).to_pydict()
                source[split] = datasets.Dataset.from_dict(columns)
            elif kind == "stream":
                columns = as_table(some).to_pydict()
                data = datasets.Dataset.from_dict(columns)
                source[split] = data.to_iterable_dataset()
            else:
                source[split] = pd.DataFrame(as_table(some).to_pydict())
        folder = tmp_path / name
        prepare(log, source, folder, show_progress=False, **options)
        return folder

    return encode


def test_by_hand(encode):
    folder = encode()
    # `a` of the longest history is cut off, and then occurs once.
    assert read_vocabulary(folder, "item") == {
        "token": ["b", "c", "a"],
        "id": [2, 3, 4],
        "count": [4, 3, 1],
    }
    assert read_vocabulary(folder, "tags") == {
        "token": ["u", "t", "v"],
        "id": [2, 3, 4],
        "count": [2, 1, 1],
    }
    assert not (folder / "encoder" / "vocabulary" / "history.parquet").exists()
    train, test = (read_split(folder, split) for split in ("train", "test"))
    assert train.column_names == ["label", "ids", "sequence_0", "sequence_1"]
    assert train["ids"].to_pylist() == [[4], [2], [0], [3]]
    assert train["sequence_0"].to_pylist() == [[2, 3, 2], [], [0, 0, 3], [2]]
    assert train["sequence_1"].to_pylist() == [[2, 4], [2], [], [3, 0]]
    assert test["sequence_0"].to_pylist() == [[1, 4, 2], [0, 0]]
    assert test["sequence_1"].to_pylist() == [[1], [2, 2]]
    schema = ClickEncoder.load(folder / "encoder").schema
    assert schema.categorical == {"item": 5}
    assert schema.sequences == {
        "history": Sequence("item", max_length=3),
        "tags": Sequence(vocabulary_size=5, max_length=2),
    }


def test_summary(encode):
    folder = encode()
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["missing"] == pytest.approx(
        {"item": 1 / 6, "history": 1 / 6, "tags": 1 / 6}
    )
    assert summary["mean_length"] == {"history": 12 / 6, "tags": 8 / 6}
    # b, c, a, missing; u, v, t, missing.
    assert summary["splits"]["train"]["distinct_ids"] == 8
    # unknown, a, b, missing; unknown, u.
    assert summary["splits"]["test"]["distinct_ids"] == 6
    assert summary["num_ids"] == 10


@pytest.mark.parametrize(
    "kind", ["parquet", "parquet of texts", "datasets", "stream", "pandas"]
)
def test_sources_give_the_same_ids(encode, kind):
    expected, received = encode("text", "first"), encode(kind, "second")
    for split in ("train", "test"):
        assert read_split(received, split).equals(read_split(expected, split))
    for name in ("item", "tags"):
        assert read_vocabulary(received, name) == read_vocabulary(
            expected, name
        )


def test_missing_lists_are_empty(encode, tmp_path):
    table = as_table(TRAIN)
    empty = [None, ["b"], None, []]
    table = table.set_column(2, "history", pa.array(empty))
    prepare(
        SHOP, {"train": table}, tmp_path / "out", show_progress=False
    )  # fmt: skip
    ids = read_split(tmp_path / "out", "train")["sequence_0"].to_pylist()
    assert ids == [[], [2], [], []]


def test_text_of_a_missing_value_is_no_event(encode):
    rows = [(c, i, h and ["NULL"], t) for c, i, h, t in TRAIN]
    folder = encode(rows=(rows, TEST))
    ids = read_split(folder, "train")["sequence_0"].to_pylist()
    assert ids == [[], [], [], []]
    folder = encode("parquet", "lists", rows=(rows, TEST))
    ids = read_split(folder, "train")["sequence_0"].to_pylist()
    assert ids == [[0], [], [0], [0]]


def test_separator_in_a_token_of_a_list(encode):
    rows = [(c, i, ["x|y", i], t) for c, i, _, t in TRAIN]
    folder = encode("parquet", rows=(rows, TEST))
    assert "x|y" in read_vocabulary(folder, "item")["token"]
    ids = read_split(folder, "train")["sequence_0"].to_pylist()
    assert [len(row) for row in ids] == [2, 2, 2, 2]
    encoder = ClickEncoder.load(folder / "encoder")
    row = {"item": "", "history": ["x|y"], "tags": None}
    assert encoder.encode([row])["history"].tolist() == [[-1, -1, ids[0][0]]]
    row["history"] = "x|y"
    assert encoder.encode([row])["history"].tolist() == [[-1, 1, 1]]


@pytest.mark.parametrize("kind", ["text", "parquet", "pandas"])
def test_10_000_tokens_in_a_row(encode, kind):
    many = [f"m{i}" for i in range(10_000)]
    rows = [*TRAIN, ("1", "a", many, []), ("0", "a", [*many, "b"], many)]
    folder = encode(kind, rows=(rows, TEST))
    item = read_vocabulary(folder, "item")
    ids = dict(zip(item["token"], item["id"], strict=True))
    assert len(ids) == 3 + 3
    train = read_split(folder, "train")
    last = [ids["m9998"], ids["m9999"], ids["b"]]
    assert train["sequence_0"].to_pylist()[-1] == last
    encoder = ClickEncoder.load(folder / "encoder")
    row = {"item": "a", "history": [*many, "b"], "tags": many}
    assert encoder.encode([row])["history"].tolist() == [last]


def test_many_pieces_give_the_same_rows(tmp_path, monkeypatch):
    random = np.random.default_rng(0)

    def tokens(rows, most):
        lengths = random.integers(0, most, rows)
        return [list(map(str, random.zipf(1.5, n))) for n in lengths]

    rows = [
        (str(i % 2), str(i % 7), history, tags)
        for i, (history, tags) in enumerate(
            zip(tokens(500, 9), tokens(500, 5), strict=True)
        )
    ]
    path = tmp_path / "raw"
    path.write_text(as_text(rows))
    expected = prepare(SHOP, path, tmp_path / "whole", show_progress=False)
    monkeypatch.setattr("zoo.raw.text_log.BLOCK_BYTES", 1000)
    monkeypatch.setattr("zoo.encoding.duckdb_lists._IDS_PER_LOOKUP", 100)
    monkeypatch.setattr("zoo.encoding.duckdb_lists._TOKENS_PER_GROUP", 70)
    for module in ("row_files", "duckdb_engine", "duckdb_lists"):
        monkeypatch.setattr(f"zoo.encoding.{module}.ROWS_PER_BATCH", 64)
    summary = prepare(SHOP, path, tmp_path / "pieces", show_progress=False)
    assert summary == expected
    encoder = ClickEncoder.load(tmp_path / "pieces" / "encoder")
    sources = encoder.encode_source(open_raw_log(path, SHOP.unlabeled()))
    encoded = [inputs["history"] for inputs, _ in sources]
    assert len(encoded) > 3
    lists = [row[row >= 0].tolist() for row in np.concatenate(encoded)]
    for split in summary["splits"]:
        whole, pieces = (
            read_split(tmp_path / name, split) for name in ("whole", "pieces")
        )
        assert pieces.equals(whole)
        for row in whole["sequence_0"].to_pylist():
            lists.remove(row)
    assert not lists


def test_min_count_and_max_vocabulary_count_all_together(encode):
    folder = encode(min_count=3)
    assert read_vocabulary(folder, "item")["token"] == ["b", "c"]
    assert read_vocabulary(folder, "tags")["token"] == []
    folder = encode(name="short", max_vocabulary=1)
    assert read_vocabulary(folder, "item")["token"] == ["b"]
    ids = read_split(folder, "train")["sequence_0"].to_pylist()
    assert ids == [[2, 1, 2], [], [0, 0, 1], [2]]


def test_fit_on_all_rows(encode):
    folder = encode(fit_on="all")
    assert read_vocabulary(folder, "item")["token"] == ["b", "a", "c", "d"]


def test_buckets_are_those_of_the_field(encode):
    folder = encode(num_buckets=50)
    encoder = ClickEncoder.load(folder / "encoder")
    assert encoder.schema.vocabularies == {"item": 52, "tags": 52}
    rows = read_split(folder, "train")
    assert rows["sequence_0"][3].as_py() == rows["ids"][1].as_py()
    assert not (folder / "encoder" / "vocabulary").exists()
    row = {"item": "b", "history": ["b", None], "tags": []}
    (id,) = rows["ids"][1].as_py()
    assert encoder.encode([row])["history"].tolist() == [[-1, id, 0]]


def test_grown_vocabulary_keeps_ids(encode):
    first = encode()
    encoder = ClickEncoder.load(first / "encoder")
    rows = [(c, i, [*h, "new", "a"], ["new"]) for c, i, h, _ in TRAIN]
    folder = encode(name="grown", log=encoder, rows=(rows, TEST), grow=True)
    item = read_vocabulary(folder, "item")
    assert item["token"] == ["b", "c", "a", "new"]
    assert item["id"] == [2, 3, 4, 5]
    # In the four lists, and once in the field; before, once.
    assert item["count"] == [4 + 3, 3 + 2, 1 + 4 + 1, 4]
    assert read_vocabulary(folder, "tags")["token"] == ["u", "t", "v", "new"]
    grown = ClickEncoder.load(folder / "encoder")
    assert grown.extends(encoder) and not encoder.extends(grown)
    ids = read_split(folder, "train")["sequence_0"].to_pylist()
    assert ids == [[2, 5, 4], [5, 4], [3, 5, 4], [2, 5, 4]]


def test_other_order_of_lists_does_not_extend(encode):
    encoder = ClickEncoder.load(encode() / "encoder")
    turned = dict(reversed(SHOP.sequences.items()))
    other = encode(name="turned", log=replace(SHOP, sequences=turned))
    assert not ClickEncoder.load(other / "encoder").extends(encoder)


def test_numbers_are_looked_up_by_value(encode, tmp_path):
    train = [
        ("1", "007", ["07", "8"], []),
        ("0", "1", ["007", "9"], []),
        ("1", "1", ["x"], []),
    ]
    encoder = ClickEncoder.load(encode(rows=(train, train)) / "encoder")
    table = pa.table(
        {
            "click": [1, 0],
            "item": [7, 1],
            "history": [[7, 8, None], [9, 5]],
            "tags": [["t"], []],
        }
    )
    known = encoder.encode(
        [
            {"item": "007", "history": ["007", "8", None], "tags": ["t"]},
            {"item": "1", "history": ["9", "5"], "tags": []},
        ]
    )
    for name, array in encoder.encode(table).items():
        np.testing.assert_array_equal(array, known[name])
    prepare(encoder, {"test": table}, tmp_path / "by", show_progress=False)
    rows = read_split(tmp_path / "by", "test")
    lists = [row[row >= 0].tolist() for row in known["history"]]
    assert rows["sequence_0"].to_pylist() == lists


def test_grow_refuses_lists_of_another_kind(encode):
    encoder = ClickEncoder.load(encode() / "encoder")
    table = pa.table(
        {"click": [1, 0], "item": ["a", "b"], "history": [[1], [2]]}
    ).append_column("tags", pa.array([["t"], ["t"]]))
    with pytest.raises(ValueError, match="column 'history' as text.*integer"):
        prepare(
            encoder, {"train": table}, "never", grow=True, show_progress=False
        )


def test_rows_in_memory(encode):
    encoder = ClickEncoder.load(encode() / "encoder")
    rows = [
        {"item": "a", "history": ["a", None, "z", "c"], "tags": "t u"},
        {"item": None, "history": None, "tags": ""},
        {"item": "b", "history": ("b", float("nan")), "tags": []},
        {"item": "b", "history": float("nan"), "tags": np.array(["v"])},
        {"item": "b", "history": "b|NULL", "tags": "NULL"},
    ]
    expected = {
        "ids": [[4], [0], [2], [2], [2]],
        "history": [[0, 1, 3], [-1] * 3, [-1, 2, 0], [-1] * 3, [-1, 2, 0]],
        "tags": [[3, 2], [-1, -1], [-1, -1], [-1, 4], [-1, -1]],
    }
    for given in (rows, pd.DataFrame(rows)):
        encoded = encoder.encode(given)
        assert set(encoded) == set(encoder.schema.inputs())
        encoder.schema.check(encoded)
        for name, ids in expected.items():
            assert encoded[name].dtype == np.int32
            assert encoded[name].tolist() == ids
    none = encoder.encode([])
    assert none["history"].shape == (0, 3) and none["tags"].shape == (0, 2)


@pytest.mark.parametrize("form", [list, pd.DataFrame])
def test_integers_beyond_those_of_arrow_are_their_text(encode, form):
    encoder = ClickEncoder.load(encode() / "encoder")
    rows = [{"item": 10**30, "history": [-(10**30)], "tags": ["t"]}]
    texts = [
        {k: [str(x) for x in v] for k, v in rows[0].items() if k != "item"}
    ]
    texts[0]["item"] = str(10**30)
    for name, array in encoder.encode(texts).items():
        np.testing.assert_array_equal(encoder.encode(form(rows))[name], array)


def test_gaps(encode):
    encoder = ClickEncoder.load(encode() / "encoder")
    gaps = encoder.gaps
    assert (gaps.rows, gaps.missing, gaps.unknown) == (2, (0,), (1,))
    assert gaps.empty == (0, 0)
    assert gaps.events == (5, 3)
    assert gaps.unknown_events == (1, 1)
    rows = [{"item": i, "history": h, "tags": t} for _, i, h, t in TEST]
    inputs = encoder.encode(rows)
    lists = [inputs["history"], inputs["tags"]]
    assert type(gaps).of(inputs["ids"], lists) == gaps
    assert type(gaps).none(1, 2) + gaps == gaps


def test_json_file_of_the_format(tmp_path):
    config = SHOP.get_config()
    config["sequences"]["history"] = {"shares": "item", "max_length": 3}
    (tmp_path / "shop.json").write_text(json.dumps(config))
    for name, rows in (("train", TRAIN), ("test", TEST)):
        (tmp_path / "raw" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "raw" / name).write_text(as_text(rows))
    command = [
        *("prepare", str(tmp_path / "shop.json")),
        *("--source", str(tmp_path / "raw"), "--output", str(tmp_path / "out")),
    ]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert ClickEncoder.load(tmp_path / "out" / "encoder").log_format == SHOP
