import pickle
import subprocess
import sys

import pyarrow as pa
import pytest

pytest.importorskip(
    "pyspark",
    reason="PySpark, an extra, is not installed: "
    "`nox -s 'tests(torch)'` has it",
)

from pyspark import cloudpickle

from tests.zoo.encoding.logs import read_split
from zoo.encoding.row_files import RowLayout
from zoo.encoding.spark.parts import Layout
from zoo.encoding.spark.parts import distributed
from zoo.encoding.spark.parts import write_parts


@pytest.fixture
def layout(tmp_path):
    for name in ("work", "train", "test"):
        (tmp_path / name).mkdir()
    rows = RowLayout(num_dense=1, vocabulary_sizes=(70, 9))
    return Layout(tmp_path, tmp_path / "work", ("train", "test"), rows, 4)


def make_batch(row_ids):
    count = len(row_ids)
    return pa.record_batch(
        {
            "row_id": pa.array(row_ids, pa.int64()),
            "split": pa.array(["train"] * count, pa.string()),
            "label": pa.array([1] * count, pa.int8()),
            "dense_0": pa.array([0.5] * count, pa.float32()),
            "field_0": pa.array([69] * count, pa.int32()),
            "field_1": pa.array([8] * count, pa.int32()),
        }
    )


def test_write_parts(layout, tmp_path):
    batches = [make_batch(rows) for rows in ([4], [], [5, 6])]
    (tally,) = write_parts(iter(batches), layout)
    assert sum(tally["rows"].to_pylist()) == 3
    assert sum(tally["clicks_0"].to_pylist()) == 3
    assert (
        sum(int(b).bit_count() for b in tally["bits"].to_numpy().view("uint64"))
        == 2
    )
    assert [p.name for p in tmp_path.glob("t*/*")] == ["part-00001.arrow"]
    assert read_split(tmp_path, "train")["ids"].to_pylist() == [[69, 8]] * 3
    assert list(write_parts(iter([make_batch([])]), layout)) == []


@pytest.mark.parametrize(
    "rows", [[[4, 6]], [[4, 4]], [[5, 4]], [[4], [6]], [[5], [6]]]
)
def test_rows_out_of_order_are_noticed(layout, tmp_path, rows):
    with pytest.raises(RuntimeError, match="Spark lost"):
        list(write_parts(iter(map(make_batch, rows)), layout))
    assert not list(tmp_path.glob("t*/*"))


def test_folder_that_is_not_shared(layout):
    layout.work.rmdir()
    with pytest.raises(FileNotFoundError, match="share.*Received: "):
        list(write_parts(iter([make_batch([0])]), layout))


def test_executors_need_neither_keras_nor_this_package(layout, tmp_path):
    with distributed(layout) as write_parts:
        data = cloudpickle.dumps(write_parts)
    (tmp_path / "data").write_bytes(data)
    program = (
        "import pickle, sys; write = pickle.load(open('data', 'rb')); "
        "list(write(iter([]))); "
        "assert not {'zoo', 'keras', 'keras_cowclip'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    assert pickle.loads(data)
