import os
import stat
import subprocess
import sys

import filelock
import pytest

from zoo.files.whole_output import atomic_output
from zoo.files.whole_output import new_output


def test_nothing_is_there_before_the_end(tmp_path):
    output = tmp_path / "a" / "scores.csv"
    with atomic_output(output) as path:
        path.write_text("new")
        assert path.name == "scores.csv"
        assert not output.exists()
    assert output.read_text() == "new"
    assert [p.name for p in output.parent.iterdir()] == ["scores.csv"]


def test_an_earlier_file_is_replaced(tmp_path):
    (tmp_path / "out").write_text("old")
    with atomic_output(tmp_path / "out") as path:
        path.write_text("new")
        assert (tmp_path / "out").read_text() == "old"
    assert (tmp_path / "out").read_text() == "new"


def test_a_folder_with_files_is_not_replaced(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "photo").touch()
    with pytest.raises(OSError), atomic_output(tmp_path / "out") as path:
        path.mkdir()
    assert [p.name for p in tmp_path.rglob("*")] == ["out", "photo"]


@pytest.mark.parametrize("meanwhile", [True, False])
@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_a_new_output_replaces_nothing(tmp_path, kind, meanwhile):
    output = tmp_path / "out"

    def make():
        if kind == "link":
            output.symlink_to("nowhere")
        else:
            getattr(output, {"file": "touch", "folder": "mkdir"}[kind])()

    if not meanwhile:
        make()
    with (
        pytest.raises(ValueError, match=r"not replaced.*Received: output="),
        new_output(output) as path,
    ):
        assert meanwhile, "the work began"
        path.write_text("new")
        make()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert output.is_symlink() or not output.stat().st_size or kind == "folder"


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_the_umask_decides_who_may_read(tmp_path, mask):
    before = os.umask(mask)
    try:
        with atomic_output(tmp_path / "file") as path:
            path.write_text("new")
        with atomic_output(tmp_path / "folder") as path:
            path.mkdir()
    finally:
        os.umask(before)
    for name, mode in (("file", 0o666), ("folder", 0o777)):
        actual = stat.S_IMODE((tmp_path / name).stat().st_mode)
        assert actual == mode & ~mask


KILLED = """
import os, signal, sys
from zoo.files.whole_output import atomic_output
with atomic_output(sys.argv[1]) as path:
    path.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_next_run_removes_what_a_killed_one_left(tmp_path):
    output = tmp_path / "out"
    output.write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(output)])
    assert done.returncode != 0
    assert output.read_text() == "old"
    (left,) = tmp_path.glob(".out.partial-*")
    with atomic_output(output) as path:
        assert not left.exists()
        # A run that is still at work keeps its folder.
        with atomic_output(output) as other:
            other.write_text("other")
            assert path.parent.is_dir()
        path.write_text("whole")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert output.read_text() == "whole"


@pytest.mark.parametrize("error", [NotImplementedError, OSError])
def test_a_disk_without_locks_is_written_to(tmp_path, monkeypatch, error):
    left = tmp_path / ".out.partial-x"
    left.mkdir()
    (left / ".lock").touch()

    def acquire(self, *args, **kwargs):
        raise error("no locks")

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    with atomic_output(tmp_path / "out") as path:
        path.write_text("new")
    # It may belong to a run that is still at work.
    assert sorted(p.name for p in tmp_path.iterdir()) == [left.name, "out"]
