"""A Ctrl-C ends a command with one line and 130, and leaves nothing half."""

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import zoo

# What no backend changes; a test of training has its own process for each.
COMMAND = pytest.mark.one_backend(reason="the command, not what it calls")
# A module that is interrupted while it is imported.
INTERRUPTED = """
import os, signal, time
os.kill(os.getpid(), signal.SIGINT)
time.sleep(60)
"""
# Some libraries in C end an interrupted import with their own error.
CONVERTED = """
import os, signal, time
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
except KeyboardInterrupt:
    raise ImportError("a part of numpy failed to import") from None
"""
# Others lose it, and run on.
LOST = """
import os, signal, time
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(1)
except KeyboardInterrupt:
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def heard():
    """Lets processes hear a Ctrl-C; a shell's background jobs ignore it."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


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
@pytest.mark.parametrize("text", [INTERRUPTED, CONVERTED, LOST])
@pytest.mark.parametrize("module", ["typer", "keras"])
def test_an_import_is_interrupted(tmp_path, module, text):
    (tmp_path / f"{module}.py").write_text(text)
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
from zoo.files.whole_folder import atomic_folder

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)

{main}
zoo.cli.app.main = main
zoo.cli.entrance.run_command_line()
"""
# A destructor, say, loses the first one.
LOST_LATER = """
def main():
    try:
        interrupt()
        time.sleep(60)
    except KeyboardInterrupt:
        pass
    try:
        time.sleep(60)
    finally:
        time.sleep(2.5)
        print("cleaned up", flush=True)
"""
# Code in C would crash if an exception came from the Python that it calls.
CALLED_BY_A_LIBRARY = """
library = types.ModuleType("{library}.core")
vars(library).update(interrupt=interrupt)
exec('def call():\\n interrupt()\\n print("unharmed")', vars(library))

def main():
    try:
        library.call()
        time.sleep(60)
    finally:
        print("cleaned up", flush=True)
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
TWICE = """
def main():
    threading.Timer(0.5, interrupt).start()
    try:
        time.sleep(60)
    finally:
        threading.Timer(0.5, interrupt).start()
        time.sleep(60)
"""
TWICE_IN_C = """
def main():
    threading.Timer(0.5, interrupt).start()
    try:
        time.sleep(60)
    finally:
        threading.Timer(0.5, interrupt).start()
        hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)
"""
DONE = """
def main():
    atexit.register(interrupt)
    print("done", flush=True)
"""


def run(main, cwd=None):
    return subprocess.run(
        [sys.executable, "-c", COMMAND_LINE.format(main=main)],
        capture_output=True,
        text=True,
        timeout=50,
        cwd=cwd,
    )


NO_WINDOWS = pytest.mark.skipif(os.name == "nt", reason="Windows has no timer")


@COMMAND
@NO_WINDOWS
def test_a_lost_interrupt_comes_again_and_lets_clean_up():
    done = run(LOST_LATER)
    assert done.stderr == "interrupted: describe\n"
    assert done.stdout == "cleaned up\n"
    assert done.returncode == 130


@COMMAND
@pytest.mark.parametrize("library", ["jax", "tensorflow", "torch"])
def test_a_library_that_calls_python_is_not_disturbed(library):
    done = run(CALLED_BY_A_LIBRARY.format(library=library))
    assert done.stderr == "interrupted: describe\n"
    assert done.stdout == "unharmed\ncleaned up\n"
    assert done.returncode == 130


@COMMAND
@NO_WINDOWS
def test_code_that_does_not_come_back_is_not_waited_for(tmp_path):
    done = run(IN_C, tmp_path)
    assert done.stderr == "interrupted: describe. Resume.\n"
    assert done.returncode == 130
    assert not list(tmp_path.iterdir())


@COMMAND
@NO_WINDOWS
@pytest.mark.parametrize("main", [TWICE, TWICE_IN_C])
def test_a_second_interrupt_ends_at_once(main):
    done = run(main)
    assert done.stderr == "interrupted: describe\n"
    assert done.returncode == 130


@COMMAND
def test_an_interrupt_behind_the_work_changes_nothing():
    done = run(DONE)
    assert (done.stdout, done.stderr) == ("done\n", "")
    assert done.returncode == 0


@COMMAND
def test_an_encoding_is_interrupted(tmp_path, raw):
    process = start(
        *("prepare", "synthetic", "--source", raw),
        *("--output", tmp_path / "encoded"),
    )
    stderr = interrupt_once(process, lambda: list(tmp_path.iterdir()))
    # A progress bar leaves an empty line.
    assert stderr.strip() == "interrupted: prepare"
    assert process.returncode == 130
    assert not list(tmp_path.iterdir())


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
        "interrupted: train. Run the same command with --resume to go on from "
        f"the last checkpoint in {checkpoints}"
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
