"""The same values find the same ids, however a holder spells them."""

import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from tests.zoo.encoding.logs import read_split
from zoo.encoding import ClickEncoder
from zoo.encoding import LogFormat
from zoo.encoding import open_raw_log
from zoo.encoding import prepare

FIELDS = ("zip", "version", "size", "flag", "code")
SHOP = LogFormat(
    name="shop",
    label="click",
    categorical=FIELDS,
    delimiter=",",
    header=True,
    quoted=True,
)
ALL_ROWS = {"test_fraction": 0, "validation_fraction": 0}
TEXT = "click,zip,version,size,flag,code\n" + "".join(
    f"{i % 2},{i % 9:05d},{i % 4}.0,{i % 3 + 1}e5,{i % 2 == 0},x{i % 5}\n"
    for i in range(60)
)


@pytest.fixture
def learn(tmp_path):
    """Learns an encoder of a log; returns it and the ids of the log."""

    def learn(source, **options):
        folder = tmp_path / "learned"
        prepare(
            SHOP, source, folder, show_progress=False, **ALL_ROWS, **options
        )
        ids = np.array(read_split(folder, "train")["ids"].to_pylist())
        return ClickEncoder.load(folder / "encoder"), ids

    return learn


@pytest.fixture
def as_csv(tmp_path):
    def as_csv(text, name="log.csv"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return as_csv


def frame():
    return pd.read_csv(io.StringIO(TEXT))


def write_parquet(table, path):
    pa.parquet.write_table(table, path)
    return path


def ids_of_source(encoder, source):
    opened = open_raw_log(source, encoder.log_format.unlabeled())
    parts = [inputs["ids"] for inputs, _ in encoder.encode_source(opened)]
    return np.concatenate(parts)


def test_a_table_finds_the_ids_of_a_text(learn, as_csv, tmp_path):
    encoder, expected = learn(as_csv(TEXT))
    rows = frame()
    assert rows["zip"].dtype == "int64" and rows["flag"].dtype == "bool"
    table = pa.Table.from_pandas(rows)
    for holder in (rows, table, table.to_pylist(), rows.astype(object)):
        np.testing.assert_array_equal(encoder.encode(holder)["ids"], expected)
    path = write_parquet(
        # Its floats have no fractions, so that Parquet may hold them.
        table,
        tmp_path / "log.parquet",
    )
    np.testing.assert_array_equal(ids_of_source(encoder, path), expected)
    prepare(encoder, path, tmp_path / "again", show_progress=False, **ALL_ROWS)
    again = read_split(tmp_path / "again", "train")["ids"].to_pylist()
    np.testing.assert_array_equal(again, expected)


def test_a_text_finds_the_ids_of_a_table(learn, as_csv, tmp_path):
    rows = frame()
    rows["zip"] = rows["zip"].astype("float64")
    rows.loc[3, "zip"] = np.nan
    path = write_parquet(pa.Table.from_pandas(rows), tmp_path / "log.parquet")
    encoder, expected = learn(path)
    assert encoder.kinds["zip"] == "integer"
    text = as_csv(rows.to_csv(index=False))
    np.testing.assert_array_equal(ids_of_source(encoder, text), expected)
    np.testing.assert_array_equal(
        encoder.encode(pd.read_csv(text, dtype=str))["ids"], expected
    )
    assert expected.min() == 0 and not (expected == 1).any()


def test_fractions_find_the_text(learn, as_csv):
    text = "click,zip,version,size,flag,code\n" + "".join(
        f"{i % 2},{i % 4}.50,1,1,1,1\n" for i in range(20)
    )
    encoder, expected = learn(as_csv(text))
    rows = pd.read_csv(io.StringIO(text))
    np.testing.assert_array_equal(encoder.encode(rows)["ids"], expected)


def test_buckets_know_the_numbers_of_a_table(learn, as_csv, tmp_path):
    path = write_parquet(
        pa.Table.from_pandas(frame()), tmp_path / "log.parquet"
    )
    encoder, expected = learn(path, num_buckets=1000)
    np.testing.assert_array_equal(
        ids_of_source(encoder, as_csv(TEXT)), expected
    )


def test_the_text_itself_comes_first(learn, as_csv):
    text = "click,zip,version,size,flag,code\n" + "".join(
        f"{i % 2},{zip},1,1,1,1\n" for i, zip in enumerate(["7", "007"] * 3)
    )
    encoder, expected = learn(as_csv(text))
    rows = pd.DataFrame({name: [7] for name in FIELDS})
    assert encoder.encode(rows)["ids"][0, 0] == expected[0, 0]


def test_equal_kinds_are_compared_as_text(learn, as_csv):
    encoder, _ = learn(as_csv(TEXT))
    [row] = encoder.encode([dict.fromkeys(FIELDS, "7")])["ids"].tolist()
    assert row == [1] * 5


def test_an_encoder_of_former_versions_compares_text(learn, as_csv, tmp_path):
    encoder, _ = learn(as_csv(TEXT))
    encoder.save(tmp_path / "older")
    path = tmp_path / "older" / "encoder.json"
    config = json.loads(path.read_text())
    del config["kinds"], config["gaps"]
    path.write_text(json.dumps(config))
    older = ClickEncoder.load(tmp_path / "older")
    [row] = older.encode([dict.fromkeys(FIELDS, 7)])["ids"].tolist()
    assert row == [1] * 5


def test_a_vocabulary_does_not_grow_by_another_kind(learn, as_csv, tmp_path):
    encoder, _ = learn(as_csv(TEXT))
    table = pa.Table.from_pandas(frame())
    with pytest.raises(ValueError, match="'zip' as text.*Received: integer"):
        prepare(
            encoder, table, tmp_path / "out", grow=True, show_progress=False
        )
    assert not (tmp_path / "out").exists()


def test_gaps_are_those_of_validation(tmp_path, as_csv):
    text = "click,zip,version,size,flag,code\n" + "".join(
        f"{i % 2},{i},{'' if i % 3 else 1},1,1,1\n" for i in range(400)
    )
    prepare(SHOP, as_csv(text), tmp_path / "out", show_progress=False)
    gaps = ClickEncoder.load(tmp_path / "out" / "encoder").gaps
    ids = np.array(
        read_split(tmp_path / "out", "validation")["ids"].to_pylist()
    )
    assert gaps.rows == len(ids)
    assert gaps.unknown == tuple((ids == 1).sum(axis=0))
    assert gaps.missing == tuple((ids == 0).sum(axis=0))
    assert gaps.unknown[0] == len(ids)
