"""Assigns rows to splits."""

import numpy as np
import pytest

from zoo.encoding import LogFormat
from zoo.encoding import prepare
from zoo.raw.splits import DaySplit
from zoo.raw.splits import ProviderSplit
from zoo.raw.splits import RandomSplit
from zoo.raw.splits import SequentialSplit
from zoo.raw.splits import split_scheme


@pytest.fixture
def days():
    return LogFormat(
        name="days",
        columns=("y", "hour"),
        label="y",
        categorical=("hour",),
        delimiter=",",
        day=("hour", 2),
    )


def rows_of(tables):
    return {name: table["label"].to_pylist() for name, table in tables.items()}


def test_sequential(make_lines, prepare_text):
    lines = make_lines([("1", "x", "p")] * 65)
    _, tables = prepare_text("\n".join(lines), split="sequential")
    labels = [int(line[0]) for line in lines]
    end = len(lines) - round(len(lines) / 7)
    assert rows_of(tables) == {"train": labels[:end], "test": labels[end:]}


def test_sequential_with_validation(make_lines, prepare_text):
    lines = make_lines([("1", "x", "p")] * 65)
    _, tables = prepare_text(
        "\n".join(lines),
        split="sequential",
        test_fraction=0.25,
        validation_fraction=0.25,
    )
    assert np.concatenate(
        [rows_of(tables)[n] for n in ("train", "validation", "test")]
    ).tolist() == [int(line[0]) for line in lines]
    assert tables["test"].num_rows == round(len(lines) / 4)


def test_random_without_validation_is_the_papers(
    make_lines, prepare_text, split_of
):
    lines = make_lines([("1", "x", "p")] * 99)
    _, tables = prepare_text(
        "\n".join(lines), test_fraction=0.1, validation_fraction=0, seed=2
    )
    expected = {"train": [], "test": []}
    for row, line in enumerate(lines):
        expected[split_of(row, 2, 0.1, 0)].append(int(line[0]))
    assert rows_of(tables) == expected


def test_day_of_a_column(tmp_path, days):
    hours = [f"{day:02}{hour:02}" for day in (3, 1, 2) for hour in range(8)]
    text = "\n".join(f"{i % 2},{hour}" for i, hour in enumerate(hours))
    (tmp_path / "raw").write_text(text)
    summary = prepare(
        days, tmp_path / "raw", tmp_path / "out", split="day",
        show_progress=False,
    )  # fmt: skip
    assert {n: s["rows"] for n, s in summary["splits"].items()} == {
        "train": 8,
        "validation": 8,
        "test": 8,
    }
    from zoo.encoding import ClickEncoder

    # The vocabulary is that of day 01 alone.
    ids = ClickEncoder.load(tmp_path / "out" / "encoder").encode(
        [{"hour": "0100"}, {"hour": "0200"}, {"hour": "0300"}]
    )["ids"]
    assert (ids[0] > 1).all() and (ids[1:] == 1).all()


def test_day_of_a_file(tmp_path, tiny):
    (tmp_path / "logs").mkdir()
    for day in (2, 10, 1, 3):
        text = "\n".join(f"{i % 2}\t{day}\tu\ta\tb" for i in range(day + 1))
        (tmp_path / "logs" / f"day_{day}").write_text(text)
    summary = prepare(
        tiny, tmp_path / "logs", tmp_path / "out", split="day",
        show_progress=False,
    )  # fmt: skip
    assert {n: s["rows"] for n, s in summary["splits"].items()} == {
        "train": 2 + 3,
        "validation": 4,
        "test": 11,
    }


def test_days_that_are_numbers(tmp_path):
    log_format = LogFormat(
        name="days",
        columns=("y", "day"),
        label="y",
        categorical=("day",),
        day=("day", 2),
    )
    rows = [f"{i % 2}\t{day}" for day in range(1, 11) for i in range(day + 1)]
    (tmp_path / "raw").write_text("\n".join(rows))
    summary = prepare(
        log_format, tmp_path / "raw", tmp_path / "out", split="day",
        show_progress=False,
    )  # fmt: skip
    assert summary["splits"]["test"]["rows"] == 11
    assert summary["splits"]["validation"]["rows"] == 10


def test_splits_are_no_days(tmp_path, tiny):
    source = {}
    for name in ("train", "validation", "test"):
        source[name] = tmp_path / name
        source[name].write_text("1\t1\tu\ta\tb\n0\t1\tu\ta\tb")
    with pytest.raises(ValueError, match="called after splits"):
        prepare(tiny, source, tmp_path / "out", split="day")


def test_too_few_days(tmp_path, days):
    (tmp_path / "raw").write_text("1,0100\n0,0200\n")
    with pytest.raises(ValueError, match=r"three days.*Received: 2 day"):
        prepare(
            days, tmp_path / "raw", tmp_path / "out", split="day",
            show_progress=False,
        )  # fmt: skip
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("packed", [False, True])
def test_provider_splits_of_a_folder(tmp_path, tiny, packed):
    import zipfile

    texts = {
        name: "\n".join(f"{(i + 1) % 2}\t1\tu\t{name}\tb" for i in range(size))
        for name, size in (("test", 4), ("train", 6), ("valid", 3))
    }
    folder = tmp_path / "logs"
    folder.mkdir()
    source = folder
    if packed:
        source = folder / "all.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for name, text in texts.items():
                archive.writestr(f"top/{name}.csv", text)
    else:
        for name, text in texts.items():
            (folder / f"{name}.csv").write_text(text)
    summary = prepare(tiny, source, tmp_path / "out", show_progress=False)
    assert list(summary["splits"]) == ["train", "validation", "test"]
    assert [s["rows"] for s in summary["splits"].values()] == [6, 3, 4]
    assert summary["split"] == {"scheme": "ProviderSplit"}


def test_fit_on_all_rows(make_lines, prepare_text, split_of):
    lines = make_lines([("1", "x", "p")])
    # Only a test row has this token and this number.
    row = next(i for i in range(len(lines)) if split_of(i) == "test")
    lines[row] = f"{lines[row][0]}\t9\tu\tnew\tp"
    text = "\n".join(lines)
    _, train = prepare_text(text, "train", fit_on="train")
    _, everything = prepare_text(text, "all", fit_on="all")
    assert train["test"]["ids"][0].as_py()[0] == 1
    assert everything["test"]["ids"][0].as_py()[0] > 1
    assert everything["test"]["dense"][0].as_py() == [1.0]
    assert everything["train"]["dense"][0].as_py()[0] < 0.2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "weekly"}, "`split` must be one of"),
        ({"split": "day", "test_fraction": 0.1}, "are for random and"),
        ({"split": "provider", "validation_fraction": 0.1}, "are for random"),
        ({"split": "random", "test_fraction": -0.1}, "must not be negative"),
        ({"split": "random", "test_fraction": 0.95}, "sum to less than 1"),
        ({"split": "random", "test_fraction": "0.1"}, "must not be negative"),
        ({"split": "random", "seed": 1.5}, "`seed` must be an integer"),
    ],
)
def test_bad_scheme(tiny, arguments, message):
    with pytest.raises(ValueError, match=f"{message}.*Received: "):
        split_scheme(log_format=tiny, **arguments)


def test_provider_needs_splits(make_lines, prepare_text):
    text = "\n".join(make_lines([("1", "x", "p")]))
    with pytest.raises(ValueError, match=r"'provider' only.*Received: "):
        prepare_text(text, split="provider")


@pytest.mark.parametrize(
    ("scheme", "names"),
    [
        (RandomSplit(0.1, 0.2), ("train", "validation", "test")),
        (RandomSplit(0.1, 0.0), ("train", "test")),
        (SequentialSplit(0.0, 0.2), ("train", "validation")),
        (DaySplit("field_0", 2), ("train", "validation", "test")),
        (ProviderSplit(), ()),
    ],
)
def test_a_scheme_names_the_splits_that_it_makes(scheme, names):
    assert scheme.names() == names


def test_files_go_to_splits_whole_where_the_scheme_does_not_divide_them():
    days = ["day_2", "day_10", "day_1", "day_9"]
    assert DaySplit(None).splits_of(days) == {
        "day_1": "train",
        "day_2": "train",
        "day_9": "validation",
        "day_10": "test",
    }
    assert ProviderSplit().splits_of(["test"]) == {"test": "test"}
    for scheme in (
        RandomSplit(0.1, 0.1),
        SequentialSplit(0.1, 0.1),
        DaySplit("field_0", 2),
    ):
        assert scheme.splits_of(days) is None
