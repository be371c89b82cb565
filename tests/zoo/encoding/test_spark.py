"""Spark gives the same folder as DuckDB, and the same errors."""

import dataclasses
import functools
import gzip
import hashlib
import json
import shutil
import sys
import zipfile
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

pytest.importorskip(
    "pyspark",
    reason="PySpark, an extra, is not installed: "
    "`nox -s 'tests(torch)'` has it",
)

from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from tests.zoo.encoding import test_split_by_time as by_time
from tests.zoo.encoding.logs import read_split
from zoo import ListColumn
from zoo.datasets import AVAZU
from zoo.datasets import CRITEO
from zoo.encoding import ClickEncoder
from zoo.encoding import LogFormat
from zoo.encoding import prepare
from zoo.raw.raw_file import RawFile

pytestmark = pytest.mark.skipif(
    shutil.which("java") is None, reason="Spark needs Java, none is on PATH"
)

MASTER = "local[2]"
# A case that runs in `nox -s large`.
LARGE = functools.partial(pytest.param, marks=pytest.mark.large)
BLOCK_BYTES = 100_000
STRANGE = [
    *("NULL", "null", "nan", " ", " a", "a ", "0", "-1", "1.0", "é", "日本"),
    *('"quoted"', '"', "'", "a,b", "\\", "\\t", "${a}", "`a`", "%41", "#"),
    *("\u2028", "\x85", "\x0b", "\x00", "\ufeff", "x" * 20_000),
]


@pytest.fixture
def shop():
    """A log with every kind of column."""
    return LogFormat(
        name="shop",
        columns=("click", "n", "unused", "m", "day", "a", "b"),
        label="click",
        dense=("n", "m"),
        categorical=("day", "a", "b"),
        delimiter="|",
        day=("day", 8),
        test_fraction=0.2,
        validation_fraction=0.1,
    )


def make_rows(num_rows=5000, seed=0):
    """Rows of the log `shop`, with what is rare in real ones."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(num_rows):
        n = ("", "0", "-3", "007", "9" * 18, str(i % 99))[i % 17 % 6]
        m = str(rng.integers(-9, 999)) if i % 5 else ""
        day = f"202401{1 + i * 4 // num_rows:02d}{i % 24:02d}"
        a = f"a{rng.zipf(1.3)}" if i % 7 else ""
        b = STRANGE[i // 50 % len(STRANGE)] if i % 50 == 0 else f"b{i % 77}"
        rows.append([str(int(i % 3 == 0)), n, "u", m, day, a, b])
    return rows


def write(path, rows, delimiter="|", end="\n", header=None, start=""):
    """Writes rows as text, packed if the name says so."""
    lines = [delimiter.join(row) for row in rows]
    if header is not None:
        lines.insert(0, delimiter.join(header))
    data = (start + end.join(lines) + end).encode()
    if path.suffix == ".gz":
        data = gzip.compress(data)
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module", autouse=True)
def quick_start():
    """Keeps Java from optimizing code that runs for a minute only."""
    with pytest.MonkeyPatch.context() as patch:
        options = "--driver-java-options -XX:TieredStopAtLevel=1"
        patch.setenv("PYSPARK_SUBMIT_ARGS", f"{options} pyspark-shell")
        yield


@pytest.fixture(scope="module")
def session():
    """Spark, in small blocks, for all tests of this file."""
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.files.maxPartitionBytes": f"{BLOCK_BYTES}b",
        # Results must not depend on these settings.
        "spark.sql.ansi.enabled": "true",
        "spark.sql.parser.escapedStringLiterals": "true",
    }
    builder = SparkSession.builder.master(MASTER)
    session = builder.config(map=settings).getOrCreate()
    session.sparkContext.pythonExec = sys.executable
    session.range(3).createOrReplaceTempView("staged")
    yield session
    session.stop()


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr("zoo.encoding.spark.engine.ROWS_PER_PART", 1500)


@pytest.fixture
def check_same(session, small_parts, tmp_path):
    """Prepares a log with both engines and compares all that they write."""

    def check_same(log, source, name="out", **options):
        folders, summaries = [], []
        for engine in ("duckdb", "spark"):
            folder = tmp_path / engine / name
            summaries.append(
                prepare(
                    log,
                    source,
                    folder,
                    engine=engine,
                    show_progress=False,
                    **options,
                )
            )
            folders.append(folder)
        for summary in summaries:
            summary.pop("engine")
            summary.pop("versions")
        assert summaries[0] == summaries[1]
        for split in summaries[0]["splits"]:
            expected, received = (read_split(f, split) for f in folders)
            assert received.schema == expected.schema
            assert received.equals(expected)
        assert encoder_of(folders[0]) == encoder_of(folders[1])
        found = {p.name for p in folders[1].iterdir()}
        assert found == {p.name for p in folders[0].iterdir()}
        # The session of the user stays unchanged.
        assert SparkSession.getActiveSession() is session
        assert session.table("staged").count() == 3
        assert session.conf.get("spark.sql.ansi.enabled") == "true"
        return folders[1]

    return check_same


def encoder_of(folder):
    """What an encoder says, and the tables of its vocabularies."""
    folder = folder / "encoder"
    config = json.loads((folder / "encoder.json").read_text())
    # The same rows may lie in other blocks of a file.
    config.pop("vocabulary_sha256")
    paths = sorted(folder.glob("vocabulary/*"))
    tables = {p.name: pa.parquet.read_table(p) for p in paths}
    return config, tables


@pytest.fixture
def check_refused(session, tmp_path):
    """Prepares a log that both engines refuse in the same words."""

    def check_refused(log, source, pattern, **options):
        messages = []
        for engine in ("duckdb", "spark"):
            with pytest.raises(ValueError, match=pattern) as raised:
                prepare(
                    log,
                    source,
                    tmp_path / "out",
                    engine=engine,
                    show_progress=False,
                    **options,
                )
            messages.append(str(raised.value))
        assert messages[0] == messages[1]
        assert "Received: " in messages[0]
        assert not (tmp_path / "out").exists()

    return check_refused


@pytest.fixture
def spark_refused(tmp_path):
    """The message with which Spark refuses what DuckDB may take."""

    def spark_refused(log, source, error=ValueError, **options):
        with pytest.raises(error) as raised:
            prepare(
                log,
                source,
                tmp_path / "out",
                engine="spark",
                show_progress=False,
                **options,
            )
        assert "Received: " in str(raised.value)
        assert not (tmp_path / "out").exists()
        return str(raised.value)

    return spark_refused


def test_starts_and_stops_spark(tmp_path, tiny, make_lines, capfd):
    # First in this file, because Spark starts only once.
    assert SparkSession.getActiveSession() is None
    text = "\n".join(make_lines([("1", "x", "p")] * 20))
    (tmp_path / "raw.txt").write_text(text)
    options = {"engine": "spark", "spark_master": "local[1]"}
    summary = prepare(tiny, tmp_path / "raw.txt", tmp_path / "out", **options)
    assert SparkSession.getActiveSession() is None
    assert set(summary["versions"]) == {"keras_cowclip", "pyspark", "pyarrow"}
    captured = capfd.readouterr()
    assert captured.out == ""
    for stage in ("Reading raw", "Counting tokens", "Writing"):
        assert stage in captured.err
    assert "ERROR" not in captured.err.replace('log level to "ERROR"', "")


@pytest.mark.parametrize(
    "options",
    [
        {"min_count": 2, "seed": 7},
        LARGE(
            {
                "split": "sequential",
                "validation_fraction": 0.2,
                "max_vocabulary": 30,
                "dense_transform": "log",
                "fit_on": "all",
            }
        ),
        {"split": "day", "num_buckets": 500, "dense_transform": "none"},
    ],
)
def test_same_as_duckdb(shop, check_same, tmp_path, options):
    source = write(tmp_path / "raw [1] {é} %20*.txt", make_rows())
    folder = check_same(shop, source, **options)
    # Without this the order of files is not tested.
    assert len(list((folder / "train").iterdir())) > 1


def test_splits_of_the_provider(shop, check_same, tmp_path):
    paths = {
        "train": write(tmp_path / "a", make_rows(3000, 2), end="\r\n"),
        "validation": write(tmp_path / "b", make_rows(100, 3), end="\r"),
        "test": write(tmp_path / "c.txt.gz", make_rows(900, 1)),
    }
    text = gzip.decompress(paths["test"].read_bytes())
    md5 = {"test": hashlib.md5(text).hexdigest()}
    source = [RawFile(p, name, md5=md5.get(name)) for name, p in paths.items()]
    check_same(shop, source)


@pytest.mark.large
def test_days_in_files_and_encoders(shop, check_same, tmp_path):
    days = tmp_path / "days"
    days.mkdir()
    # Largest last: Spark takes large files first.
    for seed, name in enumerate(("day_0.gz", "day_2", "day_10")):
        write(days / name, make_rows(1000 + 2000 * seed, seed))
    by_file = dataclasses.replace(shop, day=None)
    folder = check_same(by_file, days, split="day", min_count=2)
    encoder = ClickEncoder.load(folder / "encoder")
    other = write(tmp_path / "other", make_rows(800, 9))
    check_same(encoder, other, name="reused")
    check_same(encoder, [other, days / "day_2"], name="grown", grow=True)


@pytest.mark.large
def test_header_in_any_order(check_same, tmp_path):
    log_format = LogFormat(
        "shop", None, "click", ("n",), ("a", "b"), "\t", header=True
    )
    names = ["click", "n", "unused", "m", "day", "a", "b"]
    order = [6, 0, 5, 1, 2]
    rows = make_rows(2000)
    source = [
        write(tmp_path / "0", rows, "\t", "\r\n", names, "\ufeff"),
        write(
            tmp_path / "1",
            [[row[i] for i in order] for row in rows],
            "\t",
            header=[names[i] for i in order],
        ),
        write(tmp_path / "2.gz", rows[:1], "\t", header=names),
    ]
    check_same(log_format, source)


def test_parquet(shop, check_same, tmp_path):
    rng = np.random.default_rng(0)
    log_format = dataclasses.replace(
        shop, columns=None, dense_type="float", dense=("n", "m", "o")
    )
    source = []
    for number, rows in enumerate((make_rows(2500), make_rows(300, 1))):
        count = len(rows)
        texts = list(zip(*rows, strict=True))
        # Numbers of any size, and the same in each file.
        bits = rng.integers(0, 2**31, count, dtype="uint32")
        small = bits.view("float32")
        m = np.where(np.abs(small) < 1e37, small, np.float32(0.1))
        table = {
            "unused": [[1, 2]] * count,
            "b": pa.array(texts[6]).dictionary_encode(),
            "a": pa.array(
                [float(i % 9) if i % 4 else None for i in range(count)]
            ),
            "day": pa.array([int(text) for text in texts[4]], pa.uint64()),
            "m": pa.array(m),
            "n": pa.array(rng.standard_normal(count) * 10.0 ** (bits % 37)),
            "o": pa.array([i if i % 3 else None for i in range(count)]),
            # The loaders of data sets call the label so.
            "label": pa.array([text == "1" for text in texts[0]]),
        }
        source.append(tmp_path / f"{number}.parquet")
        pa.parquet.write_table(pa.table(table), source[-1], row_group_size=400)
    check_same(log_format, source, split="day")


@pytest.mark.large
def test_real_sample(check_same, sample):
    check_same(CRITEO, sample("criteo_kaggle_10k/train.txt"), min_count=2)


@pytest.mark.parametrize(
    ("log", "name"),
    [LARGE(CRITEO, "criteo_1tb_10k/day_0"), (AVAZU, "avazu_10k/train")],
)
def test_some_columns_of_real_samples(log, name, check_same, sample):
    # Not all of them, because each takes long.
    few = dataclasses.replace(log, categorical=log.categorical[::6])
    check_same(few, sample(name), seed=3)


@pytest.mark.parametrize(
    "bad",
    [
        b"1|1|u|1|d|a",
        LARGE(b"2|1|u|1|d|a|b"),
        b"1|1\xe2\x80\xa8|u|1|d|a|b",
        LARGE(b"1|1|u|1|d|\xed\xa0\x80|b"),
        LARGE(b"1|1|u|1|d|a|" + b"x" * (1 << 21)),
        LARGE(b""),
    ],
)
def test_bad_line(bad, shop, check_refused, tmp_path):
    source = [write(tmp_path / name, make_rows(3000)) for name in "abc"]
    lines = source[1].read_bytes().split(b"\n")
    lines[2500] = bad
    source[1].write_bytes(b"\n".join(lines))
    # Not the first one, and read earlier.
    source[2].write_bytes(b"bad")
    check_refused(shop, source, "b, line 2501: ")


def test_bad_row_in_parquet(shop, check_refused, tmp_path):
    log_format = dataclasses.replace(shop, columns=None)
    good = {"click": [0, 1], "n": ["1", ""], "m": [1.0, 2.0]}
    good |= {name: ["x", "y"] for name in ("day", "a", "b")}
    source = [tmp_path / f"{i}.parquet" for i in range(2)]
    pa.parquet.write_table(pa.table(good), source[0])
    for name, values, pattern in (
        ("n", ["1", "12\n"], "1.parquet, row 1: column 'n'"),
        ("m", [1.0, 1.5], "1.parquet, row 1: the column 'm'"),
        ("click", [1, 2], "1.parquet, row 1: the label"),
    ):
        pa.parquet.write_table(pa.table(good | {name: values}), source[1])
        check_refused(log_format, source, pattern)


@pytest.mark.large
@pytest.mark.parametrize("buckets", [None, 50])
def test_ids_are_found_by_value(check_same, tmp_path, buckets):
    names = ("zip", "version", "size", "flag", "code")
    log_format = LogFormat(
        name="kinds",
        columns=("click", *names),
        label="click",
        categorical=names,
        delimiter=",",
        test_fraction=0,
        validation_fraction=0,
    )
    rows = [
        (i % 2, i % 9, i % 4 + 0.0, 1e5 * (i % 3), i % 2 == 0, f"x{i % 5}")
        for i in range(300)
    ]
    lines = [
        f"{click},{zip:05d},{version},{i % 3}e5,{flag},{code}"
        for i, (click, zip, version, _, flag, code) in enumerate(rows)
    ]
    (tmp_path / "log.csv").write_text("\n".join(lines))
    columns = zip(*rows, strict=True)
    table = pa.table(dict(zip(("click", *names), columns, strict=True)))
    pa.parquet.write_table(table, tmp_path / "log.parquet")
    sources = [tmp_path / "log.csv", tmp_path / "log.parquet"]
    if buckets:
        # What a hash was made of is not known if it was text.
        sources.reverse()
    learned, other = sources
    folder = check_same(log_format, learned, "learned", num_buckets=buckets)
    again = check_same(ClickEncoder.load(folder / "encoder"), other, "by value")
    expected = read_split(folder, "train")["ids"]
    assert read_split(again, "train")["ids"].equals(expected)


@pytest.mark.large
def test_files_without_rows(check_refused, check_same, shop, tmp_path):
    empty = tmp_path / "1"
    empty.write_bytes(b"")
    check_same(shop, [write(tmp_path / "0", make_rows(500)), empty])
    check_refused(shop, [empty], "at least one row")
    header = write(tmp_path / "2", [], ",", header=AVAZU.columns)
    check_refused(AVAZU, [header, header], "at least one row")


def test_damaged_files(shop, check_refused, tmp_path):
    source = write(tmp_path / "raw.gz", make_rows(500))
    source.write_bytes(source.read_bytes()[:-100])
    check_refused(shop, source, "truncated or damaged")
    other = RawFile(source, "train", md5="0" * 32)
    write(source, make_rows(500))
    check_refused(shop, [other], "the checksum must be md5 0000")


def test_blocks_do_not_depend_on_the_cluster(session, tmp_path):
    from zoo.encoding.spark.rows import steady_blocks

    session = session.newSession()
    text = session.read.text(str(write(tmp_path / "raw", [["text"]] * 90_000)))
    numbers = []
    for number in ("1", "64"):
        session.conf.set("spark.sql.files.minPartitionNum", number)
        with steady_blocks(session):
            numbers.append(text.select("*").rdd.getNumPartitions())
    assert numbers == [5, 5]
    assert session.conf.get("spark.sql.files.openCostInBytes") == "4194304b"


def test_refused_files(shop, spark_refused, tmp_path):
    packed = write(tmp_path / "packed.gz", make_rows(50))
    for path, reason in (
        (packed.rename(tmp_path / "gzip"), "does not end in .gz"),
        (write(tmp_path / "plain", [], "|").rename(tmp_path / "a.zst"), ".zst"),
        (write(tmp_path / "_plain", make_rows(50)), "hidden"),
    ):
        path.write_bytes(path.read_bytes() or b"text")
        assert reason in spark_refused(shop, path)
    with zipfile.ZipFile(tmp_path / "raw.zip", "w") as archive:
        archive.writestr("train", "text")
    message = spark_refused(shop, tmp_path / "raw.zip")
    assert "unpack" in message and "zip" in message
    quoted = dataclasses.replace(shop, quoted=True)
    assert "quoted=True" in spark_refused(quoted, path)
    table = pa.table({name: ["1"] for name in shop.used})
    assert "write it to Parquet" in spark_refused(shop, table)


@pytest.mark.parametrize(
    "master", ["here", "local[", "http://host", "", "sc://x"]
)
def test_refused_master(session, shop, spark_refused, tmp_path, master):
    source = write(tmp_path / "raw", make_rows(50))
    message = spark_refused(shop, source, spark_master=master)
    assert f"spark_master={master!r}" in message
    # Differs from the active session.
    message = spark_refused(shop, source, spark_master="local[7]")
    assert "'local[7]', active 'local[2]'" in message


def test_without_pyspark(monkeypatch, shop, spark_refused, tmp_path):
    source = write(tmp_path / "raw", make_rows(50))
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.delitem(sys.modules, "zoo.encoding.spark.engine", False)
    message = spark_refused(shop, source, error=ImportError)
    assert "pip install 'keras-cowclip[spark]'" in message


def test_without_java(monkeypatch, shop, spark_refused, tmp_path):
    def get(self):
        raise PySparkRuntimeError(
            errorClass="JAVA_GATEWAY_EXITED", messageParameters={}
        )

    monkeypatch.setattr(SparkSession.Builder, "getOrCreate", get)
    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    monkeypatch.setenv("JAVA_HOME", "/java8")
    source = write(tmp_path / "raw", make_rows(50))
    message = spark_refused(shop, source, error=ImportError)
    assert "needs Java 17" in message and "JAVA_HOME=/java8" in message


@pytest.mark.large
def test_no_line_end_costs_a_row(shop, check_same, tmp_path):
    paths = []
    for number, end in enumerate(("\n", "\r\n", "\r")):
        rows = [
            [*row[:6], row[6].strip() or '"']
            for row in make_rows(400, number)
            if not set(row[6]) & set("\u2028\x85\x0b")
        ]
        for is_ended in (True, False):
            paths.append(tmp_path / f"{len(paths)}")
            write(paths[-1], rows, end=end)
            if not is_ended:
                text = paths[-1].read_bytes()
                paths[-1].write_bytes(text.removesuffix(end.encode()))
    folder = check_same(shop, paths)
    summary = json.loads((folder / "summary.json").read_text())
    lines = sum(len(path.read_bytes().splitlines()) for path in paths)
    assert summary["rows"] == lines


def test_texts_for_missing_values(shop, check_same, tmp_path):
    log_format = dataclasses.replace(shop, missing=("\\N", "it's"))
    rows = make_rows(1500)
    for i, row in enumerate(rows):
        row[1] = row[1] or ("NULL", "\\N", "nan")[i % 3]
        row[5] = row[5] or ("\\N", "it's")[i % 2]
    check_same(log_format, write(tmp_path / "log", rows))


def test_decimals_and_flags(shop, check_same, tmp_path):
    rows = make_rows(1500)
    texts = list(zip(*rows, strict=True))
    halves = [Decimal(i) / 2 for i in range(len(rows))]
    table = {
        "click": [text == "1" for text in texts[0]],
        "n": pa.array([i % 3 == 0 for i in range(len(rows))]),
        "m": pa.array(halves, pa.decimal128(20, 3)),
        "day": pa.array([int(text) for text in texts[4]]),
        "a": pa.array(
            [half // 9 if half > 3 else None for half in halves],
            pa.decimal128(12, 2),
        ),
        "b": texts[6],
    }
    pa.parquet.write_table(pa.table(table), tmp_path / "log.parquet")
    log_format = dataclasses.replace(shop, columns=None, dense_type="float")
    check_same(log_format, tmp_path / "log.parquet")


@pytest.mark.parametrize(
    "kind",
    [
        kind if kind == "with a zone" else LARGE(kind)
        for kind in (*by_time.SPELLINGS, *by_time.COLUMNS)
    ],
)
def test_times_split_alike(kind, tmp_path):
    if kind in by_time.SPELLINGS:
        path = by_time.write_text(
            tmp_path / "log.csv",
            map(by_time.SPELLINGS[kind], by_time.TIMES),
        )
    else:
        path = by_time.write_parquet(
            tmp_path / "log.parquet", by_time.COLUMNS[kind]
        )
    by_time.split_by_time(
        path, tmp_path / "out", engine="spark", spark_master=MASTER
    )
    assert by_time.rows_of(tmp_path / "out") == by_time.expected()


LISTS = LogFormat(
    name="lists",
    columns=("click", "buy", "weight", "item", "history", "kinds", "tags"),
    labels=("click", "buy"),
    weight="weight",
    categorical=("item",),
    sequences={
        "history": ListColumn("item", max_length=5),
        "kinds": ListColumn(max_length=5, parallel_to="history"),
        "tags": ListColumn("item", max_length=2, separator="\\"),
    },
    missing=("NULL",),
    test_fraction=0.2,
    validation_fraction=0.1,
)


def rows_with_lists(num_rows, numbers=False):
    """Rows of `LISTS` with any tokens, or with numbers only, as columns."""
    random = np.random.default_rng(0)
    strange = [s for s in STRANGE if not {"\\", "|"} & set(s)]

    def token():
        number = random.zipf(1.5)
        if numbers:
            return None if number % 7 == 0 else int(number % 99)
        some = ["", "NULL", *strange]
        return f"t{number}" if number % 5 else some[number % len(some)]

    columns = {name: [] for name in LISTS.columns}
    for i in range(num_rows):
        length = int(random.integers(0, 9)) if i % 3 else 0
        row = {
            "click": None if i % 11 == 0 else i % 2,
            "buy": int(i % 4 == 0) if i % 5 or i % 11 == 0 else None,
            "weight": i % 7 / 4,
            "item": token(),
            "history": [token() for _ in range(length)],
            "kinds": [token() for _ in range(length)],
            "tags": [token() for _ in range(int(random.integers(0, 4)))],
        }
        for name, value in row.items():
            columns[name].append(value)
    # As text, a list of one missing token is no list.
    lists = zip(columns["history"], columns["kinds"], strict=True)
    for row, pair in enumerate(lists):
        if any(tokens in ([""], ["NULL"], [None]) for tokens in pair):
            columns["history"][row], columns["kinds"][row] = [], []
    return columns


@pytest.mark.large
@pytest.mark.parametrize("options", [{"min_count": 2}, {"num_buckets": 50}])
def test_lists_in_text(check_same, tmp_path, options):
    columns = rows_with_lists(1500)
    text = {
        "history": ["|".join(x) for x in columns["history"]],
        "kinds": ["|".join(x) for x in columns["kinds"]],
        "tags": ["\\".join(x) for x in columns["tags"]],
    }
    rows = [
        ["" if value is None else str(value) for value in row]
        for row in zip(*{**columns, **text}.values(), strict=True)
    ]
    source = write(tmp_path / "raw", rows, delimiter="\t")
    folder = check_same(LISTS, source, **options)
    encoder = ClickEncoder.load(folder / "encoder")
    if not options.get("num_buckets"):
        check_same(encoder, source, name="again")
        check_same(encoder, source, name="grown", grow=True)


@pytest.mark.parametrize("numbers", [LARGE(False), True])
def test_lists_in_parquet(check_same, tmp_path, numbers):
    columns = rows_with_lists(1500, numbers)
    columns["history"] = [x or None for x in columns["history"]]
    path = tmp_path / "raw.parquet"
    pa.parquet.write_table(pa.table(columns), path)
    folder = check_same(LISTS, path)
    if numbers:
        # The numbers of a text are found by their value, and the reverse.
        encoder = ClickEncoder.load(folder / "encoder")
        texts = pa.table(columns)
        for name in ("item", "history", "tags"):
            kind = pa.string() if name == "item" else pa.list_(pa.string())
            number = texts.column_names.index(name)
            texts = texts.set_column(number, name, texts[name].cast(kind))
        pa.parquet.write_table(texts, tmp_path / "texts.parquet")
        check_same(encoder, tmp_path / "texts.parquet", name="by_value")


def test_bad_lists(check_refused, tmp_path):
    good = {
        "click": [1, 0], "buy": [1, 0], "weight": [1.0, 2.0],
        "item": ["a", "b"], "history": [["a"], []], "kinds": [["k"], []],
        "tags": ["t", ""],
    }  # fmt: skip
    path = tmp_path / "raw.parquet"
    for column, values, pattern in (
        ("history", [["a"], ["b"]], "row 1: the lists 'kinds' and 'history'"),
        ("history", [[1.0], [2.5]], "row 1: the column 'history'"),
        ("weight", [1.0, -2.0], "row 1: the weight"),
        ("click", [1, 7], "row 1: the label 'click'"),
        ("tags", [7, 8], "'tags' must hold lists of text"),
    ):
        pa.parquet.write_table(pa.table({**good, column: values}), path)
        check_refused(LISTS, path, pattern)
