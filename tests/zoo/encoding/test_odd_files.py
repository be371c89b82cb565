"""Reads odd files, or says what to do about them."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet
import pytest

import zoo
from tests.zoo.encoding.logs import read_split
from zoo.encoding import LogFormat
from zoo.encoding import prepare

SHOP = LogFormat(
    "shop", label="click", dense=("price",), categorical=("site", "hour"),
    delimiter=",", header=True, dense_type="float",
)  # fmt: skip
ROWS = 60
HEADER = "click,price,site,hour"
LINES = [f"{i % 2},{i}.5,site_{i % 7},{i % 5}" for i in range(ROWS)]
TEXT = "\n".join([HEADER, *LINES, ""]).encode()
FRAME = pandas.DataFrame(
    {
        "click": [i % 2 for i in range(ROWS)],
        "price": [i + 0.5 for i in range(ROWS)],
        "site": [f"site_{i % 7}" for i in range(ROWS)],
        "hour": [i % 5 for i in range(ROWS)],
    }
)


def encoded(source, folder, log=SHOP):
    prepare(
        log, source, folder, fit_on="all", show_progress=False, overwrite=True
    )
    return {
        split: read_split(folder, split).to_pydict()
        for split in ("train", "validation", "test")
    }


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    (folder / "log.csv").write_bytes(TEXT)
    return encoded(folder / "log.csv", folder / "out")


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("log.csv.bz2", bz2.compress),
        ("log.csv.xz", lzma.compress),
        ("without a suffix", bz2.compress),
        ("log.csv.bz2", lambda t: bz2.compress(t[:99]) + bz2.compress(t[99:])),
        ("log.csv.xz", lambda t: lzma.compress(t[:99]) + lzma.compress(t[99:])),
    ],
)
def test_packed_files_are_read(name, pack, tmp_path, expected):
    (tmp_path / name).write_bytes(pack(TEXT))
    assert encoded(tmp_path / name, tmp_path / "out") == expected


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress])
@pytest.mark.parametrize("damage", ["truncate", "flip"])
def test_a_damaged_packed_file_is_refused(pack, damage, tmp_path):
    packed = bytearray(pack(TEXT * 50))
    message = "truncated or damaged; get it again"
    if damage == "truncate":
        packed = packed[:-20]
    else:
        packed[len(packed) // 2] ^= 0xFF
        # bzip2 gives the damaged text, and then says that it was.
        message += "|the header must name"
    (tmp_path / "log.csv.xz").write_bytes(packed)
    with pytest.raises(ValueError, match=message):
        encoded(tmp_path / "log.csv.xz", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def tar_of(text):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("log.csv")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    return file.getvalue()


def zip_of(text, name="log.csv"):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, text)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "remedy"),
    [
        (b"\x28\xb5\x2f\xfd" + TEXT, "zstd -d"),
        (b"\x04\x22\x4d\x18" + TEXT, "lz4 -d"),
        (b"7z\xbc\xaf\x27\x1c" + TEXT, "7z x"),
        (tar_of(TEXT), "tar -xf"),
        (gzip.compress(tar_of(TEXT)), "tar -xf"),
        (lzma.compress(tar_of(TEXT)), "tar -xf"),
        (zip_of(gzip.compress(TEXT), "log.csv.gz"), "gzip within a packed"),
        (gzip.compress(gzip.compress(TEXT)), "gzip within a packed"),
        (gzip.compress(zip_of(TEXT)), "a zip within a packed file"),
        (TEXT.decode().encode("utf-16"), "iconv"),
        (b"\xfe\xff" + TEXT.decode().encode("utf-16-be"), "iconv"),
        (gzip.compress(TEXT.decode().encode("utf-16")), "iconv"),
    ],
)
def test_what_is_no_text_is_refused_with_the_remedy(data, remedy, tmp_path):
    (tmp_path / "log").write_bytes(data)
    with pytest.raises(ValueError, match=f"must be text in UTF-8.*{remedy}"):
        encoded(tmp_path / "log", tmp_path / "out")


def test_a_data_frame_is_a_source(tmp_path, expected):
    assert encoded(FRAME, tmp_path / "out") == expected
    splits = {"train": FRAME[:40], "test": FRAME[40:]}
    summary = prepare(SHOP, splits, tmp_path / "splits", show_progress=False)
    assert summary["splits"]["test"]["rows"] == 20
    loaded = zoo.load_clicks(SHOP, FRAME, cache_dir=tmp_path / "cache")
    assert sum(map(len, loaded.values())) == ROWS
    mixed = FRAME.assign(site=["a", 1] * 30)
    with pytest.raises(ValueError, match="one kind in each column"):
        encoded(mixed, tmp_path / "mixed")


def parquet_of(tmp_path, **columns):
    table = pa.Table.from_pandas(FRAME)
    for name, column in columns.items():
        index = table.column_names.index(name)
        table = table.set_column(index, name, column)
    pa.parquet.write_table(table, tmp_path / "log.parquet")
    return tmp_path / "log.parquet"


def test_decimals_are_numbers(tmp_path, expected):
    path = parquet_of(
        tmp_path,
        price=pa.array([Decimal(f"{i}.50") for i in range(ROWS)]),
        hour=pa.array([Decimal(f"{i % 5}.00") for i in range(ROWS)]),
    )
    assert encoded(path, tmp_path / "out") == expected


def test_decimals_with_fractions_are_no_ids(tmp_path):
    hours = [Decimal(i % 5) for i in range(ROWS)]
    hours[7] = Decimal("1.5")
    path = parquet_of(tmp_path, hour=pa.array(hours))
    with pytest.raises(ValueError, match=r"row 7: the column 'hour'.*'1\.5'"):
        encoded(path, tmp_path / "out")


def test_booleans_are_numbers_in_a_column_of_numbers(tmp_path):
    flags = [i % 3 == 0 for i in range(ROWS)]
    path = parquet_of(tmp_path, price=pa.array(flags))
    as_flags = encoded(path, tmp_path / "flags")
    path = parquet_of(tmp_path, price=pa.array(flags).cast("int8"))
    assert encoded(path, tmp_path / "out") == as_flags
    encoder = zoo.ClickEncoder.load(tmp_path / "flags/encoder")
    frame = FRAME.assign(price=flags)
    for rows in (frame, pa.table(frame), frame.to_dict("records")):
        np.testing.assert_array_equal(
            encoder.encode(rows)["dense"],
            encoder.encode(frame.assign(price=np.int8(flags)))["dense"],
        )


@pytest.mark.parametrize(
    ("column", "remedy"),
    [
        (pa.array([0] * ROWS, pa.timestamp("s")), "write it as the text"),
        (pa.array([b"a"] * ROWS), "decode it to text"),
        (pa.array([[1]] * ROWS), "give each of its values a column"),
    ],
)
def test_other_columns_are_refused_with_the_remedy(column, remedy, tmp_path):
    path = parquet_of(tmp_path, hour=column)
    with pytest.raises(ValueError, match=f"the column 'hour'.*{remedy}.*Recei"):
        encoded(path, tmp_path / "out")


NULLS = ("NULL", "\\N", "nan", "None", "NA", "n/a")


def ways_of(text, folder, **arguments):
    """A log with `text` in both columns, encoded, in memory and loaded."""
    log = LogFormat(
        "shop", label="click", dense=("price",), categorical=("site",),
        delimiter=",", header=True, **arguments,
    )  # fmt: skip
    lines = [
        f"{i % 2},{text if i % 4 == 0 else i},{text if i % 3 else 'a'}"
        for i in range(ROWS)
    ]
    path = folder / "log.csv"
    path.write_text("\n".join(["click,price,site", *lines, ""]))
    splits = encoded(path, folder / "out", log)
    encoder = zoo.ClickEncoder.load(folder / "out/encoder")
    assert encoder.log_format == log
    row = encoder.encode([{"price": text, "site": text}])
    loaded = zoo.load_clicks(log, path, cache_dir=folder / "cache")
    return {
        "dense": [split["dense"] for split in splits.values()],
        "ids": [split["ids"] for split in splits.values()],
        "row": {name: array.tolist() for name, array in row.items()},
        "prices": [x["price"] for x in loaded["train"]],
        "sites": [x["site"] for x in loaded["train"]],
    }


@pytest.mark.parametrize("spelling", NULLS)
@pytest.mark.parametrize("dense_type", ["integer", "float"])
def test_numbers_may_be_missing_as_people_write_it(
    spelling, dense_type, tmp_path
):
    empty, spelled = (
        ways_of(text, tmp_path, dense_type=dense_type)
        for text in ("", spelling)
    )
    for name in ("dense", "prices"):
        assert spelled[name] == empty[name]
    assert spelled["row"]["dense"] == empty["row"]["dense"]
    # In a column of ids it is a token, unless the format says otherwise.
    for name in ("ids", "sites"):
        assert spelled[name] != empty[name]


@pytest.mark.parametrize("spelling", [*NULLS, "?", "it's"])
def test_a_format_may_name_texts_that_are_missing_values(spelling, tmp_path):
    missing = ["-", spelling]
    assert ways_of("", tmp_path, missing=missing) == ways_of(
        spelling, tmp_path, missing=missing
    )


@pytest.mark.parametrize(
    ("header", "hint"),
    [
        ("click;price;site;hour", "with `LogFormat(delimiter=';', quoted=Fal"),
        ("click\tprice\tsite\thour", "with `LogFormat(delimiter='\\t', quoted"),
        ('"click","price","site","hour"', "(delimiter=',', quoted=True)`"),
        ('"click";"price";"site";"hour"', "(delimiter=';', quoted=True)`"),
        ("click, price, site, hour", "spaces around its names"),
        ("clicks,price,site,hour", "once. Received: 'clicks,price"),
    ],
)
def test_a_header_that_does_not_fit_says_what_would(header, hint, tmp_path):
    text = TEXT.decode().replace(HEADER, header)
    (tmp_path / "log.csv").write_text(text)
    with pytest.raises(ValueError, match="line 1: the header must") as error:
        encoded(tmp_path / "log.csv", tmp_path / "out")
    assert hint in str(error.value)


@pytest.mark.parametrize(
    "url", ["s3://bucket/log.csv", "https://host/log.csv", "gs://bucket/logs"]
)
def test_an_address_is_refused_as_it_was_given(url, tmp_path):
    with pytest.raises(ValueError, match=f"copy the log here.*source={url}"):
        encoded(url, tmp_path / "out")
    with pytest.raises(ValueError, match="copy the log here"):
        encoded(Path(url), tmp_path / "out")
