import os
import stat
import subprocess
import sys

import pytest

from zoo.files.whole_folder import atomic_folder


def make(output, text="new", **options):
    with atomic_folder(output, **options) as folder:
        (folder / "summary.json").write_text(text)
        (folder / "inner").mkdir()


def test_new_folder_and_its_parents(tmp_path):
    make(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "summary.json").read_text() == "new"
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b"]


def test_nothing_is_there_before_the_end(tmp_path):
    with atomic_folder(tmp_path / "out") as folder:
        assert not (tmp_path / "out").exists()
        assert folder.parent == tmp_path
        assert folder.name.startswith(".out.partial-")


def test_as_public_as_any_folder(tmp_path):
    make(tmp_path / "out")
    (tmp_path / "other").mkdir()
    modes = [
        stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("out", "other")
    ]
    assert modes[0] == modes[1]


def test_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    make(tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "summary.json").exists()


def test_earlier_folder_is_replaced_whole(tmp_path):
    make(tmp_path / "out", "old")
    (tmp_path / "out" / "left-over").touch()
    options = {"marker": ("summary.json", "inner"), "overwrite": True}
    make(tmp_path / "out", **options)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "summary.json").read_text() == "new"
    assert not (tmp_path / "out" / "left-over").exists()


def test_without_overwrite_an_earlier_folder_stays(tmp_path):
    make(tmp_path / "out", "old")
    with (
        pytest.raises(ValueError, match=r"`overwrite=True`.*Received: output="),
        atomic_folder(tmp_path / "out"),
    ):
        raise AssertionError("the work began")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "summary.json").read_text() == "old"


@pytest.mark.parametrize("names", [["photo"], ["summary.json"], ["inner"]])
def test_other_folder_is_refused(tmp_path, names):
    (tmp_path / "out").mkdir()
    for name in names:
        (tmp_path / "out" / name).touch()
    with pytest.raises(ValueError, match=r"not replaced.*Received: output="):
        make(tmp_path / "out", marker=("summary.json", "inner"))
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert [p.name for p in (tmp_path / "out").iterdir()] == names


def test_file_is_refused(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(ValueError, match="must be a folder"):
        make(tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("existing", [True, False])
def test_failure_changes_nothing(tmp_path, error, existing):
    output = tmp_path / "a" / "out"
    if existing:
        make(output, "old")
    with pytest.raises(error), atomic_folder(output, overwrite=True) as folder:
        (folder / "half").touch()
        raise error
    if existing:
        assert [p.name for p in output.parent.iterdir()] == ["out"]
        assert (output / "summary.json").read_text() == "old"
    else:
        assert not list(tmp_path.iterdir())


def test_folder_filled_meanwhile_is_kept(tmp_path):
    output = tmp_path / "out"
    with (
        pytest.raises(ValueError, match="not replaced"),
        atomic_folder(output),
    ):
        output.mkdir()
        (output / "photo").touch()
    assert [p.name for p in tmp_path.rglob("*")] == ["out", "photo"]


def test_link_keeps_pointing(tmp_path):
    (tmp_path / "real").mkdir()
    os.symlink(tmp_path / "real", tmp_path / "link")
    make(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "summary.json").exists()


def test_a_mounted_disk_is_refused_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "out").mkdir()
    monkeypatch.setattr("os.path.ismount", lambda path: path.name == "out")
    with (
        pytest.raises(ValueError, match="where a disk is mounted.*Received"),
        atomic_folder(tmp_path / "out"),
    ):
        raise AssertionError("the work began")


KILLED = """
import os, signal, sys
from zoo.files.whole_folder import atomic_folder
with atomic_folder(sys.argv[1]) as folder:
    (folder / "summary.json").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_run_removes_what_a_killed_one_left(tmp_path):
    output = tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", KILLED, str(output)])
    assert done.returncode != 0
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".out.partial-")
    with atomic_folder(output, overwrite=True) as folder:
        assert not left.exists()
        # A run that is still at work keeps its folder.
        with atomic_folder(output) as other:
            assert folder.is_dir()
            (other / "summary.json").write_text("other")
        (folder / "summary.json").write_text("whole")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (output / "summary.json").read_text() == "whole"
    assert [p.name for p in output.iterdir()] == ["summary.json"]


@pytest.mark.parametrize("swapped", [True, False])
def test_a_run_killed_while_it_replaced_loses_nothing(tmp_path, swapped):
    old = tmp_path / ".out.partial-x-old"
    old.mkdir()
    (old / "summary.json").write_text("old")
    if swapped:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "summary.json").write_text("new")
    with (
        pytest.raises(RuntimeError),
        atomic_folder(tmp_path / "out", overwrite=True),
    ):
        raise RuntimeError
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    text = (tmp_path / "out" / "summary.json").read_text()
    assert text == ("new" if swapped else "old")
