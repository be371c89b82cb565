"""A Ctrl-C ends a command with one line and 130, and leaves nothing half."""

import ast
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import zoo
from zoo.cli.app import main

pytestmark = pytest.mark.usefixtures("heard")
# What no backend changes; a test of training has its own process for each.
COMMAND = pytest.mark.one_backend(reason="the command, not what it calls")
# A module that is interrupted while it is imported.
INTERRUPTED = """
import os, signal, time
os.kill(os.getpid(), signal.SIGINT)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    path = tmp_path_factory.mktemp("raw") / "train.txt"
    zoo.datasets.synthetic.write_raw_log(path, rows=60_000)
    return path


@pytest.fixture(scope="module")
def encoded(raw, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoded") / "log"
    zoo.prepare(zoo.datasets.SYNTHETIC, raw, folder, show_progress=False)
    return folder


def start(*arguments, terminal=False, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "zoo", *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        start_new_session=terminal,
    )


def interrupt_once(process, is_time, send=None):
    """Sends a Ctrl-C when it is time; returns what the process then printed."""
    while not is_time():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.002)
    (send or process.send_signal)(signal.SIGINT)
    try:
        return process.communicate(timeout=120)[1]
    finally:
        process.kill()
        process.wait()


@COMMAND
@pytest.mark.parametrize("module", ["typer", "keras"])
def test_an_import_is_interrupted(tmp_path, module):
    (tmp_path / f"{module}.py").write_text(INTERRUPTED)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    process = start("describe", tmp_path, PYTHONPATH=path)
    _, stderr = process.communicate(timeout=120)
    assert stderr == "interrupted: describe\n"
    assert process.returncode == 130


# Runs `main` as a command, which can ask for a Ctrl-C.
COMMAND_LINE = """
import atexit, hashlib, os, signal, sys, threading, time, types
sys.argv = ["cowclip", "describe"]
import zoo.cli.app, zoo.cli.entrance
from zoo.cli.interruption import explaining_interruption
from zoo.cli.interruption import leaving_interrupts_to_library
from zoo.files.whole_folder import atomic_folder

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)

{main}
zoo.cli.app.main = main
zoo.cli.entrance.run_command_line()
"""
IN_PYTHON = """
def main():
    print("written before")
    try:
        interrupt()
        time.sleep(60)
    finally:
        print("raised", flush=True)
"""
# As a compilation does, it does not come back to Python for minutes.
IN_C = """
def main():
    threading.Timer(0.5, interrupt).start()
    with (
        explaining_interruption(lambda: "Resume."),
        atomic_folder("made/output"),
    ):
        hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
"""
# A library that takes Ctrl-C for itself, and does not end.
LOST = """
def main():
    signal.signal(signal.SIGINT, lambda *event: None)
    interrupt()
    time.sleep(60)
"""
# A server answers before it ends, as uvicorn does.
SERVING = """
def main():
    received = []
    with leaving_interrupts_to_library():
        before = signal.signal(signal.SIGINT, lambda *e: received.append(e))
        interrupt()
        time.sleep(1)
        print("answered", received != [])
        signal.signal(signal.SIGINT, before)
    signal.raise_signal(signal.SIGINT)
"""
DONE = """
def main():
    atexit.register(interrupt)
    print("done", flush=True)
"""
# A shell starts a job in the background so.
IGNORED = """
signal.signal(signal.SIGINT, signal.SIG_IGN)
def main():
    interrupt()
    time.sleep(1)
    print("done", flush=True)
"""
WRITING = """
def main():
    threading.Timer(1, interrupt).start()
    while True:
        print("row" * 1000)
"""


def run(main, cwd=None, **options):
    return subprocess.run(
        [sys.executable, "-c", COMMAND_LINE.format(main=main)],
        **{"capture_output": True, **options},
        text=True,
        timeout=50,
        cwd=cwd,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )


NO_WINDOWS = pytest.mark.skipif(
    os.name == "nt", reason="Windows calls handlers when code in C is done"
)


@COMMAND
@pytest.mark.parametrize(
    ("main", "stdout"),
    [
        (IN_PYTHON, "written before\n"),
        pytest.param(LOST, "", marks=NO_WINDOWS),
        (SERVING, "answered True\n"),
    ],
)
def test_an_interrupt_ends_the_command(main, stdout):
    done = run(main)
    assert done.stderr == "interrupted: describe\n"
    assert done.stdout == stdout
    assert done.returncode == 130


@COMMAND
@NO_WINDOWS
def test_code_in_c_is_not_waited_for(tmp_path):
    done = run(IN_C, tmp_path)
    assert done.stderr == "interrupted: describe. Resume.\n"
    assert done.returncode == 130
    assert not list(tmp_path.iterdir())


@COMMAND
@NO_WINDOWS
def test_a_reader_that_does_not_read_is_not_waited_for():
    reading, writing = os.pipe()
    done = run(
        WRITING, capture_output=False, stdout=writing, stderr=subprocess.PIPE
    )
    os.close(reading)
    os.close(writing)
    assert done.stderr == "interrupted: describe\n"
    assert done.returncode == 130


@COMMAND
@NO_WINDOWS
def test_a_terminal_gets_its_cursor_back():
    ours, terminal = os.openpty()
    done = run(
        IN_PYTHON, capture_output=False, stdout=terminal, stderr=terminal
    )
    os.close(terminal)
    shown = os.read(ours, 1000).replace(b"\r", b"")
    os.close(ours)
    assert shown.startswith(b"written before\n\x1b[?25h")
    assert shown.endswith(b"\ninterrupted: describe\n")
    assert done.returncode == 130


@COMMAND
def test_one_of_several_processes_speaks(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    done = run(IN_PYTHON)
    assert (done.stdout, done.stderr) == ("written before\n", "")
    assert done.returncode == 130


@COMMAND
@pytest.mark.parametrize("main", [DONE, IGNORED])
def test_an_interrupt_that_nobody_waits_for_changes_nothing(main):
    done = run(main)
    assert (done.stdout, done.stderr) == ("done\n", "")
    assert done.returncode == 0


@COMMAND
def test_a_call_of_the_command_line_leaves_ctrl_c_alone(tmp_path):
    with pytest.raises(SystemExit):
        main(["describe", str(tmp_path)])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# Interrupts a writer before its first line, before its second, and so on.
AT_EVERY_LINE = """
import os, shutil, signal, sys
from pathlib import Path
sys.argv = ["cowclip"]
from zoo.cli.interruption import ending_at_interrupts
from zoo.files.whole_folder import atomic_folder
from zoo.files.whole_output import atomic_output

def make_folder(overwrite=True):
    with atomic_folder("made/output", "marker", overwrite) as folder:
        for name in ("marker", "part"):
            (folder / name).write_text(sys.argv[-1])

def make_file():
    with atomic_output("made/output") as path:
        path.write_text(sys.argv[-1])

def content(path):
    if path.is_file():
        return path.read_text()
    return {{inner.name: content(inner) for inner in path.iterdir()}}

def interrupted_at(line):
    def trace(frame, event, argument):
        nonlocal line
        if frame.f_globals["__name__"].startswith("zoo.files."):
            line -= event == "line"
            if line < 0:
                sys.settrace(None)
                os.kill(os.getpid(), signal.SIGINT)
        return trace

    with ending_at_interrupts():
        sys.settrace(trace)
        {make}()
        sys.settrace(None)
    os._exit(0)

def states(*before):
    line = 0
    while True:
        for name in before:
            sys.argv.append(name)
            {make}()
        sys.argv.append("new")
        child = os.fork() or interrupted_at(line)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        yield content(Path("."))
        shutil.rmtree("made", ignore_errors=True)
        if status == 0:
            return
        assert status == 130, status
        line += 1

for before in ([], ["old"]):
    seen = []
    for state in states(*before):
        if state not in seen:
            seen.append(state)
    # Or each child would print it as well.
    print(seen, flush=True)
"""


@COMMAND
@NO_WINDOWS
@pytest.mark.parametrize("make", ["make_folder", "make_file"])
def test_an_output_is_whole_wherever_it_is_interrupted(tmp_path, make):
    done = subprocess.run(
        [sys.executable, "-c", AT_EVERY_LINE.format(make=make)],
        capture_output=True,
        text=True,
        timeout=100,
        cwd=tmp_path,
    )

    def made(text):
        whole = {"marker": text, "part": text}
        return {"made": {"output": whole if make == "make_folder" else text}}

    assert done.returncode == 0, done.stderr
    assert set(done.stderr.splitlines()) == {"interrupted: new"}
    first, second = done.stdout.splitlines()
    assert ast.literal_eval(first) == [{}, made("new")]
    assert ast.literal_eval(second) == [made("old"), made("new")]


@COMMAND
def test_an_encoding_is_interrupted(tmp_path, raw):
    process = start(
        *("prepare", "synthetic", "--source", raw),
        *("--output", tmp_path / "encoded"),
    )
    stderr = interrupt_once(process, lambda: list(tmp_path.iterdir()))
    # The log's files may have been named, and a progress bar leaves an empty
    # line.
    assert set(stderr.splitlines()) - {"", "log: train.txt"} == {
        "interrupted: prepare"
    }
    assert process.returncode == 130
    assert not list(tmp_path.iterdir())


@COMMAND
@NO_WINDOWS
@pytest.mark.large
def test_spark_is_interrupted(tmp_path, raw):
    pytest.importorskip("pyspark", reason="an extra, is not installed")
    (temporary := tmp_path / "temporary").mkdir()
    process = start(
        *("prepare", "synthetic", "--source", raw),
        *("--output", tmp_path / "made" / "encoded"),
        *("--engine", "spark", "--spark-master", "local[1]"),
        TMPDIR=str(temporary),
        SPARK_LOCAL_DIRS=str(temporary),
    )
    # Java writes to the same pipe: this waits until it has ended too.
    stderr = interrupt_once(
        process, lambda: list(tmp_path.glob("made/.*/work/staged/*"))
    )
    assert stderr.splitlines()[-1] == "interrupted: prepare"
    assert "Traceback" not in stderr
    assert process.returncode == 130
    assert [*tmp_path.rglob("*")] == [temporary]


def test_a_training_is_interrupted(tmp_path, encoded):
    checkpoints = tmp_path / "run.checkpoints"
    process = start(
        *("train", "--data", encoded, "--output", tmp_path / "run"),
        *("--epochs", 50, "--checkpoint-steps", 2, "--hidden-units", 4),
    )
    stderr = interrupt_once(
        process, lambda: list(checkpoints.glob("step-*[0-9]"))
    )
    # Backends print warnings before.
    assert stderr.splitlines()[-1] == (
        "interrupted: train. The same command with --resume resumes from the "
        f"last checkpoint in {checkpoints}"
    )
    assert "Traceback" not in stderr
    assert process.returncode == 130
    assert [*tmp_path.iterdir()] == [checkpoints]


@pytest.mark.large
@pytest.mark.parametrize("share", np.linspace(0, 0.95, 40))
def test_a_training_is_interrupted_at_any_moment(
    tmp_path, encoded, whole_seconds, share
):
    process = start(*_training(encoded, tmp_path / "run"))
    begin = time.monotonic()
    moment = begin + 0.1 + share * whole_seconds
    stderr = interrupt_once(process, lambda: time.monotonic() > moment)
    assert time.monotonic() < moment + 5
    (line,) = re.findall("^interrupted.*", stderr, re.MULTILINE)
    assert "Traceback" not in stderr
    assert process.returncode == 130
    has_checkpoint = any(tmp_path.glob("run.checkpoints/step-*"))
    assert ("--resume" in line) == has_checkpoint
    assert not (tmp_path / "run").exists()
    assert not list(tmp_path.glob(".*partial*"))


@pytest.fixture(scope="module")
def whole_seconds(encoded, tmp_path_factory):
    """Returns how long a training writes nothing that is whole."""
    output = tmp_path_factory.mktemp("whole") / "run"
    process = start(*_training(encoded, output))
    begin = time.monotonic()
    while not output.exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    seconds = time.monotonic() - begin
    process.communicate()
    return seconds


def _training(encoded, output):
    return (
        *("train", "--data", encoded, "--output", output),
        *("--epochs", 2, "--batch-size", 2048, "--checkpoint-steps", 2),
        *("--hidden-units", 16, "--model", "wide_deep"),
    )


@pytest.mark.large
@NO_WINDOWS
def test_a_training_on_two_devices_is_interrupted(tmp_path, encoded):
    process = start(
        *(*_training(encoded, tmp_path / "run"), "--epochs", 50),
        *("--devices", 2),
        terminal=True,
    )
    # A terminal sends it to all processes.
    stderr = interrupt_once(
        process,
        lambda: list(tmp_path.glob("run.checkpoints/step-*")),
        lambda signal: os.killpg(process.pid, signal),
    )
    (line,) = re.findall("^interrupted.*", stderr, re.MULTILINE)
    assert "--resume" in line
    assert "Traceback" not in stderr
    assert process.returncode == 130
