"""Real samples, against Python's own reader."""

import csv

import pyarrow as pa
import pyarrow.parquet
import pytest

import zoo
from zoo.datasets import AVAZU
from zoo.datasets import CRITEO
from zoo.datasets import load_avazu
from zoo.datasets import load_clicks
from zoo.datasets import load_criteo
from zoo.encoding import LogFormat
from zoo.encoding import prepare

ALL_ROWS = {"test_fraction": 0.0, "validation_fraction": 0.0}


@pytest.mark.parametrize(
    ("name", "rows"),
    [("criteo_kaggle_10k/train.txt", 10_000), ("criteo_1tb_10k/day_0", 10_000)],
)
def test_criteo(name, rows, sample, typed, cache):
    source = sample(name)
    with source.open(newline="") as file:
        reader = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        expected = [typed(CRITEO.columns, row) for row in reader]
    data = load_criteo(source, cache_dir=cache, **ALL_ROWS)
    assert len(expected) == rows
    assert data["train"].to_list() == expected


def test_avazu(sample, cache):
    source = sample("avazu_10k/train")
    with source.open(newline="") as file:
        expected = [
            {name: row[name] for name in AVAZU.categorical}
            | {"click": int(row["click"])}
            for row in csv.DictReader(file)
        ]
    data = load_avazu(source, cache_dir=cache, **ALL_ROWS)
    assert len(expected) == 9_999
    assert data["train"].to_list() == expected


def test_avazu_by_names(sample, cache):
    source = sample("avazu_15k/train.csv")
    with source.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != "click"]
    schema = zoo.FeatureSchema([], dict.fromkeys(names, 2), label="click")
    data = load_clicks(schema, source, cache_dir=cache, **ALL_ROWS)
    assert len(rows) == 15_000
    expected = [{**row, "click": int(row["click"])} for row in rows]
    assert data["train"].to_list() == expected


def test_gowalla(sample, cache):
    folder = sample("gowalla")
    log_format = LogFormat(name="gowalla", categorical=("user", "item"))
    data = load_clicks(log_format, folder, cache_dir=cache)
    files = {"train": "train", "validation": "valid", "test": "test"}
    assert list(data) == list(files)
    types = [pa.int8(), pa.string(), pa.string()]
    for split, name in files.items():
        table = pyarrow.parquet.read_table(folder / f"{name}.parquet")
        schema = pa.schema(zip(table.column_names, types, strict=True))
        loaded = pa.table(data[split].data.table).replace_schema_metadata()
        assert loaded.equals(table.cast(schema).replace_schema_metadata())


def test_encodes_like_the_file(sample, tmp_path, cache):
    source = sample("criteo_kaggle_10k/train.txt")
    data = load_criteo(source, cache_dir=cache, seed=4)
    prepare(CRITEO, data, tmp_path / "data", show_progress=False)
    prepare(CRITEO, source, tmp_path / "file", seed=4, show_progress=False)
    for file in (tmp_path / "file").rglob("*.arrow"):
        other = tmp_path / "data" / file.relative_to(tmp_path / "file")
        assert file.read_bytes() == other.read_bytes()
