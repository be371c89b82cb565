"""Caches typed rows, and nothing of a load that failed."""

import gzip
import os
import subprocess
import sys
import zipfile

import pyarrow as pa
import pyarrow.parquet
import pytest

from zoo.datasets import load_clicks


@pytest.fixture
def log(tmp_path, numbered_lines):
    (tmp_path / "log.csv").write_text(numbered_lines(0, 600))
    return tmp_path / "log.csv"


def files(data):
    return [f["filename"] for part in data.values() for f in part.cache_files]


def test_same_arguments_same_files(log, numbered, cache, cached):
    first = load_clicks(numbered, log, cache_dir=cache)
    second = load_clicks(numbered, str(log), cache_dir=str(cache))
    assert files(first) == files(second)
    assert first["train"]._fingerprint == second["train"]._fingerprint
    assert len(cached()) == 1
    load_clicks(numbered, log, cache_dir=cache, seed=1)
    load_clicks(numbered, log, cache_dir=cache, split="day")
    assert len(cached()) == 3


def test_streams_are_not_cached(log, numbered, cache, cached):
    list(load_clicks(numbered, log, cache_dir=cache, streaming=True)["test"])
    assert cached() == []


def test_changed_file_is_read_again(log, numbered, cache):
    def clicks():
        data = load_clicks(numbered, log, cache_dir=cache)
        return sum(sum(part["click"]) for part in data.values())

    before = clicks()
    text = log.read_text()
    assert "\n1,1,1001\n" in text
    log.write_text(text.replace("\n1,1,1001\n", "\n0,1,1001\n"))
    os.utime(log, ns=(0, 10**18))
    assert clicks() == before - 1


def test_changed_data_set_is_read_again(log, numbered, cache):
    data = load_clicks(numbered, log, cache_dir=cache)["train"]
    for count in (100, 50):
        part = data.select(range(count))
        again = load_clicks(
            numbered,
            part,
            test_fraction=0,
            validation_fraction=0,
            cache_dir=cache,
        )
        assert again["train"].to_list() == part.to_list()


BREAKAGES = {
    "value": ("\n0,599,", "\n0,x,", r"log.csv, line 601: .*'n' must hold an i"),
    "label": ("\n1,1,", "\n2,1,", "log.csv, line 3: the label 'click' must be"),
    "columns": ("\n1,1,", "\n1,1,,", "log.csv, line 3: .*must have 3 columns"),
    "header": ("click,", "Click,", "log.csv, line 1: the header of the numb"),
}


@pytest.mark.parametrize("kind", BREAKAGES)
@pytest.mark.parametrize("options", [{}, {"split": "sequential"}])
def test_bad_text_is_named_and_not_cached(
    kind, options, log, numbered, cache, cached
):
    good, bad, match = BREAKAGES[kind]
    text = log.read_text()
    assert text.count(good) == 1
    log.write_text(text.replace(good, bad))
    with pytest.raises(ValueError, match=match):
        load_clicks(numbered, log, cache_dir=cache, **options)
    assert cached() == []
    log.write_text(text)
    assert load_clicks(numbered, log, cache_dir=cache).num_rows["train"] > 400


@pytest.mark.parametrize("kind", ["gz", "zip", "parquet"])
def test_truncated_files(kind, log, numbered, tmp_path, cache, cached):
    source = tmp_path / f"log.{kind}"
    if kind == "gz":
        source.write_bytes(gzip.compress(log.read_bytes()))
    elif kind == "zip":
        with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(log, "log.csv")
    else:
        rows = {"click": [0, 1], "n": [1, 2], "hour": ["1", "2"]}
        pyarrow.parquet.write_table(pa.table(rows), source)
    source.write_bytes(source.read_bytes()[:-20])
    with pytest.raises(ValueError, match="truncated or damaged; get it again"):
        load_clicks(numbered, source, cache_dir=cache)
    assert cached() == []


def test_damage_inside_a_zip(log, numbered, tmp_path, cache, cached):
    with zipfile.ZipFile(tmp_path / "log.zip", "w") as archive:
        archive.write(log, "log.csv")
    data = (tmp_path / "log.zip").read_bytes()
    (tmp_path / "log.zip").write_bytes(data.replace(b"\n1,1,", b"\n0,1,"))
    with pytest.raises(ValueError, match=r"log.csv: the packed file is trunc"):
        load_clicks(numbered, tmp_path / "log.zip", cache_dir=cache)
    assert cached() == []


def test_parquet_files_that_disagree(numbered, tmp_path, cache, cached):
    (tmp_path / "log").mkdir()
    rows = {"click": [0, 1], "n": [1, 2], "hour": ["1", "2"]}
    pyarrow.parquet.write_table(pa.table(rows), tmp_path / "log" / "a.parquet")
    for change, match in (
        ({"n": ["1", "2"]}, "b.parquet: the column 'n' must have the same kin"),
        ({"hour": None}, "b.parquet: must have the column 'hour' once"),
        ({"click": [0, 2]}, "b.parquet.*row 1: the label 'click' must be 0"),
    ):
        other = {k: v for k, v in {**rows, **change}.items() if v is not None}
        path = tmp_path / "log" / "b.parquet"
        pyarrow.parquet.write_table(pa.table(other), path)
        with pytest.raises(ValueError, match=match):
            load_clicks(numbered, tmp_path / "log", cache_dir=cache)
    assert cached() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_interrupted_run_is_not_taken_for_whole(
    error, log, numbered, cache, cached, monkeypatch
):
    from zoo.datasets import typed_rows

    once = iter([None])
    typed = typed_rows._typed

    def interrupted(*args):
        # The first split is done by then, the second one is not.
        for _ in once:
            return typed(*args)
        raise error

    monkeypatch.setattr(typed_rows, "_typed", interrupted)
    with pytest.raises(error):
        load_clicks(numbered, log, cache_dir=cache)
    assert cached() == []
    monkeypatch.setattr(typed_rows, "_typed", typed)
    data = load_clicks(numbered, log, cache_dir=cache)
    assert sum(data.num_rows.values()) == 600


def test_what_a_killed_run_left_is_not_taken_for_whole(
    log, numbered, cache, cached
):
    whole = load_clicks(numbered, log, cache_dir=cache)
    (folder,) = (p for p in cache.glob("*/*/*") if p.is_dir())
    (folder / "dataset_info.json").unlink()
    folder.rename(f"{folder}.incomplete")
    again = load_clicks(numbered, log, cache_dir=cache)
    assert cached() == [folder.name]
    assert again["train"].to_list() == whole["train"].to_list()


def test_hf_home_and_offline(tmp_path, criteo_rows):
    """The cache follows HF_HOME; a local copy needs no Hub."""
    header = ",".join(["Label", *(f"I{i}" for i in range(1, 14))])
    header += "".join(f",C{i}" for i in range(1, 27))
    with zipfile.ZipFile(tmp_path / "Criteo_x4.zip", "w") as archive:
        for name in ("train", "valid", "test"):
            lines = [header, *(",".join(row) for row in criteo_rows(20))]
            archive.writestr(f"{name}.csv", "\n".join(lines))
    copy = str(tmp_path / "Criteo_x4.zip")
    script = (
        "import sys, zoo, zoo.datasets\n"
        "assert 'datasets' not in sys.modules\n"
        f"data = zoo.datasets.load_criteo({copy!r})\n"
        "print(data.num_rows)\n"
        "try:\n"
        "    zoo.datasets.load_criteo('Criteo_x4')\n"
        "except FileNotFoundError as error:\n"
        "    print(error)\n"
    )
    environment = {
        **os.environ,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_OFFLINE": "1",
    }
    for name in ("HF_DATASETS_CACHE", "HF_HUB_CACHE"):
        environment.pop(name, None)
    run = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    rows, error = run.stdout.splitlines()[-2:]
    assert rows == "{'train': 20, 'validation': 20, 'test': 20}"
    assert error.startswith("Criteo_x4.zip of the data set reczoo/Criteo_x4")
    assert list((tmp_path / "home" / "datasets").rglob("*.arrow"))


@pytest.mark.parametrize("name", ["datasets", "huggingface_hub"])
def test_missing_package(name, monkeypatch, log, numbered):
    from zoo.datasets import fetch

    monkeypatch.setitem(sys.modules, name, None)
    match = f"needs the package `{name}`: run `pip install 'keras-cowclip"
    with pytest.raises(ImportError, match=match):
        if name == "datasets":
            load_clicks(numbered, log)
        else:
            fetch("Criteo_x4")
