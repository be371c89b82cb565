"""Reads logs of every kind of source, and reports broken ones."""

import dataclasses
import datetime
import gzip
import zipfile

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

import zoo
from tests.zoo.encoding.logs import read_split
from zoo.encoding import ClickEncoder
from zoo.encoding import LogFormat
from zoo.encoding import open_raw_log
from zoo.encoding import prepare


@pytest.fixture
def shop():
    return LogFormat(
        name="shop",
        label="click",
        dense=("price",),
        categorical=("site", "code"),
        delimiter=",",
        header=True,
        quoted=True,
        dense_type="float",
        test_fraction=0.25,
        validation_fraction=0.25,
    )


@pytest.fixture
def table():
    rows = range(60)
    return pa.table(
        {
            "unused": [[1]] * 60,
            "code": pa.array([i % 7 if i % 5 else None for i in rows]),
            "click": pa.array([i % 2 for i in rows], pa.int8()),
            "price": [i / 8 - 2 if i % 6 else None for i in rows],
            "site": [f"s{i % 3}" if i % 4 else "" for i in rows],
        }
    )


@pytest.fixture
def expected(tmp_path, shop, table):
    """The splits of the table, from its text."""
    lines = ["code,click,price,site"]
    for row in table.to_pylist():
        code, price = (
            "" if row[n] is None else row[n] for n in ("code", "price")
        )
        lines.append(f'{code},{row["click"]},{price},"{row["site"]}"')
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines))
    return encode(shop, path, tmp_path / "expected")


def encode(log_format, source, output, **options):
    prepare(log_format, source, output, show_progress=False, **options)
    splits = ("train", "validation", "test")
    return {
        split: read_split(output, split)
        for split in splits
        if (output / split).exists()
    }


def variants(table, tmp_path):
    """The same log, held in other ways."""
    yield "arrow", table
    pa.parquet.write_table(table, tmp_path / "log.parquet")
    yield "parquet", tmp_path / "log.parquet"
    folder = tmp_path / "parts"
    folder.mkdir()
    for i in range(12):
        # Files 10 and 11 must come after file 9.
        part = table.slice(i * 5, 5)
        pa.parquet.write_table(part, folder / f"part_{i}.parquet")
    yield "folder", folder
    yield "list", [folder / f"part_{i}.parquet" for i in range(12)]
    data = datasets.Dataset.from_dict(table.drop_columns("unused").to_pydict())
    yield "dataset", data
    yield "stream", data.to_iterable_dataset()
    frame = table.drop_columns("unused").to_pandas()
    yield "pandas", pa.Table.from_pandas(frame)
    text = (tmp_path / "log.csv").read_bytes()
    (tmp_path / "log.csv.gz").write_bytes(gzip.compress(text))
    yield "gzip", tmp_path / "log.csv.gz"


def test_every_holder_gives_the_same(table, shop, expected, tmp_path):
    for name, source in variants(table, tmp_path):
        assert encode(shop, source, tmp_path / name) == expected, name
    assert expected["train"].num_rows > 20


def test_splits_of_a_data_set(table, shop, tmp_path):
    data = datasets.Dataset(table.drop_columns("unused"))
    splits = datasets.DatasetDict(
        {
            "test": data.select(range(50, 60)),
            "train": data.select(range(30)),
            "valid": data.select(range(30, 50)),
        }
    )
    found = encode(shop, splits, tmp_path / "out")
    assert {n: t.num_rows for n, t in found.items()} == {
        "train": 30,
        "validation": 20,
        "test": 10,
    }
    labels = table["click"].to_pylist()
    assert found["test"]["label"].to_pylist() == labels[50:]


def test_dict_of_paths(table, shop, tmp_path):
    for name, part in (("a", table.slice(0, 40)), ("b", table.slice(40))):
        pa.parquet.write_table(part, tmp_path / f"{name}.parquet")
    source = {"test": tmp_path / "b.parquet", "train": tmp_path / "a.parquet"}
    found = encode(shop, source, tmp_path / "out")
    assert [t.num_rows for t in found.values()] == [40, 20]


def refused(log_format, source, message, error=ValueError):
    with pytest.raises(error, match=message) as raised:
        for _ in open_raw_log(source, log_format).tables():
            pass
    assert "Received: " in str(raised.value)


def test_parquet_without_a_column(table, shop, tmp_path):
    path = tmp_path / "log.parquet"
    pa.parquet.write_table(table.drop_columns("site"), path)
    refused(shop, path, r"log\.parquet: must have the column 'site' once")


def test_two_files_that_disagree(table, shop, tmp_path):
    pa.parquet.write_table(table, tmp_path / "1.parquet")
    other = table.set_column(1, "code", [["x"] * 60])
    pa.parquet.write_table(other, tmp_path / "2.parquet")
    sources = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    refused(shop, sources, r"2\.parquet: the column 'code' must have the same")


def test_parts_of_harmlessly_different_types(table, shop, expected, tmp_path):
    types = {
        "code": (pa.int32(), pa.int64(), pa.float64()),
        "price": (pa.float64(), pa.float64(), pa.float64()),
        "site": (
            pa.string(),
            pa.large_string(),
            pa.dictionary(pa.int32(), pa.string()),
        ),
        "click": (pa.int8(), pa.int64(), pa.float32()),
    }
    sources = []
    for part in range(3):
        rows = table.slice(20 * part, 20)
        for name, kinds in types.items():
            place = rows.column_names.index(name)
            column = rows[name].cast(kinds[part])
            rows = rows.set_column(place, name, column)
        sources.append(tmp_path / f"{part}.parquet")
        pa.parquet.write_table(rows, sources[-1])
    assert encode(shop, sources, tmp_path / "out") == expected


def test_dates_are_text(shop, tmp_path):
    days = [datetime.date(2024, 1, 1 + i // 20) for i in range(60)]
    table = pa.table(
        {
            "click": [i % 2 for i in range(60)],
            "price": [1.0] * 60,
            "site": days,
            "code": ["x"] * 60,
        }
    )
    log_format = dataclasses.replace(shop, day=("site", 10))
    encode(log_format, table, tmp_path / "out", split="day")
    encoder = ClickEncoder.load(tmp_path / "out" / "encoder")
    row = {"price": 1, "site": "2024-01-01", "code": "x"}
    assert encoder.encode([row])["ids"].tolist() == [[2, 2]]


def test_truncated_parquet(table, shop, tmp_path):
    path = tmp_path / "log.parquet"
    pa.parquet.write_table(table, path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    refused(shop, path, r"log\.parquet: the Parquet file is truncated")


def test_parquet_with_another_type(table, shop, tmp_path):
    path = tmp_path / "log.parquet"
    bad = table.set_column(4, "site", [[["x"]] * 60])
    pa.parquet.write_table(bad, path)
    refused(shop, path, r"log\.parquet: the column 'site' must")


def test_fractions_where_text_is_meant(table, shop, tmp_path):
    codes = [1.0] * 57 + [0.5] * 3
    bad = table.set_column(1, "code", [codes])
    refused(shop, bad, r"row 57: the column 'code' must hold .* 0\.5, a double")


@pytest.mark.parametrize(
    ("kind", "bits"), [("float16", 11), ("float32", 24), ("float64", 53)]
)
def test_floats_must_tell_integers_apart(table, shop, tmp_path, kind, bits):
    path = tmp_path / "log.parquet"
    codes = np.full(60, 2**bits, kind)
    pa.parquet.write_table(table.set_column(1, "code", [codes]), path)
    encode(shop, path, tmp_path / "out")
    codes[57] = 2 ** (bits + 1)
    pa.parquet.write_table(table.set_column(1, "code", [codes]), path)
    refused(shop, path, rf"row 57: the column 'code' .* at most 2\*\*{bits}")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (2, 2, "row 57: the label 'click' must be 0 or 1"),
        (2, None, "row 57: the label 'click' must be 0 or 1"),
        (3, 1e39, "row 57: column 'price' must hold a number below 1e38"),
        (3, float("inf"), "row 57: column 'price' must hold a number"),
    ],
)
def test_a_bad_value_in_a_table(table, shop, tmp_path, column, value, message):
    name = table.column_names[column]
    values = table[name].to_pylist()
    values[57] = value
    bad = table.set_column(column, name, [values])
    pa.parquet.write_table(bad, tmp_path / "log.parquet")
    with pytest.raises(ValueError, match=f"{message}.*Received: "):
        encode(shop, tmp_path / "log.parquet", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("code,click,price\n1,1,1", "line 1: the header must name .*'site'"),
        ("code,click,site,price,site\n", "line 1: the header must name .*'si"),
        ("code,click,price,site\n", "must hold at least one row"),
        ('code,click,price,site\n1,1,1,"s\n2,0,1,s"\n', "line 2: a quoted"),
        ('code,click,price,site\n1,1,1,s\n2,0,1,"s', "line 3: a quoted"),
        ("code,click,price,site\n1,1,1\n", "line 2: a row .* 4 columns"),
        ("code,click,price,site\n1,1,nah,s\n", "line 2: column 'price' must"),
        ("code,click,price,site\n1,1,1e38,s\n", "line 2: column 'price' must"),
        ('code,click,price,site\n1,1,1,"s,t"\n2,1,"x",s', "line 3: column 'p"),
    ],
)
def test_bad_csv(shop, tmp_path, text, message):
    path = tmp_path / "log.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"{message}.*Received: "):
        encode(shop, path, tmp_path / "out")


def test_text_and_parquet_together(table, shop, tmp_path):
    pa.parquet.write_table(table, tmp_path / "log.parquet")
    (tmp_path / "log.csv").write_text("code,click,price,site\n")
    refused(shop, tmp_path, "text or Parquet, not both")


def test_a_log_without_header_or_columns(tmp_path):
    bare = LogFormat(name="bare", categorical=("a",))
    (tmp_path / "log").write_text("1\ta\n")
    refused(bare, tmp_path / "log", "`columns` must be given")


@pytest.mark.parametrize("source", [None, 3, [], {}, {"night": "x"}, [1]])
def test_no_source(shop, source):
    refused(shop, source, "`source`")


def test_no_rows(table, shop, tmp_path):
    with pytest.raises(ValueError, match="at least one row.*Received: "):
        encode(shop, table.slice(0, 0), tmp_path / "out")
    (tmp_path / "log.csv").write_bytes(b"\xef\xbb\xbf")
    refused(shop, tmp_path / "log.csv", "line 1: the header must name")
    (tmp_path / "log.csv").write_bytes(b"")
    refused(shop, tmp_path / "log.csv", "at least one row")


def test_quoted_header_and_bare_fractions(shop, tmp_path):
    rows = "\n".join(f'{i % 2},.5,"s,{i}",7' for i in range(60))
    path = tmp_path / "log.csv"
    path.write_text(f'"click","price","site","code"\n{rows}\n')
    columns = ("click", "price", "site", "code")
    named = dataclasses.replace(shop, columns=columns)
    options = {"dense_transform": "none"}
    found = encode(named, path, tmp_path / "out", **options)
    assert found == encode(shop, path, tmp_path / "other", **options)
    assert found["train"]["dense"][0].as_py() == [0.5]


def test_a_zip_that_python_can_not_read(shop, tmp_path):
    path = tmp_path / "log.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("log.csv", "code,click,price,site\n")
    # The encryption flag of the entry and of the directory.
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    refused(shop, path, "encrypted or packed in a way")


def test_missing_path(shop):
    refused(shop, "/no/such/log", "no such file", FileNotFoundError)


def test_the_former_name_still_opens_a_log():
    assert zoo.encoding.open_source is open_raw_log
