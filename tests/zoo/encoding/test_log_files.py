"""Finds the files of a log, and says which of them are which split."""

import gzip
import zipfile

import pytest

from zoo.datasets import load_clicks
from zoo.encoding import LogFormat
from zoo.encoding import open_raw_log
from zoo.encoding import prepare

SHOP = LogFormat(
    name="shop",
    columns=("click", "site"),
    label="click",
    categorical=("site",),
    delimiter=",",
)


@pytest.fixture
def fill(tmp_path):
    """Makes files of four rows each in a folder, packed as they are called."""

    def fill(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = f"0,{name}\n1,{name}\n" * 2
            if name.endswith(".zip"):
                with zipfile.ZipFile(path, "w") as archive:
                    archive.writestr("train.csv", data)
            elif name.endswith(".gz"):
                path.write_bytes(gzip.compress(data.encode()))
            else:
                path.write_text(data)
        return tmp_path

    return fill


def splits_of(folder, log_format=SHOP):
    """The names of the files of each split, or of each numbered origin."""
    splits = {}
    for raw_file in open_raw_log(folder, log_format).files:
        name = raw_file.path.relative_to(folder).as_posix()
        splits.setdefault(raw_file.origin, []).append(name)
    return splits


@pytest.mark.parametrize(
    "train, validation, test",
    [
        (["train.csv"], ["valid.csv"], ["test.csv"]),
        (["train_0.csv", "train_1.csv"], [], ["test_0.csv"]),
        (["train.csv", "train_part2.csv"], ["dev.csv"], []),
        (
            ["train-00000-of-00002.csv", "train-00001-of-00002.csv"],
            ["validation-00000-of-00001.csv"],
            ["test-00000-of-00001.csv"],
        ),
        (["criteo_train.csv"], ["criteo_val.csv"], ["criteo_test.csv"]),
        (["train/part-2.csv", "train/part-10.csv"], [], ["test/part-0.csv"]),
        (["data/train/a.csv"], ["data/val/a.csv"], []),
        (["TRAIN.csv"], [], ["Test.csv"]),
        (["train.zip"], [], ["test.csv.gz"]),
    ],
)
def test_names_say_which_split(fill, train, validation, test):
    found = splits_of(fill(*train, *validation, *test))
    expected = {"train": train, "validation": validation, "test": test}
    assert found == {n: files for n, files in expected.items() if files}


def test_files_of_no_split_are_numbered_in_their_natural_order(fill):
    folder = fill("b/day_10.csv", "b/day_2.csv", "a/day_3.csv", "retrain.csv")
    assert splits_of(folder) == {
        "00000": ["a/day_3.csv"],
        "00001": ["b/day_2.csv"],
        "00002": ["b/day_10.csv"],
        "00003": ["retrain.csv"],
    }


def test_a_folder_of_hive_is_one_day(fill):
    folder = fill(
        "day=2024-01-02/part-0.csv",
        "day=2024-01-01/part-0.csv",
        "day=2024-01-01/part-1.csv",
        "day=2024-01-03/part-0.csv",
        "day=2024-01-03/_SUCCESS",
        "_temporary/part-0.csv",
    )
    assert splits_of(folder) == {
        "00000": ["day=2024-01-01/part-0.csv", "day=2024-01-01/part-1.csv"],
        "00001": ["day=2024-01-02/part-0.csv"],
        "00002": ["day=2024-01-03/part-0.csv"],
    }
    data = load_clicks(SHOP, folder, split="day", streaming=True)
    counts = {name: len(list(rows)) for name, rows in data.items()}
    assert counts == {"train": 8, "validation": 4, "test": 4}


def test_a_file_beside_splits_is_left_out_with_a_word(fill):
    folder = fill("train.csv", "test.csv", "more.csv", "README.md")
    with pytest.warns(UserWarning, match="more.csv is left out") as warned:
        found = splits_of(folder)
    assert found == {"train": ["train.csv"], "test": ["test.csv"]}
    assert len(warned) == 1
    # All rows are scored.
    assert len(splits_of(folder, SHOP.unlabeled())) == 4


@pytest.mark.parametrize(
    "names, message",
    [
        (("train.csv", "train.csv.gz"), "packed and unpacked"),
        (("day_0.csv", "day_0.csv.gz"), "packed and unpacked"),
        (("train.csv", "train.zip"), "packed and unpacked"),
        (("train.csv", "train.csv.zip"), "packed and unpacked"),
        (("train.csv", "dev.csv", "valid.csv"), "one name for the validation"),
        (("train.csv", "training.csv"), "one name for the train"),
        (("train_val.csv", "test.csv"), "one split each"),
    ],
)
def test_names_that_leave_the_rows_open_are_refused(fill, names, message):
    folder = fill(*names)
    for way in (
        lambda: open_raw_log(folder, SHOP),
        lambda: prepare(SHOP, folder, folder / "out", show_progress=False),
        lambda: load_clicks(SHOP, folder, streaming=True),
    ):
        with pytest.raises(ValueError, match=f"{message}.*Received: "):
            way()


def test_prepare_says_which_files_are_which_split(fill, tmp_path, capsys):
    folder = fill(*(f"log/train_{i}.csv" for i in range(9)), "log/test.csv")
    prepare(SHOP, folder / "log", tmp_path / "out", show_progress=True)
    said = capsys.readouterr().err
    assert "train: train_0.csv, train_1.csv, ..., train_8.csv (9" in said
    assert "test: test.csv" in said
