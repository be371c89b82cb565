import gzip
import hashlib
import re
import shutil
import zipfile
from unittest import mock

import datasets
import huggingface_hub
import pytest

import zoo
from tests.folder_hub import FolderHub
from zoo.datasets import hub
from zoo.registry import NETWORKS

ROWS = 2000
IN_HUB = re.compile("hf://|hub|upload|load_clicks|load_splits")
SPLIT_FILES = ("train.csv", "valid.csv", "test.csv")


@pytest.fixture(autouse=True)
def own_networks():
    """The networks that an example registers are no longer known after it."""
    with mock.patch.dict(NETWORKS):
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A folder with all the files that examples name, made once."""
    folder = tmp_path_factory.mktemp("made")
    zoo.datasets.synthetic.write_raw_log(
        folder / "train.txt", rows=ROWS, max_vocabulary=20
    )
    lines = (folder / "train.txt").read_text().splitlines(keepends=True)
    (folder / "day_2.txt").write_text("".join(lines[: ROWS // 2]))
    features = [line.partition("\t")[2] for line in lines[:100]]
    (folder / "raw.tsv").write_text("".join(features))
    _write_avazu(folder / "train.gz")
    for name in ("clicks", "logs"):
        (folder / name).mkdir()
        (folder / name / "day_1.csv").write_text(_shop())
    for name, log_format in (
        ("criteo", zoo.datasets.CRITEO),
        ("day_2", zoo.datasets.CRITEO),
        # The Hub takes its vocabulary, unlike Criteo's.
        ("shop", zoo.datasets.SYNTHETIC),
    ):
        zoo.prepare(
            log_format,
            folder / "train.txt",
            folder / "encoded" / name,
            show_progress=False,
        )
    zoo.train(
        zoo.EncodedLog.load(folder / "encoded/criteo"),
        folder / "runs/deepfm",
        batch_size=256,
        epochs=1,
        embedding_dim=2,
        hidden_units=(4,),
        verbose=0,
    )
    shutil.copytree(folder / "runs/deepfm", folder / "runs/criteo")
    zoo.save_to_preset(
        zoo.from_preset(folder / "runs/deepfm"),
        folder / "runs/shop",
        zoo.EncodedLog.load(folder / "encoded/shop").encoder,
    )
    _write_hub(folder / "hub", lines)
    return folder


@pytest.fixture
def workplace(made, tmp_path, monkeypatch):
    """Makes the current folder one with what a text names of `made`.

    The Hub is its folder `hub`.
    """

    def workplace(text):
        # All of it is 250 files, and most texts name none.
        for place in made.iterdir():
            if place.name == "hub" and IN_HUB.search(text):
                shutil.copytree(place, tmp_path / "hub")
                _stub_hub(tmp_path, monkeypatch)
            elif place.is_dir() and place.name in text:
                shutil.copytree(place, tmp_path / place.name)
            elif place.name in text:
                shutil.copy(place, tmp_path)
        monkeypatch.chdir(tmp_path)

    return workplace


def _stub_hub(folder, monkeypatch):
    monkeypatch.setattr(
        datasets.config, "HF_DATASETS_CACHE", str(folder / "cache")
    )
    stub = FolderHub(folder / "hub")
    monkeypatch.setattr(huggingface_hub, "HfApi", stub)
    for name in ("hf_hub_download", "snapshot_download"):
        monkeypatch.setattr(huggingface_hub, name, getattr(stub, name))
    archive = folder / "hub/reczoo/Criteo_x4/Criteo_x4.zip"
    monkeypatch.setitem(hub.ZIPS, "reczoo/Criteo_x4", _facts(archive))


def _shop():
    rows = [
        f"{int(i % 3 == 0)},{i % 7}.5,site_{i % 11},{i % 24}"
        for i in range(600)
    ]
    return "\n".join(["click,price,site,hour", *rows]) + "\n"


def _write_avazu(path):
    columns = zoo.datasets.AVAZU.columns
    lines = [",".join(columns)]
    for i in range(600):
        day = f"1410{21 + i // 60:02d}{i % 24:02d}"
        values = {"id": i, "click": int(i % 4 == 0), "hour": day}
        lines.append(",".join(str(values.get(c, i % 5)) for c in columns))
    path.write_bytes(gzip.compress("\n".join([*lines, ""]).encode()))


def _write_hub(folder, lines):
    """A small Criteo_x4, days of the large log, and a preset."""
    x4 = folder / "reczoo/Criteo_x4"
    x4.mkdir(parents=True)
    header = ",".join(zoo.datasets.CRITEO_X4.columns) + "\n"
    text = header + "".join(line.replace("\t", ",") for line in lines[:300])
    with zipfile.ZipFile(x4 / "Criteo_x4.zip", "w") as archive:
        for name in SPLIT_FILES:
            archive.writestr(name, text)
    days = folder / "criteo/CriteoClickLogs"
    days.mkdir(parents=True)
    for day in range(24):
        text = "".join(lines[day * 50 : day * 50 + 50])
        (days / f"day_{day}.gz").write_bytes(gzip.compress(text.encode()))
    shutil.copytree(folder.parent / "runs/deepfm", folder / "user/repository")


def _facts(archive):
    with zipfile.ZipFile(archive) as opened:
        texts = [opened.read(name) for name in SPLIT_FILES]
    return {
        split: (hashlib.md5(text).hexdigest(), text.count(b"\n") - 1)
        for split, text in zip(
            ("train", "validation", "test"), texts, strict=True
        )
    }
