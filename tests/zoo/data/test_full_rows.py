"""Rows with sequences, several labels and weights, from files and memory."""

import pickle
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

import zoo
from tests.zoo.data import full_log
from zoo.data import row_sample
from zoo.data import split as split_module
from zoo.data.row_sample import sample_rows
from zoo.data.rows import cut
from zoo.data.shuffled_rows import ShuffledRows
from zoo.encoding.row_files import RowLayout

pytestmark = pytest.mark.one_backend(reason="rows are read without it")

ROWS = 400
KINDS = {
    "everything": full_log.SCHEMA,
    "sequences": full_log.schema_with(labels=1, weight=False),
    "weights": full_log.schema_with(sequences=False, labels=1),
    "labels": full_log.schema_with(sequences=False, weight=False),
}


@pytest.fixture(params=KINDS)
def schema(request):
    return KINDS[request.param]


@pytest.fixture
def columns(schema):
    return full_log.columns_of(ROWS, schema)


@pytest.fixture
def split(tmp_path, columns, schema):
    """Two files of several record batches."""
    return full_log.write_split(tmp_path, columns, schema)


def test_rows_come_back_padded(split, columns, schema):
    expected = full_log.rows_of(columns, schema)
    for start, stop in ((0, 400), (0, 100), (90, 110), (150, 390), (7, 7)):
        full_log.assert_same(
            split.read(start, stop), cut(expected, start, stop)
        )
    blocks = list(split.blocks())
    assert [len(rows[1]) for rows in blocks] == [100, 100, 30, 100, 70]
    for start, rows in zip((0, 100, 200, 230, 330), blocks, strict=True):
        full_log.assert_same(rows, cut(expected, start, start + len(rows[1])))
    ranges = [(350, 400), (5, 5), (95, 235), (0, 1)]
    gathered = split.gather(ranges, split.empty(300))
    for start, (first, last) in zip((0, 50, 50, 190), ranges, strict=True):
        full_log.assert_same(
            cut(gathered, start, start + last - first),
            cut(expected, first, last),
        )
    assert len(gathered[1]) == 191


def test_whole_columns_can_be_read(split, columns, schema):
    inputs, labels, *weights = full_log.rows_of(columns, schema)
    full_log.assert_same((split.inputs, split.labels), (inputs, labels))
    assert split.label_names == schema.labels
    if schema.weight is None:
        assert split.weights is None
    else:
        np.testing.assert_array_equal(split.weights, weights[0])


def test_a_split_in_memory_reads_alike(split, columns, schema):
    rows = full_log.rows_of(columns, schema)
    memory = zoo.Split(*rows[:2], *rows[2:], label_names=schema.labels)
    full_log.assert_same(memory.read(90, 110), split.read(90, 110))
    ranges = [(350, 400), (95, 235)]
    full_log.assert_same(
        memory.gather(ranges, memory.empty(190)),
        split.gather(ranges, split.empty(190)),
    )
    for copy in map(pickle.loads, map(pickle.dumps, (memory, split))):
        full_log.assert_same(copy.read(0, ROWS), rows)
        assert copy.label_names == schema.labels


def test_a_shuffled_split_is_the_plain_rows_permuted(
    monkeypatch, split, columns, schema
):
    monkeypatch.setattr("zoo.data.shuffled_rows.CHUNK_ROWS", 8)
    monkeypatch.setattr("zoo.data.shuffled_rows.WINDOW_ROWS", 128)
    rows = full_log.rows_of(columns, schema)
    plain = zoo.Split(
        {name: rows[0][name] for name in ("dense", "ids")},
        np.zeros(ROWS, "int8"),
    )
    for epoch in (0, 1):
        # The row's number is its first id.
        order = ShuffledRows(plain, 3).read(epoch, 0, ROWS)[0]["ids"][:, 0]
        assert sorted(order) == list(range(ROWS))
        shuffled = ShuffledRows(split, 3)
        for start, stop in ((0, 400), (120, 300)):
            expected = cut(
                (
                    {name: array[order] for name, array in rows[0].items()},
                    *(array[order] for array in rows[1:]),
                ),
                start,
                stop,
            )
            full_log.assert_same(shuffled.read(epoch, start, stop), expected)


def test_a_sample_keeps_all_of_a_row(monkeypatch, split, columns, schema):
    monkeypatch.setattr(row_sample, "CHUNK_ROWS", 64)
    sample = sample_rows(split, 150, seed=0)
    numbers = sample.inputs["ids"][:, 0]
    assert np.all(np.diff(numbers) > 0) and len(numbers) == 150
    inputs, *others = full_log.rows_of(columns, schema)
    expected = {name: array[numbers] for name, array in inputs.items()}
    full_log.assert_same(
        sample.read(0, 150), (expected, *(array[numbers] for array in others))
    )
    assert sample.label_names == schema.labels


IDS = st.integers(0, 29)


@settings(deadline=None, max_examples=50)
@given(
    lists=st.lists(st.lists(IDS, max_size=4), min_size=1, max_size=40),
    rows_per_block=st.integers(1, 15),
    data=st.data(),
)
def test_lists_of_any_length_are_padded(
    tmp_path_factory, lists, rows_per_block, data
):
    schema = zoo.FeatureSchema(
        [],
        {"item": 30},
        sequences={"history": zoo.Sequence("item", max_length=4)},
    )
    rows = len(lists)
    columns = {
        "label": np.zeros(rows, "int8"),
        "ids": np.zeros((rows, 1), "int32"),
        "sequence_0": lists,
    }
    folder = tmp_path_factory.mktemp("lists")
    full_log.write_part(
        folder / "part-00000.arrow", columns, schema, rows_per_block
    )
    split = zoo.Split.open(folder, schema)
    start = data.draw(st.integers(0, rows))
    stop = data.draw(st.integers(start, rows))
    expected = full_log.padded(lists[start:stop], 4)
    read = split.read(start, stop)[0]["history"]
    np.testing.assert_array_equal(read, expected)
    inputs = split.gather([(start, stop)], split.empty(stop - start))[0]
    np.testing.assert_array_equal(inputs["history"], expected)


def test_a_log_of_empty_lists_alone_can_be_read(tmp_path):
    columns = full_log.columns_of(20)
    columns["sequence_0"] = [[]] * 20
    split = full_log.write_split(tmp_path, columns, parts=(20,))
    assert (split.read(0, 20)[0]["history"] == -1).all()
    rows = split.gather([(3, 9)], split.empty(6))
    assert (rows[0]["history"] == -1).all()


def test_pages_of_lists_are_released(tmp_path, monkeypatch):
    columns = full_log.columns_of(200)
    split = full_log.write_split(tmp_path, columns, parts=(200,))
    lists = [columns["sequence_0"], columns["sequence_1"]]
    ids = sum(len(ids) for column in lists for ids in column[:100])
    # Labels, the weight, one number and two ids a row; the lists' borders.
    read = 100 * (2 + 4 + 4 + 8) + 2 * 4 * 101 + 4 * ids
    released = []
    part = split._parts[0]
    monkeypatch.setattr(part, "release", lambda: released.append(part))
    for most, count in ((read, 1), (read + 1, 0)):
        monkeypatch.setattr(split_module, "RELEASE_BYTES", most)
        split._unreleased = 0
        released.clear()
        split.read(0, 100)
        assert len(released) == count


def both_ways(split, match):
    """Checks that reading and shuffling fail alike."""
    with pytest.raises(ValueError, match=match):
        split.read(0, ROWS)
    with pytest.raises(ValueError, match=match):
        ShuffledRows(split, 0).read(0, 0, ROWS)


def spoiled(folder, column, row, value):
    columns = full_log.columns_of(ROWS)
    columns[column][row] = value
    return full_log.write_split(folder, columns)


@pytest.mark.parametrize(
    "column, value, message",
    [
        ("sequence_0", [3, 5000], r"`history` must be in \[0, 5000\).*id 5000"),
        ("sequence_0", [-1], r"`history` must be in \[0, 5000\).*id -1 in row"),
        ("sequence_1", [2, 30, 1], r"`tags` must be in \[0, 30\).*id 30 in"),
        ("sequence_1", [1] * 4, "`tags` must have from 0 to 3 ids.*: 4 in row"),
        ("labels", [0, 2], "`purchase` must be 0, 1, or -1 .*: 2 in row"),
        ("labels", [-2, 0], "`click` must be 0, 1, or -1 .*: -2 in row"),
        (
            "labels",
            [-1, -1],
            "A row must have one of .*'click', 'purchase'.*: none in row",
        ),
        ("weight", -0.5, "`weight` must be finite and not negative.*: -0.5 in"),
        ("weight", np.nan, "`weight` must be finite.*Received: nan in row"),
        ("weight", np.inf, "`weight` must be finite.*Received: inf in row"),
    ],
)
@pytest.mark.parametrize("row", [230, 300, 399])
def test_a_value_out_of_range_names_its_file_and_row(
    tmp_path, column, value, message, row
):
    split = spoiled(tmp_path, column, row, value)
    both_ways(split, f"part-00001.arrow, in the .* rows from .*: {message}")
    split.read(0, 230)
    # Rows before and behind it can be read.
    split.read(row - 20, row)
    split.read(row + 1, ROWS)
    first = max(row - 5, 230)
    with pytest.raises(
        ValueError,
        match=rf"in the {row + 1 - first} rows from {first - 230} on: "
        rf".*row {row - first}$",
    ):
        split.read(first, row + 1)


def test_one_label_with_a_weight_cannot_be_missing(tmp_path):
    schema = KINDS["weights"]
    columns = full_log.columns_of(ROWS, schema)
    columns["label"][300] = -1
    split = full_log.write_split(tmp_path, columns, schema)
    both_ways(split, "part-00001.arrow, .*`click` must be 0 or 1.*-1")


@pytest.mark.parametrize(
    "column, value",
    [("sequence_0", None), ("sequence_1", [1, None]), ("sequence_0", [None])],
)
def test_missing_lists_and_ids_are_refused(tmp_path, column, value):
    with pytest.raises(
        ValueError, match=f"00001.arrow: `{column}`.*nulls in the rows from 100"
    ):
        spoiled(tmp_path, column, 390, value)


def overwrite(split, view, values):
    """Replaces bytes of the first file by others, and opens it again."""
    part = split._parts[0]
    content = bytearray(part.path.read_bytes())
    start = view.ctypes.data - part._address
    assert bytes(content[start : start + view.nbytes]) == view.tobytes()
    content[start : start + view.nbytes] = np.array(values, "int32").tobytes()
    # A new file: that which is mapped must not become shorter.
    part.path.unlink()
    part.path.write_bytes(content)
    return zoo.Split.open(part.path.parent, full_log.SCHEMA)


@pytest.mark.parametrize(
    "value, received",
    [
        (2**30, r"Received: \d+ in row 49"),
        (-5, r"Received: -\d+ in row 49"),
        (-(2**31), ""),
    ],
)
def test_damaged_borders_of_lists_are_noticed(tmp_path, value, received):
    split = full_log.write_split(tmp_path, full_log.columns_of(ROWS))
    offsets = split._blocks[0].columns[0]["history"].offsets
    split = overwrite(split, offsets[50:51], [value])
    rule = "`history` must have from 0 to 7 ids"
    both_ways(split, f"part-00000.arrow, in the .* rows .*{rule}.*{received}")


def test_lists_that_lie_outside_the_file_are_noticed(tmp_path):
    split = full_log.write_split(tmp_path, full_log.columns_of(ROWS))
    offsets = split._blocks[0].columns[0]["history"].offsets
    split = overwrite(split, offsets[40:61], np.arange(21) + 2**30)
    with pytest.raises(ValueError, match="part-00000.arrow, .*`history` must"):
        split.read(40, 60)
    with pytest.raises(ValueError, match="that were written. Received: those"):
        split.gather([(40, 60)], split.empty(20))


COLUMNS = RowLayout.of(full_log.SCHEMA).columns()


@pytest.mark.parametrize(
    "columns, message",
    [
        (
            COLUMNS.set(4, pa.field("sequence_0", pa.list_(pa.int64()))),
            "`sequence_0`: list<int32>.*Received: .*`sequence_0`: list<int64>",
        ),
        (
            COLUMNS.set(4, pa.field("sequence_0", pa.large_list(pa.int32()))),
            "Received: .*`sequence_0`: large_list<item: int32>",
        ),
        (
            COLUMNS.set(4, pa.field("sequence_0", pa.list_(pa.int32(), 7))),
            "Received: .*`sequence_0`: 7 x int32",
        ),
        (COLUMNS.remove(5), "`sequence_1`: list.*Received: .*"),
        (
            COLUMNS.set(0, pa.field("labels", pa.list_(pa.int8(), 3))),
            "`labels`: 2 x int8.*Received: `labels`: 3 x int8",
        ),
        (COLUMNS.set(0, pa.field("label", pa.int8())), "Received: `label`"),
        (COLUMNS.remove(1), "`weight`: float.*Received: `labels`.*`dense`"),
    ],
)
def test_other_columns_are_refused(tmp_path, columns, message):
    path = tmp_path / "part-00000.arrow"
    with pa.ipc.new_stream(path, columns):
        pass
    with pytest.raises(ValueError, match=f"part-00000.arrow: .*{message}"):
        zoo.Split.open(tmp_path, full_log.SCHEMA)


def test_the_name_of_a_list_s_items_does_not_matter(tmp_path):
    columns = full_log.columns_of(30)
    full_log.write_split(tmp_path, columns, parts=(30,))
    path = tmp_path / "part-00000.arrow"
    table = pa.ipc.open_stream(path).read_all()
    items = pa.list_(pa.field("element", pa.int32()))
    renamed = table.schema.set(4, pa.field("sequence_0", items))
    path.unlink()
    with pa.ipc.new_stream(path, renamed) as writer:
        writer.write_table(table.cast(renamed))
    split = zoo.Split.open(tmp_path, full_log.SCHEMA)
    full_log.assert_same(split.read(0, 30), full_log.rows_of(columns))


@pytest.mark.parametrize("kept", [0, 3, 100, 1000, 2000, 5000])
def test_a_part_that_was_cut_off_is_refused(tmp_path, kept):
    full_log.write_split(tmp_path, full_log.columns_of(ROWS))
    path = tmp_path / "part-00000.arrow"
    content = path.read_bytes()
    assert len(content) > 10_000
    path.unlink()
    path.write_bytes(content[:kept])
    try:
        split = zoo.Split.open(tmp_path, full_log.SCHEMA)
    except ValueError as error:
        assert re.search("prepare` again.*part-00000.arrow", str(error))
    else:
        # Whole record batches alone are left; `EncodedLog` counts rows.
        assert len(split) < ROWS


def test_arrays_that_do_not_fit_each_other_are_refused():
    inputs, labels, weights = full_log.rows_of(full_log.columns_of(5))
    names = full_log.SCHEMA.labels
    zoo.Split(inputs, labels, weights, names)
    with pytest.raises(
        ValueError, match=r"`labels` must have shape \(5,\).*5, 2"
    ):
        zoo.Split(inputs, labels)
    with pytest.raises(ValueError, match=r"shape \(5, 2\).*\['click', 'purch"):
        zoo.Split(inputs, labels[:, 0], label_names=names)
    for wrong in (weights[:4], weights[:, None]):
        with pytest.raises(ValueError, match=r"`weights` must have shape \(5,"):
            zoo.Split(inputs, labels, wrong, names)
    with pytest.raises(ValueError, match=r"inputs\['tags'\].*\(rows, width\)"):
        zoo.Split({**inputs, "tags": weights}, labels, weights, names)
    short = inputs["history"][:4]
    with pytest.raises(ValueError, match="as many rows as.*'history': 4"):
        zoo.Split({**inputs, "history": short}, labels, weights, names)
