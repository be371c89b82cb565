"""Bad input: a clear error, and nothing left behind."""

import errno
import gzip
import hashlib
import io
import zipfile

import duckdb
import pytest

from zoo.datasets import AVAZU
from zoo.encoding import engine
from zoo.encoding import prepare
from zoo.encoding.duckdb_engine import DuckDBEngine
from zoo.raw.raw_file import RawFile

GOOD = ("1", "x", "p")


@pytest.fixture
def refused(tmp_path, tiny):
    """The message of a `prepare` that fails and must leave nothing."""

    def refused(
        data, log_format=tiny, error=ValueError, name="raw.txt", **options
    ):
        source = tmp_path / name
        if data is not None:
            data = data.encode() if isinstance(data, str) else data
            source.write_bytes(data)
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(error) as raised:
            prepare(
                log_format,
                source,
                tmp_path / "new" / "out",
                **{"show_progress": False, **options},
            )
        assert sorted(tmp_path.rglob("*")) == before
        message = str(raised.value)
        assert "Received: " in message
        return message

    return refused


@pytest.mark.parametrize(
    ("bad", "rule", "received"),
    [
        ("1\t1\tu\tx", "5 columns", "'1\\t1\\tu\\tx'"),
        ("1\t1\tu\tx\tp\t", "5 columns", "there are 6"),
        ("", "5 columns", "there are 0"),
        ("2\t1\tu\tx\tp", "label 'click' must be 0 or 1", "'2'"),
        ("\t1\tu\tx\tp", "label 'click' must be 0 or 1", "''"),
        ("1.0\t1\tu\tx\tp", "label 'click' must be 0 or 1", "'1.0'"),
        (" 1\t1\tu\tx\tp", "label 'click' must be 0 or 1", "' 1'"),
        ("click\tn\tunused\ta\tb", "label 'click'", "'click'"),
        ("1\tmany\tu\tx\tp", "column 'n' must hold an integer", "'many'"),
        ("1\t1.5\tu\tx\tp", "column 'n' must hold an integer", "'1.5'"),
        ("1\t1e3\tu\tx\tp", "column 'n' must hold an integer", "'1e3'"),
        ("1\t 1\tu\tx\tp", "column 'n' must hold an integer", "' 1'"),
        ("1\t0x1F\tu\tx\tp", "column 'n' must hold an integer", "'0x1F'"),
        ("1\t+1\tu\tx\tp", "column 'n' must hold an integer", "'+1'"),
        ("1\t-\tu\tx\tp", "column 'n' must hold an integer", "'-'"),
        ("1\tnil\tu\tx\tp", "column 'n' must hold an integer", "'nil'"),
        ("1\t" + "1" * 19 + "\tu\tx\tp", "at most 18 digits", "1111"),
        ('1\t1\tu\t"x\ty"\tp', "5 columns", "there are 6"),
    ],
)
@pytest.mark.parametrize(("end", "index"), [("\n", 0), ("\r\n", 7), ("\n", -1)])
def test_bad_line(refused, make_lines, bad, rule, received, end, index):
    lines = make_lines([GOOD] * 9)
    lines[index] = bad
    message = refused(end.join(lines) + end)
    number = index + 1 if index >= 0 else len(lines)
    assert f"raw.txt, line {number}: " in message
    assert rule in message
    assert received in message


def test_first_of_several_bad_lines(refused, make_lines):
    lines = make_lines([GOOD] * 9)
    # The line that is noticed first is not the first bad line.
    lines[3] = lines[3].replace("\t1\t", "\tmany\t").replace("\t0\t", "\tx\t")
    lines[6] = "1\t1"
    assert "line 4: column 'n'" in refused("\n".join(lines))


def test_line_number_in_a_later_block(refused, make_lines, monkeypatch):
    monkeypatch.setattr("zoo.raw.text_log.BLOCK_BYTES", 100)
    lines = make_lines([GOOD] * 200)
    lines[150] = "2\t1\tu\tx\tp"
    assert "line 151: the label" in refused("\n".join(lines))


def test_blank_line_at_the_end(refused, make_lines):
    lines = make_lines([GOOD])
    message = refused("\n".join(lines) + "\n\n")
    assert f"line {len(lines) + 1}: " in message


def test_text_that_is_not_utf8(refused, make_lines):
    lines = [line.encode() for line in make_lines([GOOD])]
    lines[2] = lines[2].replace(b"other", b"\xe9").replace(b"x", b"\xe9")
    message = refused(b"\n".join(lines))
    assert "line 3: the text must be UTF-8" in message
    assert "\\xe9" in message


def test_line_without_end(refused, make_lines, monkeypatch):
    monkeypatch.setattr("zoo.raw.text_log.BLOCK_BYTES", 1 << 20)
    text = "\n".join(make_lines([GOOD])) + "\n1\t1\tu\t" + "x" * (3 << 20)
    assert "must be shorter than" in refused(text)


def test_line_of_100_megabytes(refused, make_lines):
    lines = make_lines([GOOD] * 9)
    lines[5] = lines[5].replace("\tu\t", "\tu\t" + "x" * (100 << 20))
    assert "line 6: a line must be shorter than" in refused("\n".join(lines))


def test_mixed_line_ends_do_not_hide_a_bad_line(refused, make_lines):
    lines = make_lines([GOOD] * 9)
    lines[5] = "1\t1"
    text = "\r\n".join(lines[:3]) + "\r\n" + "\n".join(lines[3:])
    assert "line 6: a row of the tiny log must have" in refused(text)


def test_two_text_files_with_different_headers(tmp_path):
    header = ",".join(AVAZU.columns)
    row = ",".join(["1", "0", *["t"] * 22])
    (tmp_path / "day_1").write_text(f"{header}\n{row}\n")
    (tmp_path / "day_2").write_text(f"{header},more\n{row},1\n")
    files = [tmp_path / "day_1", tmp_path / "day_2"]
    with pytest.raises(ValueError, match="day_2, line 1: the header.*more"):
        prepare(AVAZU, files, tmp_path / "out", show_progress=False)


def test_missing_file(refused):
    message = refused(None, error=FileNotFoundError)
    assert "raw tiny log" in message and "raw.txt" in message


def test_folder_without_files(tmp_path, tiny):
    (tmp_path / "logs").mkdir()
    with pytest.raises(ValueError, match="must hold files.*Received: "):
        prepare(tiny, tmp_path / "logs", tmp_path / "out", show_progress=False)
    assert [p.name for p in tmp_path.iterdir()] == ["logs"]


def test_empty_file(refused):
    assert "at least one row" in refused("")


def test_truncated_gzip(refused, make_lines):
    packed = gzip.compress("\n".join(make_lines([GOOD] * 999)).encode())
    for end in (len(packed) // 2, -4):
        message = refused(packed[:end])
        assert "raw.txt: the packed file is truncated or damaged" in message


def test_damaged_gzip(refused, make_lines):
    packed = bytearray(gzip.compress("\n".join(make_lines([GOOD])).encode()))
    packed[-6] ^= 1
    assert "truncated or damaged" in refused(bytes(packed))


def test_broken_zip(refused, make_lines):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("train.csv", "\n".join(make_lines([GOOD])))
    whole = buffer.getvalue()
    assert "truncated or damaged" in refused(whole[: len(whole) // 2])
    damaged = whole.replace(b"other", b"ather", 1)
    assert "train.csv: the packed file" in refused(damaged)


def test_zip_without_files(refused):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.mkdir("folder")
    assert "must hold files" in refused(buffer.getvalue())


def test_wrong_checksum(tmp_path, tiny, make_lines):
    path = tmp_path / "raw.txt"
    path.write_text("\n".join(make_lines([GOOD])))
    digest = hashlib.md5(path.read_bytes()).hexdigest()
    raw_file = RawFile(path, "00000", md5=digest)
    prepare(tiny, [raw_file], tmp_path / "good", show_progress=False)
    raw_file = RawFile(path, "00000", md5="0" * 32)
    with pytest.raises(ValueError, match=f"must be md5 000.*{digest}"):
        prepare(tiny, [raw_file], tmp_path / "bad", show_progress=False)
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize(
    "header",
    [
        ",".join(AVAZU.columns).replace("click", "label"),
        ",".join(AVAZU.columns[:-1]),
        ",".join(c for c in AVAZU.columns if c != "click"),
        "\t".join(AVAZU.columns),
        "1,0,14102100",
        "",
    ],
)
def test_wrong_header(refused, header):
    message = refused(header + "\n1,0,2\n", AVAZU)
    assert "line 1: the header of the avazu log" in message


def test_header_and_nothing_else(refused):
    header = ",".join(AVAZU.columns) + "\n"
    assert "at least one row" in refused(header, AVAZU)


def test_line_number_counts_the_header(refused):
    header = ",".join(AVAZU.columns)
    row = ",".join(["1", "0", *["t"] * 22])
    text = "\n".join([header, row, row, row.replace("1,0,", "1,2,")])
    assert "line 4: the label 'click'" in refused(text, AVAZU)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("label", ["0", "1"])
def test_one_class_in_a_split(refused, make_lines, split_of, split, label):
    lines = [
        label + line[1:] if split_of(i) == split else line
        for i, line in enumerate(make_lines([GOOD] * 9))
    ]
    message = refused("\n".join(lines))
    assert f"the {split} split would have one class only" in message
    assert f"label {label} in all" in message


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_empty_split(refused, tiny, split_of, split):
    # A seed that draws the split for none of the three rows.
    seed = next(
        s for s in range(999) if all(split_of(i, s) != split for i in range(3))
    )
    lines = [f"{i % 2}\t1\tu\tx\tp" for i in range(3)]
    assert "split would have no row" in refused("\n".join(lines), seed=seed)


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"min_count": 0}, "min_count=0"),
        ({"min_count": -1}, "min_count=-1"),
        ({"min_count": 1.5}, "min_count=1.5"),
        ({"min_count": True}, "min_count=True"),
        ({"dense_transform": "sqrt"}, "dense_transform='sqrt'"),
        ({"seed": "0"}, "seed='0'"),
        ({"memory_limit": "much"}, "memory_limit='much'"),
        ({"memory_limit": "-1GB"}, "memory_limit='-1GB'"),
        ({"memory_limit": "0GB"}, "memory_limit='0GB'"),
        ({"memory_limit": "2"}, "memory_limit='2'"),
        ({"memory_limit": 2}, "memory_limit=2"),
    ],
)
def test_bad_argument(refused, make_lines, options, argument):
    message = refused("\n".join(make_lines([GOOD])), **options)
    assert argument in message


def test_too_little_memory(refused, make_lines):
    message = refused("\n".join(make_lines([GOOD])), memory_limit="100KB")
    assert "`memory_limit` is too small" in message


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError, (errno.ENOSPC, "No space left on device")),
        (duckdb.IOException, ("Write failed: No space left on device",)),
        (duckdb.OutOfMemoryException, ("see 'max_temp_directory_size'",)),
    ],
)
def test_full_disk(refused, make_lines, monkeypatch, error, words):
    def write(*args):
        raise error(*words)

    monkeypatch.setattr(DuckDBEngine, "write_splits", write)
    message = refused("\n".join(make_lines([GOOD])), error=OSError)
    assert "The disk is full" in message


def test_other_errors_of_the_engine_pass():
    with (
        pytest.raises(duckdb.IOException, match="Cable"),
        engine.clear_disk_errors("out"),
    ):
        raise duckdb.IOException("Cable pulled")
