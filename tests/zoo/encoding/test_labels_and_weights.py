"""Several labels, of which a row may lack some, and sample weights."""

import json
from dataclasses import replace

import pyarrow as pa
import pytest

from tests.zoo.encoding.logs import read_split
from zoo.encoding import ClickEncoder
from zoo.encoding import LogFormat
from zoo.encoding import open_raw_log
from zoo.encoding import prepare

SHOP = LogFormat(
    name="shop",
    columns=("click", "buy", "weight", "item"),
    labels=("click", "buy"),
    weight="weight",
    categorical=("item",),
    roles={"item": "item"},
    delimiter=",",
    test_fraction=0.0,
    validation_fraction=0.0,
)
TEXT = "1,0,1.5,a\n0,,0,b\nNULL,1,.25,\n1,1,3e-2,a\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "raw").write_text(TEXT)
    prepare(SHOP, tmp_path / "raw", tmp_path / "out", show_progress=False)
    return tmp_path / "out"


def test_by_hand(folder):
    rows = read_split(folder, "train")
    assert rows.column_names == ["labels", "weight", "ids"]
    assert rows.schema.field("labels").type == pa.list_(pa.int8(), 2)
    assert rows.schema.field("weight").type == pa.float32()
    assert rows["labels"].to_pylist() == [[1, 0], [0, -1], [-1, 1], [1, 1]]
    assert rows["weight"].to_pylist() == pytest.approx([1.5, 0, 0.25, 0.03])
    schema = ClickEncoder.load(folder / "encoder").schema
    assert schema.labels == ("click", "buy")
    assert schema.weight == "weight"
    assert schema.roles == {"item": ["item"]}


def test_summary(folder):
    summary = json.loads((folder / "summary.json").read_text())
    split = summary["splits"]["train"]
    assert split["click_rates"] == {"click": 2 / 3, "buy": 2 / 3}
    assert split["click_rate"] == 2 / 3
    assert summary["missing"] == {"click": 0.25, "buy": 0.25, "item": 0.25}


def test_tables_give_the_same(folder, tmp_path):
    table = pa.table(
        {
            "click": [True, False, None, True],
            "buy": [0.0, None, 1.0, float(1)],
            "weight": pa.array([1.5, 0, 0.25, 0.03], pa.float32()),
            "item": ["a", "b", None, "a"],
        }
    )
    prepare(SHOP, {"train": table}, tmp_path / "two", show_progress=False)
    expected = read_split(folder, "train")
    assert read_split(tmp_path / "two", "train").equals(expected)


def test_one_label_and_a_weight(tmp_path):
    log = replace(SHOP, labels=None, label="buy", roles={})
    (tmp_path / "raw").write_text(TEXT.replace("0,,0,b", "0,0,0,b"))
    summary = prepare(
        log, tmp_path / "raw", tmp_path / "out", show_progress=False
    )
    rows = read_split(tmp_path / "out", "train")
    assert rows.column_names == ["label", "weight", "ids"]
    assert rows["label"].to_pylist() == [0, 0, 1, 1]
    assert "click_rates" not in summary["splits"]["train"]
    assert set(summary["missing"]) == {"item"}
    schema = ClickEncoder.load(tmp_path / "out" / "encoder").schema
    assert (schema.label, schema.weight) == ("label", "weight")


@pytest.mark.parametrize("first", [0, 2, 3])
def test_files_to_be_scored_may_lack_labels_and_weights(
    folder, tmp_path, first
):
    encoder = ClickEncoder.load(folder / "encoder")
    path = tmp_path / "scored"
    lines = [line.split(",", first)[-1] for line in TEXT.splitlines()]
    path.write_text("\n".join(lines) + "\n")
    source = open_raw_log(path, encoder.log_format.unlabeled())
    (inputs, _) = next(encoder.encode_source(source))
    assert inputs["ids"].ravel().tolist() == [2, 3, 0, 2]


def test_day_and_time_splits_read_labels(tmp_path):
    log = LogFormat(
        "shop",
        labels=("click", "buy"),
        weight="weight",
        categorical=("item",),
        test_fraction=0.5,
        validation_fraction=0.0,
    )
    table = pa.table(
        {
            "time": [f"2024-01-0{i}" for i in (1, 3, 2, 4)],
            "click": [1, 1, 0, 0],
            "buy": [0, 1, 1, 0],
            "weight": [1, 2, 3, 4],
            "item": ["a", "b", "c", "d"],
        }
    )
    prepare(
        log, table, tmp_path / "out", split="time", time_column="time",
        show_progress=False,
    )  # fmt: skip
    for split, weights in (("train", [1, 3]), ("test", [2, 4])):
        rows = read_split(tmp_path / "out", split)
        assert rows["weight"].to_pylist() == weights
