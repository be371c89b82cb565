import json
import pickle

import numpy as np
import pyarrow as pa
import pytest

import zoo
from tests.zoo.data.full_log import write_part
from tests.zoo.data.full_log import write_split
from zoo.data import split as split_module
from zoo.data.split import Split
from zoo.encoding.row_files import RowLayout

SCHEMA = zoo.FeatureSchema(dense=["price"], categorical={"a": 1000, "b": 7})
COLUMNS = RowLayout.of(SCHEMA).columns()


def columns_of(first, last):
    row = np.arange(first, last)
    return {
        "label": (row % 2).astype("int8"),
        "dense": row.astype("float32")[:, None],
        "ids": np.stack([row % 1000, row % 7], axis=1).astype("int32"),
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An encoded folder without a test split."""
    write_split(tmp_path / "train", columns_of(0, 400), SCHEMA)
    write_split(tmp_path / "validation", columns_of(0, 50), SCHEMA, (50,))
    (tmp_path / "encoder").mkdir()
    rows = {"train": 400, "validation": 50}
    summary = {"splits": {name: {"rows": n} for name, n in rows.items()}}
    (tmp_path / "summary.json").write_text(json.dumps(summary))

    class Encoder:
        schema = SCHEMA

    monkeypatch.setattr(
        "zoo.data.encoded_log.ClickEncoder.load", lambda folder: Encoder()
    )
    return tmp_path


def test_a_folder_is_opened_with_the_splits_it_has(folder):
    log = zoo.EncodedLog.load(folder)
    assert list(log.splits) == ["train", "validation"]
    assert len(log.split("train")) == 400
    assert log.schema == SCHEMA
    with pytest.raises(
        ValueError,
        match=r"one of \['train', 'validation'\].*Received: split='test'",
    ):
        log.split("test")


def test_rows_of_several_parts_and_blocks_follow_each_other(folder):
    split = Split.open(folder / "train", SCHEMA)
    expected = columns_of(0, 400)
    for start, stop in ((0, 400), (0, 100), (90, 110), (150, 390), (7, 7)):
        inputs, labels = split.read(start, stop)
        for name in ("dense", "ids"):
            np.testing.assert_array_equal(
                inputs[name], expected[name][start:stop]
            )
            assert inputs[name].dtype == expected[name].dtype
        np.testing.assert_array_equal(labels, expected["label"][start:stop])
    np.testing.assert_array_equal(split.labels, expected["label"])
    np.testing.assert_array_equal(split.inputs["ids"], expected["ids"])
    blocks = list(split.blocks())
    assert [len(labels) for _, labels in blocks] == [100, 100, 30, 100, 70]
    np.testing.assert_array_equal(
        np.concatenate([inputs["ids"] for inputs, _ in blocks]), expected["ids"]
    )


def test_rows_within_a_block_are_the_pages_of_the_file(folder):
    split = Split.open(folder / "train", SCHEMA)
    one, _ = split.read(110, 190)
    again, labels = split.read(150, 200)
    assert np.shares_memory(one["ids"], again["ids"])
    assert np.shares_memory(one["dense"], again["dense"])
    pages = np.frombuffer(split._parts[0]._map, "uint8")
    for array in (one["ids"], one["dense"], labels):
        assert np.shares_memory(array, pages)
        assert np.may_share_memory(array, pages)
    assert len(pages) == (folder / "train" / "part-00000.arrow").stat().st_size


def test_a_write_to_an_array_stays_out_of_the_file(folder):
    path = folder / "train" / "part-00000.arrow"
    before = path.read_bytes()
    split = Split.open(folder / "train", SCHEMA)
    split.read(0, 100)[0]["ids"][:] = 5
    assert path.read_bytes() == before


def test_pages_are_released_and_read_again(folder, monkeypatch):
    split = Split.open(folder / "train", SCHEMA)
    released = []
    for part in split._parts:
        monkeypatch.setattr(
            part, "release", lambda part=part: released.append(part)
        )
    monkeypatch.setattr(split_module, "RELEASE_BYTES", 150 * 13)
    first, _ = split.read(0, 100)
    assert not released
    split.read(100, 200)
    assert released == split._parts
    monkeypatch.undo()
    for part in split._parts:
        part.release()
    np.testing.assert_array_equal(first["ids"], columns_of(0, 100)["ids"])


@pytest.mark.parametrize("start, stop", [(-1, 5), (5, 4), (0, 401)])
def test_rows_that_do_not_exist_are_refused(folder, start, stop):
    split = Split.open(folder / "train", SCHEMA)
    with pytest.raises(ValueError, match=rf"\[0, 400\].*start={start}, stop="):
        split.read(start, stop)


def test_a_log_without_dense_columns_has_none_in_its_files(tmp_path):
    schema = zoo.FeatureSchema(dense=[], categorical={"a": 10})
    ids = np.tile(np.arange(8, dtype="int32"), 2)[:, None]
    columns = {"label": np.zeros(16, "int8"), "ids": ids}
    write_part(tmp_path / "part-00000.arrow", columns, schema, 8)
    split = Split.open(tmp_path, schema)
    inputs, _ = split.read(6, 10)
    assert inputs["dense"].shape == (4, 0)
    assert inputs["ids"][:, 0].tolist() == [6, 7, 0, 1]
    assert zoo.ClickBatches(split, 16, True)[0][0]["dense"].shape == (16, 0)


def test_hugging_face_reads_the_same_files(folder):
    datasets = pytest.importorskip(
        "datasets", reason="Hugging Face datasets is not installed"
    )
    rows = datasets.Dataset.from_file(
        str(folder / "train" / "part-00000.arrow")
    )
    assert rows[110]["ids"] == [110, 110 % 7]


def test_a_split_travels_to_another_process(folder):
    split = Split.open(folder / "train", SCHEMA)
    copy = pickle.loads(pickle.dumps(split))
    np.testing.assert_array_equal(copy.inputs["ids"], split.inputs["ids"])
    memory = Split(split.inputs, split.labels)
    copy = pickle.loads(pickle.dumps(memory))
    np.testing.assert_array_equal(copy.labels, split.labels)


def test_arrays_of_different_lengths_are_refused():
    arrays = columns_of(0, 5)
    with pytest.raises(ValueError, match="as many rows as.*labels of 4"):
        Split({"dense": arrays["dense"], "ids": arrays["ids"]}, np.zeros(4))
    with pytest.raises(ValueError, match="keys 'dense' and 'ids'"):
        Split({"ids": arrays["ids"]}, arrays["label"])


def spoil(folder, column, row, value):
    columns = columns_of(230, 400)
    columns[column][row] = value
    write_part(folder / "train" / "part-00001.arrow", columns, SCHEMA, 170)
    return Split.open(folder / "train", SCHEMA)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    "column, value, message",
    [
        ("ids", [3, 7], r"`ids` of field 'b' must be in \[0, 7\).*id 7 in row"),
        ("ids", [-1, 3], r"`ids` of field 'a' must be in \[0, 1000\).*id -1"),
        ("dense", np.nan, "`dense` column 'price' must be finite.*nan"),
        ("dense", -np.inf, "`dense` column 'price' must be finite.*inf"),
        ("label", 2, r"`label` must be 0 or 1.*2\]"),
        ("label", -1, r"`label` must be 0 or 1.*-1"),
    ],
)
@pytest.mark.parametrize("row", [0, 100, 169])
def test_a_value_out_of_range_names_its_file(
    folder, shuffle, column, value, message, row
):
    split = spoil(folder, column, row, value)
    batches = zoo.ClickBatches(split, 64, shuffle)
    with pytest.raises(ValueError, match=f"part-00001.arrow, .*{message}"):
        list(batches)


def test_rows_before_the_bad_one_can_be_read(folder):
    split = spoil(folder, "ids", 100, [3, 7])
    split.read(0, 330)
    with pytest.raises(ValueError, match="in the 10 rows from 95 on.*in row 5"):
        split.read(325, 335)


@pytest.mark.parametrize(
    "columns, message",
    [
        (
            COLUMNS.set(2, pa.field("ids", pa.list_(pa.int32(), 3))),
            "`ids`: 2 x int32, .*Received: .*`ids`: 3 x int32",
        ),
        (
            COLUMNS.set(2, pa.field("ids", pa.list_(pa.int64(), 2))),
            "Received: .*`ids`: 2 x int64",
        ),
        (
            COLUMNS.set(1, pa.field("dense", pa.list_(pa.float32()))),
            "`dense`: 1 x float, .*Received: .*`dense`: list<",
        ),
        (COLUMNS.set(0, pa.field("label", pa.int32())), "`label`: int8"),
        (COLUMNS.remove(0), "`label`: int8.*Received: `dense`"),
        (COLUMNS.append(pa.field("x", pa.int8())), "Received: .*`x`: int8"),
    ],
)
def test_other_columns_are_refused(folder, columns, message):
    with pa.ipc.new_stream(folder / "train" / "part-00001.arrow", columns):
        pass
    with pytest.raises(ValueError, match=f"part-00001.arrow: .*{message}"):
        zoo.EncodedLog.load(folder)


def test_missing_values_are_refused(folder):
    columns = {**columns_of(0, 4), "label": [0, 1, None, 0]}
    write_part(folder / "train" / "part-00001.arrow", columns, SCHEMA)
    with pytest.raises(ValueError, match="part-00001.arrow.*`label`.*nulls"):
        zoo.EncodedLog.load(folder)


def test_compressed_columns_are_refused(folder):
    write_part(
        folder / "train" / "part-00001.arrow",
        columns_of(0, 5000),
        SCHEMA,
        5000,
        options=pa.ipc.IpcWriteOptions(compression="zstd"),
    )
    with pytest.raises(ValueError, match="part-00001.arrow.*compressed"):
        zoo.EncodedLog.load(folder)


@pytest.mark.parametrize("kept", [0, 3, 100, 1000, 2000, 3500])
def test_a_part_that_was_cut_off_is_refused(folder, kept):
    path = folder / "train" / "part-00000.arrow"
    content = path.read_bytes()
    assert len(content) > 3600
    path.write_bytes(content[:kept])
    with pytest.raises(
        ValueError, match="(part-00000.arrow|/train with .* rows)"
    ) as error:
        zoo.EncodedLog.load(folder)
    assert "prepare` again" in str(error.value)


def test_a_file_of_something_else_is_refused(folder):
    (folder / "train" / "part-00001.arrow").write_text("a,b\n1,2\n" * 100)
    with pytest.raises(ValueError, match="not an Arrow stream.*part-00001"):
        zoo.EncodedLog.load(folder)


def test_a_missing_part_is_noticed(folder):
    (folder / "train" / "part-00001.arrow").unlink()
    with pytest.raises(
        ValueError, match="400 rows.*Received: .*/train with 230 rows"
    ):
        zoo.EncodedLog.load(folder)
    (folder / "train" / "part-00000.arrow").unlink()
    with pytest.raises(FileNotFoundError, match="Received: .*/train"):
        zoo.EncodedLog.load(folder)


def test_the_earlier_format_must_be_prepared_again(folder):
    (folder / "train.parquet").write_bytes(b"PAR1")
    with pytest.raises(ValueError, match="Parquet.*prepare` again.*Received"):
        zoo.EncodedLog.load(folder)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"splits": {"train": {}}}', '{"splits": {}}']
)
def test_a_damaged_summary_is_refused(folder, text):
    (folder / "summary.json").write_text(text)
    with pytest.raises(ValueError, match="prepare` again.*summary.json"):
        zoo.EncodedLog.load(folder)


def test_a_folder_of_something_else_is_refused(folder):
    (folder / "summary.json").unlink()
    with pytest.raises(FileNotFoundError, match="summary.json"):
        zoo.EncodedLog.load(folder)
    with pytest.raises(FileNotFoundError, match="prepare`. Received: .*train"):
        zoo.EncodedLog.load(folder / "train")
