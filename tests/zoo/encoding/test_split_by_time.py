"""Splits a log by the times of its rows, however they are written."""

from datetime import UTC
from datetime import datetime
from datetime import timedelta

import duckdb
import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet
import pytest

import zoo
from zoo.encoding import LogFormat
from zoo.encoding import prepare
from zoo.raw import times

SHOP = LogFormat(
    "shop", label="click", categorical=("row",), delimiter=",", header=True
)
ROWS = 200
START = datetime(2001, 9, 8, 12, tzinfo=UTC)  # Seconds get a tenth digit here.
RANDOM = np.random.default_rng(0)
# 200 hours in a row, in a random order.
HOURS = RANDOM.permutation(ROWS)
CLICKS = RANDOM.integers(0, 2, ROWS)
TIMES = [START + timedelta(hours=int(hour), seconds=30) for hour in HOURS]
SPELLINGS = {
    "date and time": lambda time: f"{time:%Y-%m-%d %H:%M:%S}",
    "ISO 8601": lambda time: f"{time:%Y-%m-%dT%H:%M:%S}.250Z",
    "slashes": lambda time: f"{time:%Y/%m/%d %H:%M}",
    "offset": lambda time: f"{time:%Y-%m-%d %H:%M}+00:00",
    "seconds": lambda time: f"{time.timestamp():.0f}",
    "with a fraction": lambda time: f"{time.timestamp():.3f}",
    "milliseconds": lambda time: f"{time.timestamp() * 1e3:.0f}",
    "nanoseconds": lambda time: f"{time.timestamp():.0f}000000000",
}
COLUMNS = {
    "timestamps": pa.array([t.replace(tzinfo=None) for t in TIMES]),
    "with a zone": pa.array(TIMES, pa.timestamp("ms", "America/New_York")),
    "nanoseconds": pa.array(TIMES, pa.timestamp("ns", "UTC")),
    "integers": pa.array([int(t.timestamp()) for t in TIMES]),
    "floats": pa.array([t.timestamp() + 0.5 for t in TIMES]),
    "text": pa.array([f"{t:%Y-%m-%d %H:%M}" for t in TIMES]),
}


def write_text(path, spelled, column="ts"):
    lines = [
        f"{click},row_{row},{time}"
        for row, (click, time) in enumerate(zip(CLICKS, spelled, strict=True))
    ]
    path.write_text("\n".join([f"click,row,{column}", *lines, ""]))
    return path


def write_parquet(path, column):
    names = [f"row_{row}" for row in range(ROWS)]
    table = pa.table({"click": CLICKS, "row": names, "ts": column})
    pa.parquet.write_table(table, path)
    return path


def rows_of(folder):
    """The rows of each split, by the token that is their number."""
    log = zoo.EncodedLog.load(folder)
    tokens = [{"row": f"row_{row}", "ts": ""} for row in range(ROWS)]
    ids = log.encoder.encode(tokens)["ids"][:, 0]
    row_of = {id: row for row, id in enumerate(ids.tolist())}
    return {
        split: sorted(
            row_of[i] for i in log.split(split).inputs["ids"][:, 0].tolist()
        )
        for split in ("train", "validation", "test")
    }


def expected(test=20, validation=20):
    in_order = np.argsort(HOURS)
    bounds = [ROWS - test - validation, ROWS - test]
    parts = np.split(in_order, bounds)
    names = ("train", "validation", "test")
    return {n: sorted(p.tolist()) for n, p in zip(names, parts, strict=True)}


def split_by_time(source, folder, log=SHOP, **options):
    options = {"split": "time", "time_column": "ts", **options}
    summary = prepare(
        log, source, folder, fit_on="all", show_progress=False, **options
    )
    return summary, {
        split: counts["rows"] for split, counts in summary["splits"].items()
    }


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_text(spelling, tmp_path):
    path = write_text(tmp_path / "log.csv", map(SPELLINGS[spelling], TIMES))
    split_by_time(path, tmp_path / "out")
    assert rows_of(tmp_path / "out") == expected()


@pytest.mark.parametrize("column", COLUMNS)
def test_parquet(column, tmp_path):
    path = write_parquet(tmp_path / "log.parquet", COLUMNS[column])
    split_by_time(path, tmp_path / "out")
    assert rows_of(tmp_path / "out") == expected()


def test_dates_stay_together(tmp_path):
    path = write_text(tmp_path / "log.csv", (f"{t:%Y-%m-%d}" for t in TIMES))
    _, rows = split_by_time(
        path, tmp_path / "out", test_fraction=0.2, validation_fraction=0.2
    )
    days = pandas.Series([f"{t:%Y-%m-%d}" for t in TIMES])
    of_split = {
        split: set(days[rows])
        for split, rows in rows_of(tmp_path / "out").items()
    }
    assert max(of_split["train"]) < min(of_split["validation"])
    assert max(of_split["validation"]) < min(of_split["test"])
    assert sum(rows.values()) == ROWS


def test_the_time_is_no_feature_but_where_it_is_one(tmp_path):
    path = write_text(tmp_path / "log.csv", map(str, COLUMNS["integers"]))
    split_by_time(path, tmp_path / "without")
    log = zoo.EncodedLog.load(tmp_path / "without")
    assert list(log.schema.categorical) == ["row"]
    both = LogFormat(
        "shop", label="click", categorical=("row", "ts"), delimiter=",",
        header=True,
    )  # fmt: skip
    split_by_time(path, tmp_path / "with", both)
    assert rows_of(tmp_path / "with") == expected()
    log = zoo.EncodedLog.load(tmp_path / "with")
    assert list(log.schema.categorical) == ["row", "ts"]


def test_load_clicks_splits_alike(tmp_path):
    path = write_text(
        tmp_path / "log.csv", map(SPELLINGS["milliseconds"], TIMES)
    )
    log_format = LogFormat(
        "shop", label="click", categorical=("row",), delimiter=",",
        header=True, time="ts",
    )  # fmt: skip
    loaded = zoo.load_clicks(
        log_format, path, split="time", cache_dir=tmp_path / "cache"
    )
    assert {
        split: sorted(int(row.removeprefix("row_")) for row in data["row"])
        for split, data in loaded.items()
    } == expected()
    # Another split does not read the column.
    other = zoo.load_clicks(log_format, path, cache_dir=tmp_path / "cache")
    assert sum(map(len, other.values())) == ROWS


def test_the_splits_are_said_and_summed_up(tmp_path, capfd):
    path = write_text(tmp_path / "log.csv", map(SPELLINGS["seconds"], TIMES))
    summary = prepare(
        SHOP, path, tmp_path / "out", split="time", time_column="ts",
        test_fraction=0.25, validation_fraction=0.0,
    )  # fmt: skip
    said = " ".join(capfd.readouterr().err.split())
    assert "train: from 2001-09-08 12:00 UTC; test: from 2001-09-14" in said
    assert summary["split"]["scheme"] == "TimeSplit"
    assert summary["splits"]["test"]["rows"] == 50


@pytest.mark.parametrize(
    "time",
    [
        "", "yesterday", "31/01/2024", "2024-13-01", "1", "20240131",
        "2024-01-31 10:00+02:00", "2024-01-31 25:00", "1e9", "-1000000000",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_its_line(time, tmp_path):
    spelled = [*map(SPELLINGS["seconds"], TIMES)]
    spelled[7] = time
    path = write_text(tmp_path / "log.csv", spelled)
    with pytest.raises(ValueError, match="line 9: column 'ts' must hold a ti"):
        split_by_time(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_time_in_parquet_is_refused_with_its_row(tmp_path):
    column = pa.array([None, *TIMES[1:]], pa.timestamp("s"))
    path = write_parquet(tmp_path / "log.parquet", column)
    with pytest.raises(ValueError, match="row 0: column 'ts' must hold a tim"):
        split_by_time(path, tmp_path / "out")


def test_dates_beside_seconds_are_refused(tmp_path):
    spelled = [*map(SPELLINGS["seconds"], TIMES)]
    spelled[7] = "2001-09-10"
    path = write_text(tmp_path / "log.csv", spelled)
    with pytest.raises(ValueError, match="all dates or all seconds"):
        split_by_time(path, tmp_path / "out")


def test_wrong_arguments_are_refused(tmp_path):
    path = write_text(tmp_path / "log.csv", map(SPELLINGS["seconds"], TIMES))
    for options, message in (
        ({"time_column": None}, "Received: none"),
        ({"split": "random"}, "`time_column` is for a split by time"),
        ({"time_column": "clock"}, "must name the column 'clock'"),
        ({"time_column": "click"}, "`time` must be a column of its own"),
        ({"test_fraction": 1.5}, "must sum to less than 1"),
    ):
        with pytest.raises(ValueError, match=message):
            split_by_time(path, tmp_path / "out", **options)


def test_every_minute_of_every_spelling_is_that_of_python():
    texts = {
        spelled(time): f"{time:%Y-%m-%d %H:%M}"
        for spelled in SPELLINGS.values()
        for time in TIMES
    }
    query = f"select ts, {times.minute('ts')} from raw"
    with duckdb.connect() as connection:
        connection.register("raw", pa.table({"ts": [*texts]}))
        found = dict(connection.sql(query).fetchall())
    assert {
        text: times.shown(minute).removesuffix(" UTC")
        for text, minute in found.items()
    } == texts
