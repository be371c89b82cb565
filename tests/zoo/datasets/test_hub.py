"""Data sets of the Hub; the Hub itself is a folder here."""

import errno
import gzip
import hashlib
import json
import shutil
import zipfile

import huggingface_hub
import pytest

from zoo.datasets import CRITEO_X4
from zoo.datasets import fetch
from zoo.datasets import hub
from zoo.datasets import load_avazu
from zoo.datasets import load_criteo
from zoo.encoding import prepare

X4 = "reczoo/Criteo_x4"
CLICK_LOGS = "criteo/CriteoClickLogs"
FILES = {"train": "train.csv", "validation": "valid.csv", "test": "test.csv"}


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Makes downloads give out files of a folder; lists what was asked."""
    asked = []

    def download(repo_id, filename, **options):
        asked.append((repo_id, filename, options))
        return str(tmp_path / "hub" / repo_id / filename)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    return asked


@pytest.fixture
def x4(tmp_path, monkeypatch, asked, criteo_rows):
    """A small Criteo_x4 with facts of its own: its rows by split."""
    parts = {s: criteo_rows(30, seed) for seed, s in enumerate(FILES)}
    folder = tmp_path / "hub" / X4
    folder.mkdir(parents=True)
    facts = {}
    with zipfile.ZipFile(folder / "Criteo_x4.zip", "w") as archive:
        archive.writestr("Criteo_x4/", "")
        archive.writestr("__MACOSX/Criteo_x4/._train.csv", "junk")
        archive.writestr("Criteo_x4/readme.txt", "not read")
        for split, rows in parts.items():
            lines = [",".join(row) for row in [CRITEO_X4.columns, *rows]]
            text = "\r\n".join(lines) + "\r\n"
            archive.writestr(f"Criteo_x4/{FILES[split]}", text)
            md5 = hashlib.md5(text.encode()).hexdigest()
            facts[split] = (md5, len(rows))
    monkeypatch.setitem(hub.ZIPS, X4, facts)
    return parts


@pytest.fixture
def days(tmp_path, asked, criteo_rows):
    """Four days of Criteo's terabyte: their rows."""
    folder = tmp_path / "hub" / CLICK_LOGS
    folder.mkdir(parents=True)
    days = {}
    for day in (0, 1, 2, 10):
        days[day] = criteo_rows(20, seed=day)
        text = "".join("\t".join(row) + "\n" for row in days[day])
        (folder / f"day_{day}.gz").write_bytes(gzip.compress(text.encode()))
    return days


def expected(rows, typed):
    names = ("label", *CRITEO_X4.columns[1:])
    return [typed(names, row) for row in rows]


def test_published_facts():
    assert len(hub.ZIPS) == 4
    for repo, facts in hub.ZIPS.items():
        assert list(facts) == list(FILES)
        rows = sum(rows for _, rows in facts.values())
        assert rows == (45_840_617 if "Criteo" in repo else 40_428_967)
        assert all(len(bytes.fromhex(md5)) == 16 for md5, _ in facts.values())


@pytest.mark.parametrize("name", [X4, "Criteo_x4"])
@pytest.mark.parametrize("streaming", [True, False])
def test_zip_has_three_named_splits(name, streaming, x4, asked, typed, cache):
    data = load_criteo(name, streaming=streaming, cache_dir=cache)
    assert list(data) == list(FILES)
    for split, rows in x4.items():
        assert list(data[split]) == expected(rows, typed)
    options = {"repo_type": "dataset", "revision": None, "token": None}
    assert asked == [(X4, "Criteo_x4.zip", options)]


def test_revision_and_token_are_passed_on(x4, asked, cache):
    files = fetch(X4, revision="v1", token="secret")
    assert [file.origin for file in files] == list(FILES)
    assert asked[0][2]["revision"] == "v1"
    assert asked[0][2]["token"] == "secret"
    data = load_criteo(files, cache_dir=cache)
    assert data.num_rows == {"train": 30, "validation": 30, "test": 30}


def test_another_split_goes_over_all_rows(x4, typed, cache):
    data = load_criteo(X4, split="sequential", cache_dir=cache)
    rows = expected(x4["train"] + x4["validation"] + x4["test"], typed)
    assert data["train"].to_list() == rows[:77]
    assert data["test"].to_list() == rows[77:]


@pytest.mark.parametrize("split", list(FILES))
def test_another_file_than_published_is_refused(
    split, x4, monkeypatch, cache, cached
):
    facts = {**hub.ZIPS[X4], split: ("0" * 32, 30)}
    monkeypatch.setitem(hub.ZIPS, X4, facts)
    match = f"Criteo_x4/{FILES[split]}: the checksum must be md5 000"
    with pytest.raises(ValueError, match=match):
        load_criteo(X4, cache_dir=cache)
    assert cached() == []
    stream = load_criteo(X4, streaming=True, cache_dir=cache)
    with pytest.raises(ValueError, match=match):
        list(stream[split])


@pytest.mark.parametrize("split", ["provider", "random"])
def test_another_number_of_rows_is_refused(
    split, x4, monkeypatch, cache, cached
):
    md5, _ = hub.ZIPS[X4]["test"]
    monkeypatch.setitem(hub.ZIPS, X4, {**hub.ZIPS[X4], "test": (md5, 31)})
    with pytest.raises(ValueError, match="must hold the 31 rows"):
        load_criteo(X4, split=split, cache_dir=cache)
    assert cached() == []


@pytest.mark.parametrize("names", [["train.csv", "valid.csv"], ["a.csv"], []])
def test_zip_of_other_files_is_refused(names, x4, tmp_path):
    with zipfile.ZipFile(tmp_path / "hub" / X4 / "Criteo_x4.zip", "w") as file:
        for name in names:
            file.writestr(name, "text")
    with pytest.raises(ValueError, match="Criteo_x4.zip: the zip must hold"):
        fetch(X4)


def test_zip_with_two_of_a_file_is_refused(x4, tmp_path):
    with zipfile.ZipFile(tmp_path / "hub" / X4 / "Criteo_x4.zip", "a") as file:
        file.writestr("old/train.csv", "text")
    with pytest.raises(ValueError, match="must hold one file 'train.csv'"):
        fetch(X4)


def test_truncated_zip_is_refused(x4, tmp_path):
    path = tmp_path / "hub" / X4 / "Criteo_x4.zip"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="packed file is truncated or damaged"):
        load_criteo(X4)


def test_prepare_takes_what_was_fetched(x4, tmp_path, monkeypatch):
    def run(source, name):
        prepare(CRITEO_X4, source, tmp_path / name, show_progress=False)
        folder = tmp_path / name
        summary = json.loads((folder / "summary.json").read_text())
        files = {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.name != "summary.json"
        }
        return summary["splits"], summary["num_ids"], files

    from_zip = run(fetch(X4), "zip")
    assert {s: n["rows"] for s, n in from_zip[0].items()} == dict.fromkeys(
        FILES, 30
    )
    # The label is `label` here and `Label` in the format.
    data = load_criteo(X4, cache_dir=tmp_path / "cache")
    assert run(data, "data") == from_zip
    stream = load_criteo(X4, cache_dir=tmp_path / "cache", streaming=True)
    assert run(stream, "stream") == from_zip
    facts = {**hub.ZIPS[X4], "test": ("0" * 32, 30)}
    monkeypatch.setitem(hub.ZIPS, X4, facts)
    with pytest.raises(ValueError, match="test.csv: the checksum must be"):
        run(fetch(X4), "wrong")


@pytest.mark.parametrize("streaming", [True, False])
def test_days_in_the_order_of_time(streaming, days, asked, typed, cache):
    data = load_criteo(
        CLICK_LOGS,
        days=[10, 0, 2],
        test_fraction=0,
        validation_fraction=0,
        streaming=streaming,
        cache_dir=cache,
    )
    rows = days[0] + days[2] + days[10]
    assert list(data["train"]) == expected(rows, typed)
    files = [file for _, file, _ in asked]
    assert files == ["day_0.gz", "day_2.gz", "day_10.gz"]


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("as_dict", [True, False])
def test_split_by_day(streaming, as_dict, days, typed, cache):
    options = {"streaming": streaming, "cache_dir": cache}
    if as_dict:
        source = {
            "train": fetch(CLICK_LOGS, days=range(2)),
            "validation": fetch(CLICK_LOGS, days=[2]),
            "test": fetch(CLICK_LOGS, days=[10]),
        }
        data = load_criteo(source, **options)
    else:
        chosen = {"days": [0, 1, 2, 10], "split": "day"}
        data = load_criteo("CriteoClickLogs", **chosen, **options)
    parts = {"train": days[0] + days[1], "validation": days[2]}
    for split, rows in {**parts, "test": days[10]}.items():
        assert list(data[split]) == expected(rows, typed)
    if streaming:
        # One worker a file.
        assert data["train"].num_shards == 2


@pytest.mark.parametrize(
    "days", [None, [], [24], [-1], [1, 1], [True], ["1"], [1.5]]
)
def test_days_out_of_range(days):
    with pytest.raises(ValueError, match="`days` must be different integers"):
        load_criteo(CLICK_LOGS, days=days)


@pytest.mark.parametrize("source", [X4, "train.txt", ["train.txt"]])
def test_days_are_for_the_click_logs(source, x4):
    with pytest.raises(ValueError, match="`days` is for 'criteo/Crit.*Receive"):
        load_criteo(source, days=[0])


def test_unknown_names():
    with pytest.raises(ValueError, match="`source` must be one of .*Criteo_x9"):
        fetch("reczoo/Criteo_x9")
    for load, name in ((load_criteo, "Avazu_x4"), (load_avazu, X4)):
        with pytest.raises(
            FileNotFoundError, match=r"exists or one of \('recz"
        ):
            load(name)


def test_a_folder_of_that_name_comes_first(
    x4, asked, tmp_path, monkeypatch, cache
):
    path = tmp_path / "hub" / X4 / "Criteo_x4.zip"
    shutil.unpack_archive(path, tmp_path / "reczoo")
    monkeypatch.chdir(tmp_path)
    assert len(load_criteo(X4, cache_dir=cache)["train"]) == 30
    assert asked == []


@pytest.mark.parametrize(
    "error",
    [
        huggingface_hub.errors.LocalEntryNotFoundError("no file"),
        huggingface_hub.errors.OfflineModeIsEnabled("offline"),
        huggingface_hub.errors.HTTPError("broke off"),
        TimeoutError("too slow"),
    ],
)
@pytest.mark.parametrize(
    ("repo", "file", "options"),
    [(X4, "Criteo_x4.zip", {}), (CLICK_LOGS, "day_3.gz", {"days": [3]})],
)
def test_no_way_to_the_hub(error, repo, file, options, monkeypatch):
    def fail(*args, **options):
        raise error

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(FileNotFoundError) as raised:
        load_criteo(repo, **options)
    message = str(raised.value)
    assert file in message
    assert f"https://huggingface.co/datasets/{repo}" in message
    assert "as `source`" in message
    assert message.endswith(f"Received: {error}")


def test_full_disk_is_no_missing_network(monkeypatch):
    def fail(*args, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(OSError, match="No space left") as raised:
        fetch(X4)
    assert raised.value.errno == errno.ENOSPC
