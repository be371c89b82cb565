"""The folder that `prepare` makes."""

import json
import zipfile

import numpy as np
import pyarrow as pa
import pytest

from tests.zoo.encoding.logs import read_split
from zoo.data.description import describe
from zoo.data.encoded_log import EncodedLog
from zoo.encoding import ClickEncoder
from zoo.encoding import LogFormat
from zoo.encoding import prepare
from zoo.encoding.duckdb_engine import DuckDBEngine


@pytest.fixture
def text(make_lines):
    rng = np.random.default_rng(0)
    train = [
        (str(rng.integers(-5, 99)), f"a{rng.zipf(1.5)}", f"b{rng.integers(9)}")
        for _ in range(300)
    ]
    return "\n".join(make_lines(train)) + "\n"


TRAIN = "train/part-00000.arrow"


def contents(folder):
    """What every file says, apart from what names the run."""
    found = {}
    for path in sorted(folder.rglob("*.*")):
        name = str(path.relative_to(folder))
        found[name] = path.read_bytes()
    summary = json.loads(found.pop("summary.json"))
    return found, summary


def test_files_and_types(text, prepare_text):
    folder, tables = prepare_text(text)
    assert sorted(p.name for p in folder.iterdir()) == [
        "encoder",
        "summary.json",
        "test",
        "train",
        "validation",
    ]
    assert [p.name for p in (folder / "train").iterdir()] == [
        "part-00000.arrow"
    ]
    for table in tables.values():
        assert table.schema.names == ["label", "dense", "ids"]
        assert table.schema.types == [
            pa.int8(),
            pa.list_(pa.float32(), 1),
            pa.list_(pa.int32(), 2),
        ]


def test_rows_keep_the_order_and_split_of_their_number(
    text, prepare_text, split_of
):
    _, tables = prepare_text(text, dense_transform="none", seed=5)
    rows = [line.split("\t") for line in text.splitlines()]
    for split, table in tables.items():
        mine = [r for i, r in enumerate(rows) if split_of(i, 5) == split]
        assert table["label"].to_pylist() == [int(r[0]) for r in mine]
        assert table["dense"].to_pylist() == [[float(r[1])] for r in mine]


def test_summary(text, prepare_text, tmp_path, tiny):
    folder, tables = prepare_text(text, min_count=2, seed=3)
    _, summary = contents(folder)
    assert summary["rows"] == len(text.splitlines())
    for split, table in tables.items():
        ids = np.array(table["ids"].to_pylist())
        assert summary["splits"][split] == {
            "rows": table.num_rows,
            "click_rate": np.mean(table["label"].to_numpy()),
            "distinct_ids": sum(len(set(ids[:, f])) for f in range(2)),
        }
    assert summary["source"] == str(tmp_path / "raw.txt")
    assert (summary["min_count"], summary["split"]["seed"]) == (2, 3)
    assert set(summary["versions"]) == {"keras_cowclip", "duckdb", "pyarrow"}
    again = prepare(
        tiny,
        tmp_path / "raw.txt",
        tmp_path / "again",
        min_count=2,
        seed=3,
        show_progress=False,
    )
    assert again == summary


def test_same_log_same_bytes(text, prepare_text):
    first = contents(prepare_text(text, name="first")[0])
    assert contents(prepare_text(text, name="second")[0]) == first
    other = contents(prepare_text(text, name="third", seed=1)[0])
    assert other[0][TRAIN] != first[0][TRAIN]


def test_order_of_the_training_rows_does_not_change_ids(
    make_lines, prepare_text
):
    train = [("1", f"a{i % 7}", f"b{i % 3}") for i in range(60)]
    folders = [
        prepare_text("\n".join(make_lines(rows)), name=name)[0]
        for name, rows in (("first", train), ("second", train[::-1]))
    ]
    first, second = (
        (f / "encoder" / "vocabulary" / "a.parquet").read_bytes()
        for f in folders
    )
    assert first == second


def test_spilling_changes_nothing(tmp_path, monkeypatch):
    log_format = LogFormat(
        name="wide",
        columns=("y", *(f"c{i}" for i in range(8))),
        label="y",
        dense=(),
        categorical=tuple(f"c{i}" for i in range(8)),
    )
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 10**9, (100_000, 8))
    table = np.concatenate([rng.integers(0, 2, (100_000, 1)), ids], axis=1)
    text = "\n".join("\t".join(map(str, row)) for row in table.tolist())
    (tmp_path / "raw").write_text(text)
    results = []
    for limit in ("8GB", "200MB"):
        output = tmp_path / limit
        options = {"memory_limit": limit, "show_progress": False}
        prepare(log_format, tmp_path / "raw", output, **options)
        results.append((output / TRAIN).read_bytes())
    assert results[0] == results[1]
    # No column `dense`: Parquet has no lists without items.
    with pa.ipc.open_stream(output / TRAIN) as reader:
        assert reader.schema.names == ["label", "ids"]


def test_replaces_its_own_folder_and_no_other(text, prepare_text, tmp_path):
    folder, _ = prepare_text(text, seed=1)
    (folder / "stale").touch()
    with pytest.raises(ValueError, match=r"`overwrite=True`.*Received: output"):
        prepare_text(text, seed=2)
    assert contents(folder)[1]["split"]["seed"] == 1
    prepare_text(text, seed=2, overwrite=True)
    assert contents(folder)[1]["split"]["seed"] == 2
    assert not (folder / "stale").exists()
    (folder / "encoder" / "encoder.json").unlink()
    (folder / "encoder").rename(folder / "elsewhere")
    with pytest.raises(ValueError, match=r"not replaced.*Received: output"):
        prepare_text(text, seed=3, overwrite=True)
    assert contents(folder)[1]["split"]["seed"] == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "raw.txt"]


def test_failure_keeps_the_earlier_folder(text, prepare_text, tmp_path):
    folder, _ = prepare_text(text)
    before = contents(folder)
    with pytest.raises(ValueError, match="line 1: "):
        prepare_text("2" + text[1:], overwrite=True)
    assert contents(folder) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "raw.txt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("step", ["stage", "create_view", "write_splits"])
def test_interrupt_leaves_nothing(
    text, prepare_text, tmp_path, monkeypatch, error, step
):
    def interrupted(*args):
        raise error("Query interrupted")

    monkeypatch.setattr(DuckDBEngine, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare_text(text)
    assert [p.name for p in tmp_path.iterdir()] == ["raw.txt"]


def test_source_inside_the_output_is_safe(text, prepare_text, tiny):
    folder, _ = prepare_text(text)
    source = folder / "raw.txt"
    source.write_text(text)
    with pytest.raises(ValueError, match=r"must not lie inside.*Received: "):
        prepare(tiny, source, folder, show_progress=False)
    assert source.read_text() == text


def test_every_file_inside_the_output_is_safe(
    text, prepare_text, tiny, tmp_path
):
    folder, _ = prepare_text(text)
    (folder / "b.txt").write_text(text)
    with zipfile.ZipFile(folder / "log.zip", "w") as archive:
        archive.writestr("log.txt", text)
    for source in (
        [tmp_path / "raw.txt", folder / "b.txt"],
        folder / "log.zip",
    ):
        with pytest.raises(ValueError, match="must not lie inside"):
            prepare(tiny, source, folder, show_progress=False)


def test_a_log_for_the_test_alone(text, prepare_text, tmp_path):
    folder, _ = prepare_text(text)
    encoder = ClickEncoder.load(folder / "encoder")
    source = {"test": tmp_path / "raw.txt"}
    prepare(encoder, source, tmp_path / "test", show_progress=False)
    log = EncodedLog.load(tmp_path / "test")
    assert list(log.splits) == ["test"]
    assert len(log.split("test")) == len(text.splitlines())
    assert list(describe(tmp_path / "test")["splits"]) == ["test"]


@pytest.mark.parametrize(
    "name", ["a*b", "a[b", "label=1", "split=a", "a'b", "a b"]
)
def test_the_output_may_be_called_anything(text, tiny, tmp_path, name):
    (tmp_path / "raw").write_text(text)
    folders = tmp_path / name / "out", tmp_path / "plain"
    for folder in folders:
        prepare(tiny, tmp_path / "raw", folder, show_progress=False)
    for split in ("train", "validation", "test"):
        received, expected = (read_split(folder, split) for folder in folders)
        assert received.equals(expected)


@pytest.mark.parametrize("name", ["a?b", "a\\b"])
def test_an_output_that_duckdb_can_not_open(text, tiny, tmp_path, name):
    (tmp_path / "raw").write_text(text)
    (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match="`output` must have.*Received: "):
        prepare(
            tiny, tmp_path / "raw", tmp_path / name / "out", show_progress=False
        )
    assert not list((tmp_path / name).iterdir())


def test_a_column_may_be_called_label(tmp_path):
    log_format = LogFormat(
        name="shop",
        columns=("click", "label", "site"),
        label="click",
        categorical=("label", "site"),
    )
    lines = [f"{i % 2}\tx{i % 3}\ts{i % 5}" for i in range(90)]
    (tmp_path / "raw").write_text("\n".join(lines))
    prepare(log_format, tmp_path / "raw", tmp_path / "out", show_progress=False)
    schema = EncodedLog.load(tmp_path / "out").schema
    assert list(schema.categorical) == ["label", "site"]
    assert schema.label == "click"


def test_progress_goes_to_stderr_if_wanted(text, tiny, tmp_path, capsys):
    (tmp_path / "raw").write_text(text)
    for show in (True, False):
        output = tmp_path / str(show)
        prepare(tiny, tmp_path / "raw", output, show_progress=show)
        captured = capsys.readouterr()
        assert captured.out == ""
        for stage in ("Reading raw", "Counting tokens", "Looking up ids"):
            assert (stage in captured.err) == show
