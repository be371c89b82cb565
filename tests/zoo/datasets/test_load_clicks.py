"""Loads custom logs, in any form."""

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

import zoo
from zoo.datasets import load_clicks
from zoo.encoding import LogFormat

SCHEMA = zoo.FeatureSchema(
    dense=["price", "age"], categorical={"site": 9, "code": 9}, label="click"
)
FEATURES = {
    "click": datasets.Value("int8"),
    "price": datasets.Value("float64"),
    "age": datasets.Value("float64"),
    "site": datasets.Value("string"),
    "code": datasets.Value("string"),
}
ROWS = [
    {"click": 1, "price": 0.1, "age": 30.0, "site": 'a "b", c', "code": "7"},
    {"click": 0, "price": None, "age": -1.5, "site": None, "code": "-1"},
    {"click": 0, "price": 1e-300, "age": None, "site": " d", "code": None},
]
TEXT = """click,unused,price,age,site,code
1,x,0.1,30,"a ""b"", c",7
0,,,-1.5,,-1
0,y,1e-300,, d,
"""
TABLE = pa.table(
    {
        "code": pa.array([7, -1, None], pa.int32()),
        "site": pa.array(['a "b", c', "", " d"], pa.large_string()),
        "price": pa.array([0.1, np.nan, 1e-300]),
        "age": pa.array([30.0, -1.5, None], pa.float32()),
        "click": pa.array([True, False, False]),
        "unused": pa.array([[1], [2], [3]]),
    }
)
ALL_ROWS = {"test_fraction": 0, "validation_fraction": 0}


def as_csv(folder):
    (folder / "log.csv").write_text(TEXT)
    return folder / "log.csv"


def as_tabs(folder):
    text = 'click\tprice\tage\tsite\tcode\n1\t0.1\t30\t"a ""b"", c"\t7\n'
    text += "0\t\t-1.5\t\t-1\n0\t1e-300\t\t d\t\n"
    (folder / "log.tsv").write_text(text)
    return folder / "log.tsv"


def as_parquet(folder):
    pyarrow.parquet.write_table(TABLE, folder / "log.parquet")
    return folder / "log.parquet"


def as_parquet_folder(folder):
    (folder / "log").mkdir()
    for number in range(3):
        path = folder / "log" / f"part-{number}.parquet"
        pyarrow.parquet.write_table(TABLE.slice(number, 1), path)
    return folder / "log"


def as_table(folder):
    return TABLE


def as_data_set(folder):
    return datasets.Dataset(TABLE)


def as_shuffled_data_set(folder):
    return datasets.Dataset(TABLE.take([2, 0, 1])).select([1, 2, 0])


def as_dict(folder):
    return datasets.DatasetDict({"train": datasets.Dataset(TABLE)})


def as_stream(folder):
    return datasets.Dataset(TABLE).to_iterable_dataset()


def as_stream_dict(folder):
    return datasets.IterableDatasetDict({"train": as_stream(folder)})


FORMS = [
    as_csv, as_tabs, as_parquet, as_parquet_folder, as_table, as_data_set,
    as_shuffled_data_set, as_dict,
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_rows(form, tmp_path, cache):
    data = load_clicks(SCHEMA, form(tmp_path), cache_dir=cache, **ALL_ROWS)
    assert list(data) == ["train"]
    assert data["train"].features == FEATURES
    assert data["train"].to_list() == ROWS


@pytest.mark.parametrize("form", [*FORMS, as_stream, as_stream_dict])
def test_every_form_streams_the_same_rows(form, tmp_path, cache):
    source = form(tmp_path)
    data = load_clicks(
        SCHEMA, source, cache_dir=cache, streaming=True, **ALL_ROWS
    )
    assert isinstance(data, datasets.IterableDatasetDict)
    assert data["train"].features == FEATURES
    assert list(data["train"]) == ROWS
    # A second time, and in Arrow.
    batches = data["train"].with_format("arrow").iter(2)
    assert pa.concat_tables(batches).to_pylist() == ROWS


@pytest.mark.parametrize("form", [as_stream, as_stream_dict])
def test_a_stream_stays_a_stream(form, tmp_path, cache):
    with pytest.raises(ValueError, match="`streaming` must be True.*Received"):
        load_clicks(SCHEMA, form(tmp_path), cache_dir=cache)


@pytest.mark.parametrize("streaming", [True, False])
def test_splits_of_files_and_data_sets_are_kept(streaming, tmp_path, cache):
    options = {"cache_dir": cache, "streaming": streaming}
    sources = [{}, datasets.DatasetDict(), tmp_path / "log"]
    sources[2].mkdir()
    for number, name in enumerate(("valid", "test", "train")):
        part = TABLE.slice(number, 1)
        path = sources[2] / f"{name}.parquet"
        pyarrow.parquet.write_table(part, path)
        sources[0][name] = [path]
        sources[1][name] = datasets.Dataset(part)
    for source in sources:
        data = load_clicks(SCHEMA, source, **options)
        assert list(data) == ["train", "validation", "test"]
        rows = [list(data[s]) for s in ("validation", "test", "train")]
        assert rows == [[row] for row in ROWS]


def test_integers_stay_integers_with_a_format(cache):
    log_format = LogFormat(
        name="mine/log", label="click", dense=("age",), categorical=("code",)
    )
    table = TABLE.set_column(3, "age", pa.array([30.0, None, 2.0**53]))
    data = load_clicks(log_format, table, cache_dir=cache, **ALL_ROWS)
    assert data["train"].features["age"] == datasets.Value("int64")
    assert data["train"]["age"][:] == [30, None, 2**53]
    with pytest.raises(ValueError, match="'age' must hold text, integers or"):
        load_clicks(log_format, TABLE, cache_dir=cache, **ALL_ROWS)


def test_float32_keeps_its_value(cache):
    values = np.random.default_rng(0).normal(size=1000).astype("float32")
    table = pa.table({"y": [0] * 1000, "x": values, "c": ["a"] * 1000})
    schema = zoo.FeatureSchema(["x"], {"c": 2}, label="y")
    data = load_clicks(schema, table, cache_dir=cache, **ALL_ROWS)
    assert (np.float32(data["train"]["x"][:]) == values).all()


def test_empty_dense_and_label_of_another_name(cache):
    schema = zoo.FeatureSchema([], {"site": 9}, label="code")
    table = TABLE.set_column(0, "code", pa.array(["0", "1", "0"]))
    data = load_clicks(schema, table, cache_dir=cache, **ALL_ROWS)
    assert data["train"].column_names == ["code", "site"]
    assert data["train"]["code"][:] == [0, 1, 0]


@pytest.mark.parametrize("name", ["log", "log.data", "log.data.gz"])
def test_delimiter_can_not_be_told(name, tmp_path):
    (tmp_path / name).write_text(TEXT)
    with pytest.raises(ValueError, match="`schema` must be a `LogFormat`, whi"):
        load_clicks(SCHEMA, tmp_path / name)


def test_schema_of_another_kind():
    with pytest.raises(
        ValueError, match="`schema` must be.*Received: 'criteo'"
    ):
        load_clicks("criteo", TABLE)


def test_missing_column(tmp_path, cache):
    schema = zoo.FeatureSchema(["weight"], {"site": 9}, label="click")
    with pytest.raises(ValueError, match="Dataset: must have the column 'wei"):
        load_clicks(schema, datasets.Dataset(TABLE), cache_dir=cache)
    with pytest.raises(ValueError, match="csv, line 1: .*the column 'weight'"):
        load_clicks(schema, as_csv(tmp_path), cache_dir=cache)
