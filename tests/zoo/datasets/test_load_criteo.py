"""Copies of Criteo's log on this machine."""

import gzip
import zipfile

import datasets
import numpy as np
import pandas as pd
import pytest

from zoo.datasets import CRITEO
from zoo.datasets import CRITEO_X1
from zoo.datasets import CRITEO_X4
from zoo.datasets import load_criteo
from zoo.encoding import prepare

NAMES = CRITEO.columns
SPLITS = {"train": "train.csv", "validation": "valid.csv", "test": "test.csv"}


def lines(rows, delimiter="\t", header=()):
    return "".join(
        delimiter.join(row) + "\n"
        for row in ([header] if header else []) + rows
    )


@pytest.fixture
def parts(criteo_rows):
    return {split: criteo_rows(20, seed) for seed, split in enumerate(SPLITS)}


@pytest.fixture
def whole(cache):
    """All rows of a source, without a split."""

    def whole(source, **options):
        shares = {"test_fraction": 0, "validation_fraction": 0}
        data = load_criteo(source, cache_dir=cache, **shares, **options)
        assert list(data) == ["train"]
        return data["train"]

    return whole


def test_raw_rows_and_types(tmp_path, criteo_rows, typed, whole):
    rows = criteo_rows(50)
    (tmp_path / "train.txt").write_text(lines(rows))
    data = whole(tmp_path / "train.txt")
    assert data.features == datasets.Features(
        {
            "label": datasets.Value("int8"),
            **{f"I{i}": datasets.Value("int64") for i in range(1, 14)},
            **{f"C{i}": datasets.Value("string") for i in range(1, 27)},
        }
    )
    assert data.to_list() == [typed(NAMES, row) for row in rows]


def test_large_integers_stay_exact(tmp_path, criteo_rows, whole):
    (row,) = criteo_rows(1)
    row[1:4] = ["999999999999999999", "-9007199254740993", "0"]
    (tmp_path / "raw").write_text(lines([row]))
    first = whole(tmp_path / "raw")[0]
    assert [first[name] for name in ("I1", "I2", "I3")] == [
        999999999999999999,
        -9007199254740993,
        0,
    ]


@pytest.mark.parametrize("kind", ["gz", "zip", "folder", "list", "pathless"])
def test_raw_packed_or_many(kind, tmp_path, criteo_rows, typed, whole):
    rows = criteo_rows(30)
    text = lines(rows).encode()
    if kind == "gz":
        source = tmp_path / "day_0.gz"
        source.write_bytes(gzip.compress(text))
    elif kind == "zip":
        source = tmp_path / "criteo.zip"
        with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("dac/train.txt", text)
            archive.writestr("dac/test.txt", "no label here")
    elif kind == "pathless":
        (tmp_path / "raw").write_bytes(text)
        source = str(tmp_path / "raw")
    else:
        folder = tmp_path / "days"
        folder.mkdir()
        (folder / "day_2").write_text(lines(rows[:10]))
        (folder / "day_10.gz").write_bytes(
            gzip.compress(lines(rows[10:]).encode())
        )
        source = folder
        if kind == "list":
            source = [folder / "day_2", folder / "day_10.gz"]
    assert whole(source).to_list() == [typed(NAMES, row) for row in rows]


@pytest.mark.parametrize("packed", [True, False])
def test_x4_is_known_by_its_header(packed, tmp_path, parts, typed, cache):
    source = tmp_path / "Criteo_x4"
    texts = {
        SPLITS[split]: lines(rows, ",", CRITEO_X4.columns)
        for split, rows in parts.items()
    }
    if packed:
        source = tmp_path / "Criteo_x4.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for name, text in texts.items():
                archive.writestr(f"Criteo_x4/{name}", text)
    else:
        source.mkdir()
        for name, text in texts.items():
            (source / name).write_text(text)
    data = load_criteo(str(source), cache_dir=cache)
    assert list(data) == ["train", "validation", "test"]
    for split, rows in parts.items():
        assert data[split].to_list() == [typed(NAMES, row) for row in rows]


def test_x1_is_known_by_its_header(tmp_path, parts, typed, whole):
    rows = parts["train"]
    for row in rows:
        row[1:14] = ["0.1", "-1e-05", "3", "1.", *["0.052"] * 9]
    (tmp_path / "train.csv").write_text(lines(rows, ",", CRITEO_X1.columns))
    data = whole(tmp_path / "train.csv")
    assert data.features["I1"] == datasets.Value("float64")
    assert data.to_list() == [typed(NAMES, row, number=float) for row in rows]


def test_a_given_version_is_not_doubted(tmp_path, parts, whole):
    (tmp_path / "log").write_text(lines(parts["train"]))
    with pytest.raises(ValueError, match="header of the criteo_x1 log must be"):
        whole(tmp_path / "log", version="x1")
    with pytest.raises(ValueError, match="`version` must be one of.*'x2'"):
        whole(tmp_path / "log", version="x2")


@pytest.mark.parametrize("header", ["label,I1", "LABEL," + ",".join(NAMES[1:])])
def test_no_other_header_is_guessed(header, tmp_path, parts, whole):
    text = lines(parts["train"], ",")
    (tmp_path / "log").write_text(f"{header}\n{text}")
    with pytest.raises(ValueError, match="log, line 1: .*must have 40 columns"):
        whole(tmp_path / "log")


def test_table_of_another_version(parts, typed, whole, cache):
    rows = [typed(NAMES, row) for row in parts["train"]]
    capital = [{"Label": r["label"], **r} for r in rows]
    for row in capital:
        del row["label"]
    data = datasets.Dataset.from_list(capital)
    for table in (data, pd.DataFrame(capital)):
        assert whole(table).to_list() == rows
    floats = [{**r, "I1": 0.5} for r in rows]
    with pytest.raises(
        ValueError, match="column 'I1' must hold text, integers"
    ):
        whole(datasets.Dataset.from_list(floats))
    data = whole(datasets.Dataset.from_list(floats), version="x1")
    assert data["I1"][:] == [0.5] * len(rows)


def test_loaded_data_can_be_loaded_again(tmp_path, parts, whole, cache):
    (tmp_path / "log").write_text(lines(parts["train"]))
    data = load_criteo(
        tmp_path / "log", cache_dir=cache, test_fraction=0.5, seed=1
    )
    again = load_criteo(data, cache_dir=cache)
    assert list(again) == list(data)
    assert again["test"].to_list() == data["test"].to_list()


def test_fractions_encode_like_the_file(tmp_path, criteo_rows, cache):
    rows = criteo_rows(200)
    rng = np.random.default_rng(0)
    for row in rows:
        row[1:14] = [
            f"{x:.{rng.integers(1, 18)}g}" for x in rng.normal(size=13)
        ]
    (tmp_path / "log").write_text(lines(rows, ",", CRITEO_X1.columns))
    data = load_criteo(tmp_path / "log", cache_dir=cache)
    sources = {"file": tmp_path / "log", "data": data}
    for name, source in sources.items():
        prepare(CRITEO_X1, source, tmp_path / name, show_progress=False)
    files = list((tmp_path / "file").rglob("*.arrow"))
    assert len(files) == 3
    for file in files:
        other = tmp_path / "data" / file.relative_to(tmp_path / "file")
        assert file.read_bytes() == other.read_bytes()
