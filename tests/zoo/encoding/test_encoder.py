"""Raw rows in memory: the same result as offline, from any container."""

import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from tests.zoo.encoding.logs import read_split
from zoo import FeatureSchema
from zoo.datasets import AVAZU
from zoo.datasets import CRITEO
from zoo.encoding import ClickEncoder
from zoo.encoding import prepare

TRAIN = [
    ("-3", "1005", "x"),
    ("", "1005", ""),
    ("7", "17", "y"),
    ("4", "", "x"),
]


@pytest.fixture
def folder(make_lines, prepare_text):
    lines = make_lines(TRAIN, other=("0", "17", "x"))
    return prepare_text("\n".join(lines))[0] / "encoder"


@pytest.fixture
def encoder(folder):
    return ClickEncoder.load(folder)


def equal(first, second):
    assert first.keys() == second.keys() == {"dense", "ids"}
    for name, array in first.items():
        assert array.dtype == second[name].dtype
        np.testing.assert_array_equal(array, second[name])


# The encoded four training rows: a: 17 before 1005 because the other
# training rows hold it too, b: x before y.
IDS = [[3, 2], [3, 0], [2, 3], [0, 2]]
DENSE = np.float32([[0], [0.3], [1], [0.7]])


@pytest.mark.parametrize(
    "rows",
    [
        [
            {"n": "-3", "a": "1005", "b": "x"},
            {"n": "", "a": "1005", "b": ""},
            {"n": "7", "a": "17", "b": "y"},
            {"n": "4", "a": "", "b": "x"},
        ],
        [
            {"n": -3, "a": 1005, "b": "x", "click": 1},
            {"n": None, "a": 1005.0, "b": None},
            {"n": 7.0, "a": np.int32(17), "b": "y", "z": b""},
            {"n": np.float32(4), "a": float("nan"), "b": "x"},
        ],
        pd.DataFrame(
            {
                "b": ["x", None, "y", "x"],
                "n": [-3, np.nan, 7, 4],  # floats because of the NaN
                "a": [1005, 1005, 17, np.nan],
            }
        ),
        pd.DataFrame(
            {
                "n": pd.array([-3, None, 7, 4], "Int64"),
                "a": pd.Categorical(["1005", "1005", "17", None]),
                "b": pd.array(["x", pd.NA, "y", "x"], "string"),
            },
            index=[9, 9, 1, 0],
        ),
        pd.DataFrame(
            {
                "n": pd.Series([-3, "", "7", 4.0], dtype=object),
                "a": pd.Series([1005, "1005", 17.0, pd.NA], dtype=object),
                "b": pd.Series(["x", float("nan"), "y", "x"], dtype=object),
            }
        ),
        pa.table(
            {
                "n": pa.array([-3, None, 7, 4], pa.int16()),
                "a": pa.array(["1005", "1005", "17", None]),
                "b": pa.array(["x", "", "y", "x"]).dictionary_encode(),
            }
        ),
        pa.table(
            {
                "n": pa.array([-3.0, float("nan"), 7, 4], pa.float64()),
                "a": pa.array([1005, 1005, 17, None], pa.uint64()),
                "b": pa.array(["x", "", "y", "x"], pa.large_string()),
            }
        ),
    ],
    ids=[
        "text",
        "numbers",
        "pandas",
        "pandas_types",
        "pandas_objects",
        "arrow",
        "arrow_floats",
    ],
)
def test_every_container_gives_the_same(encoder, rows):
    encoded = encoder.encode(rows)
    assert encoded["ids"].dtype == np.int32
    assert encoded["ids"].tolist() == IDS
    np.testing.assert_array_equal(encoded["dense"], DENSE)


def test_unseen_tokens(encoder):
    rows = [{"n": 0, "a": "10050", "b": "X"}, {"n": 0, "a": " 17", "b": " "}]
    assert encoder.encode(rows)["ids"].tolist() == [[1, 1], [1, 1]]


def test_no_rows(encoder):
    for rows in ([], pa.table({"n": [], "a": [], "b": []})):
        encoded = encoder.encode(rows)
        assert encoded["dense"].shape == (0, 1)
        assert encoded["ids"].shape == (0, 2)


def test_columns_without_a_value(encoder):
    table = pa.table({n: pa.nulls(3) for n in "nab"})
    frame = pd.DataFrame({n: [None] * 3 for n in "nab"})
    for rows in (table, frame):
        assert not encoder.encode(rows)["ids"].any()


def test_order_of_many_rows_is_kept(encoder):
    tokens = np.random.default_rng(0).choice(["17", "1005", "?"], 200_000)
    table = pa.table({"n": np.arange(200_000) % 8, "a": tokens, "b": tokens})
    expected = [{"17": 2, "1005": 3, "?": 1}[t] for t in tokens]
    assert encoder.encode(table)["ids"][:, 0].tolist() == expected


def test_schema(encoder):
    assert encoder.schema == FeatureSchema(
        dense=["n"], categorical={"a": 4, "b": 4}
    )
    encoder.schema.check(encoder.encode([{"n": 10**18 - 1, "a": 1, "b": 2}]))


def test_save_and_load(encoder, tmp_path):
    encoder.save(tmp_path / "again")
    again = ClickEncoder.load(tmp_path / "again")
    rows = [{"n": n, "a": a, "b": b} for n, a, b in TRAIN]
    equal(again.encode(rows), encoder.encode(rows))
    assert again.schema == encoder.schema
    assert again.log_format == encoder.log_format
    files = sorted(p.name for p in (tmp_path / "again").rglob("*.*"))
    assert files == ["a.parquet", "b.parquet", "encoder.json"]


def test_vocabularies_are_found_from_anywhere(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(folder)
    encoder = ClickEncoder.load(".")
    monkeypatch.chdir(tmp_path)
    assert encoder.encode([{"n": 1, "a": "17", "b": "x"}])["ids"].min() > 1


def test_field_names_that_are_no_file_names(tmp_path, tiny, make_lines):
    names = {"a": "a/../b*[c]'", "b": "..", "n": 'n"; --'}
    log_format = type(tiny)(
        name="odd",
        columns=tuple(names.get(n, n) for n in tiny.columns),
        label="click",
        dense=(names["n"],),
        categorical=(names["a"], names["b"]),
        test_fraction=0.25,
        validation_fraction=0.25,
    )
    (tmp_path / "raw").write_text("\n".join(make_lines(TRAIN)))
    prepare(log_format, tmp_path / "raw", tmp_path / "out", show_progress=False)
    encoder = ClickEncoder.load(tmp_path / "out" / "encoder")
    row = {names["n"]: 7, names["a"]: "17", names["b"]: "y"}
    assert encoder.encode([row])["ids"].min() > 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "raw"]


def test_threads_may_encode_at_a_time(encoder):
    results = {}

    def work(i):
        rows = [{"n": 7, "a": ("17", "1005")[i % 2], "b": "x"}] * (i + 1)
        for _ in range(5):
            results[i] = encoder.encode(rows)["ids"].tolist()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {i: [[2 + i % 2, 2]] * (i + 1) for i in range(4)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": 1.5}, "column 'n' of row 1.*Received: 1.5"),
        ({"a": float("inf")}, "column 'a' of row 1.*Received: inf"),
        ({"a": 2.0**60}, "column 'a' of row 1.*Received: 1.15"),
        ({"a": b"x"}, "column 'a' of row 1.*Received: b'x'"),
        ({"a": ["x"]}, r"column 'a' of row 1.*Received: \['x'\]"),
        ({"n": "many"}, "column 'n', and row 1.*Received: 'many'"),
        ({"n": "1.5"}, "column 'n', and row 1.*Received: '1.5'"),
        ({"n": 10**18}, "column 'n', and row 1.*Received: '1000"),
    ],
)
def test_bad_values(encoder, change, message):
    good = {"n": 1, "a": "x", "b": "y"}
    rows = [good, {**good, **change}]
    with pytest.raises(ValueError, match=message):
        encoder.encode(rows)
    with pytest.raises(ValueError, match=message):
        encoder.encode(pd.DataFrame(rows))


@pytest.mark.parametrize(
    ("kind", "bits"), [("float16", 11), ("float32", 24), ("float64", 53)]
)
def test_floats_must_tell_integers_apart(encoder, kind, bits):
    n = np.array([1, 2**bits], kind)
    for last in (2**bits, 2 ** (bits + 1)):
        n[1] = last
        for rows in (
            [{"n": x, "a": "x", "b": "y"} for x in n],
            pd.DataFrame({"n": n, "a": "x", "b": "y"}),
            pa.table({"n": n, "a": ["x"] * 2, "b": ["y"] * 2}),
        ):
            if last == 2**bits:
                encoder.encode(rows)
                continue
            with pytest.raises(ValueError, match="column 'n' of row 1.*Rec"):
                encoder.encode(rows)


@pytest.mark.parametrize("name", ["n", "a", "b"])
def test_missing_column(encoder, name):
    good = {"n": 1, "a": "x", "b": "y"}
    bad = {n: v for n, v in good.items() if n != name}
    with pytest.raises(ValueError, match=f"'{name}'.*Received: row 1"):
        encoder.encode([good, bad])
    for rows in (pd.DataFrame([bad]), pa.Table.from_pylist([bad])):
        with pytest.raises(ValueError, match=f"'{name}' once.*Received: "):
            encoder.encode(rows)


@pytest.mark.parametrize("rows", [None, "text", {"n": 1}, [1], np.ones(3)])
def test_rows_of_another_kind(encoder, rows):
    with pytest.raises(ValueError, match="`rows` must be.*Received: <class"):
        encoder.encode(rows)


@pytest.mark.parametrize("name", ["encoder.json", "vocabulary/a.parquet"])
def test_load_without_a_file(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"Received: .*{name}"):
        ClickEncoder.load(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"log_format": {}}'])
def test_load_of_another_json(folder, text):
    (folder / "encoder.json").write_text(text)
    with pytest.raises(ValueError, match=r"encoder\.json: must.*Received: "):
        ClickEncoder.load(folder)


def test_load_with_the_vocabulary_of_another(folder):
    path = folder / "vocabulary" / "a.parquet"
    pa.parquet.write_table(pa.parquet.read_table(path)[:1], path)
    with pytest.raises(ValueError, match=r"a\.parquet.*Received: 1 tokens"):
        ClickEncoder.load(folder)


@pytest.mark.parametrize(
    ("name", "log_format"),
    [
        ("criteo_kaggle_10k/train.txt", CRITEO),
        ("criteo_1tb_10k/day_0", CRITEO),
        ("avazu_10k/train", AVAZU),
    ],
)
@pytest.mark.parametrize(
    "options", [{}, {"dense_transform": "log", "min_count": 3}]
)
def test_memory_equals_offline(
    sample, split_of, tmp_path, name, log_format, options
):
    source = sample(name)
    output = tmp_path / "out"
    prepare(log_format, source, output, show_progress=False, **options)
    lines = source.read_text().splitlines()[log_format.header :]
    rows = [
        dict(
            zip(
                log_format.columns,
                line.split(log_format.delimiter),
                strict=True,
            )
        )
        for line in lines
    ]
    encoded = ClickEncoder.load(output / "encoder").encode(rows)
    frame = pd.DataFrame(rows)
    equal(ClickEncoder.load(output / "encoder").encode(frame), encoded)
    seen = 0
    fractions = (log_format.test_fraction, log_format.validation_fraction)
    drawn = np.array([split_of(i, 0, *fractions) for i in range(len(rows))])
    for split in ("train", "validation", "test"):
        table = read_split(output, split)
        index = np.flatnonzero(drawn == split)
        label = [int(rows[i][log_format.label]) for i in index]
        assert table["label"].to_pylist() == label
        _check_column(table, "ids", encoded["ids"][index])
        if log_format.dense:
            _check_column(table, "dense", encoded["dense"][index])
        seen += len(index)
    assert seen == len(rows)


def _check_column(table, name, expected):
    column = table[name].combine_chunks()
    values = column.flatten().to_numpy().reshape(len(column), -1)
    np.testing.assert_array_equal(values, expected)
