import numpy as np
import pytest

import zoo
from zoo.cli.describe_command import summarize_counts
from zoo.cli.tables import card_tables
from zoo.encoding import LogFormat
from zoo.encoding import prepare

TINY = LogFormat(
    name="tiny",
    columns=("click", "n", "a", "b"),
    label="click",
    dense=("n",),
    categorical=("a", "b"),
)


@pytest.fixture
def folder(tmp_path):
    train = ["1\t1\tx\tp", "0\t\tx\tq", "0\t2\ty\t", "1\t\tx\tp"]
    test = ["0\t1\tx\tp", "1\t1\tz\tq", "0\t1\tz\tq", "1\t1\tx\t"]
    for name, lines in (("train", train), ("test", test)):
        (tmp_path / f"{name}.txt").write_text("\n".join(lines))
    source = {name: tmp_path / f"{name}.txt" for name in ("train", "test")}
    prepare(TINY, source, tmp_path / "out", show_progress=False)
    return tmp_path / "out"


def test_card_by_hand(folder):
    card = zoo.describe(folder, show_progress=False)
    assert card["splits"] == {
        "train": {"rows": 4, "click_rate": 0.5},
        "test": {"rows": 4, "click_rate": 0.5},
    }
    assert card["missing"] == {"n": 0.25, "a": 0.0, "b": 0.25}
    a, b = card["fields"]["a"], card["fields"]["b"]
    assert (a["vocabulary"], a["distinct"]) == (4, 2)
    assert (b["vocabulary"], b["distinct"]) == (4, 3)
    assert (a["missing"], b["missing"]) == (0, 0.25)
    assert (a["unseen"], b["unseen"]) == ({"test": 0.5}, {"test": 0.0})
    assert a["counts"].tolist() == [3, 1]
    assert b["counts"].tolist() == [2, 1]


def test_counts_of_several_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("zoo.encoding.row_files.ROWS_PER_BATCH", 7)
    random = np.random.default_rng(0)
    tokens = random.integers(0, 9, 100)
    text = "\n".join(f"{i % 2}\t{i}\t{t}\t{t}" for i, t in enumerate(tokens))
    (tmp_path / "raw").write_text(text)
    prepare(
        TINY, tmp_path / "raw", tmp_path / "out", test_fraction=0,
        validation_fraction=0, show_progress=False,
    )  # fmt: skip
    card = zoo.describe(tmp_path / "out", show_progress=False)
    expected = np.sort(np.bincount(tokens))[::-1]
    assert card["fields"]["a"]["counts"].tolist() == expected.tolist()


def test_picture(folder):
    zoo.describe(folder, show_progress=False)
    data = (folder / "data_card.png").read_bytes()
    assert data.startswith(b"\x89PNG") and len(data) > 10_000


def test_names_are_no_formulas(tmp_path):
    names = ("$a", r"b\$", "$c_$x", "d\\")
    log_format = zoo.LogFormat(
        name="shop", columns=("click", *names), label="click", categorical=names
    )
    lines = [f"{i % 2}\t1\t2\t3\t{i}" for i in range(90)]
    (tmp_path / "raw").write_text("\n".join(lines))
    output = tmp_path / "$x_$"
    zoo.prepare(log_format, tmp_path / "raw", output, show_progress=False)
    zoo.describe(output, show_progress=False)
    assert (output / "data_card.png").stat().st_size > 10_000


def test_long_names_of_any_script(tmp_path):
    # The longest is a file name of 2,700 bytes where it is quoted.
    names = ("价格" * 150, "site_" * 60, "site_" * 60 + "a", "категория")
    log_format = zoo.LogFormat(
        name="shop", columns=("click", *names), label="click", categorical=names
    )
    lines = [f"{i % 2}\t{i % 3}\t{i % 5}\t3\t{i}" for i in range(90)]
    (tmp_path / "raw").write_text("\n".join(lines))
    output = tmp_path / "日志"
    zoo.prepare(log_format, tmp_path / "raw", output, show_progress=False)
    # Matplotlib warns of a character that it has no glyph for.
    zoo.describe(output, show_progress=False)
    encoder = zoo.ClickEncoder.load(output / "encoder")
    encoder.save(tmp_path / "copy")
    row = dict(zip(names, "0139", strict=True))
    ids = [
        each.encode([row])["ids"].tolist()
        for each in (encoder, zoo.ClickEncoder.load(tmp_path / "copy"))
    ]
    assert ids[0] == ids[1]
    assert min(ids[0][0]) > 1
    files = sorted(
        path.name for path in (output / "encoder" / "vocabulary").iterdir()
    )
    assert len(files) == 4
    assert max(len(name.encode()) for name in files) <= 255


def test_a_folder_that_is_no_log(tmp_path):
    with pytest.raises(FileNotFoundError, match="Received: "):
        zoo.describe(tmp_path)


def test_lists_and_several_labels(tmp_path):
    log = LogFormat(
        name="lists",
        columns=("click", "buy", "a", "history", "tags"),
        labels=("click", "buy"),
        categorical=("a",),
        sequences={
            "history": zoo.ListColumn("a", max_length=2),
            "tags": zoo.ListColumn(),
        },
    )
    train = [
        "1\t1\tx\tx|y|x\tt",
        "0\t\tx\t\tt|",
        "0\t0\ty\ty\tu|t",
        "1\t1\t\t\t",
    ]
    test = ["0\t1\tx\tx|z\tt", "1\t0\tz\tz\tv"]
    rows = {}
    for name, lines in (("train", train), ("test", test)):
        (tmp_path / f"{name}.txt").write_text("\n".join(lines) + "\n")
        rows[name] = tmp_path / f"{name}.txt"
    prepare(log, rows, tmp_path / "out", show_progress=False)
    card = zoo.describe(tmp_path / "out", show_progress=False)
    assert card["splits"]["train"]["click_rates"] == {
        "click": 0.5,
        "buy": 2 / 3,
    }
    history, tags = (card["sequences"][n] for n in ("history", "tags"))
    assert history["vocabulary"] == card["fields"]["a"]["vocabulary"] == 4
    assert (history["missing"], history["mean_length"]) == (0.5, 3 / 4)
    assert history["unseen"] == {"test": 2 / 3}
    assert history["counts"].tolist() == [2, 1]
    assert (tags["missing"], tags["mean_length"]) == (0.25, 5 / 4)
    # t, u and an event without its token.
    assert tags["distinct"] == 3
    assert tags["counts"].tolist() == [3, 1]
    summarize_counts(card)
    splits, columns = card_tables(card)
    heads = [str(column.header) for column in splits.columns]
    assert heads[2:] == ["click rate", "buy rate"]
    names = [str(cell) for cell in columns.columns[0].cells]
    assert names == ["click", "buy", "a", "history", "tags"]
    assert list(columns.columns[1].cells)[-2:] == ["2", "3"]
    assert (tmp_path / "out" / "data_card.png").is_file()
