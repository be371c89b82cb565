"""Ends a command that Ctrl-C interrupts with one line.

Nothing here imports more than Python has, so that a Ctrl-C while modules are
being imported is met as well.
"""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from types import FrameType
from typing import Any
from typing import NoReturn

# What a shell reports of a process that Ctrl-C ended; Typer exits with it too.
EXIT_CODE = 130
# Their code in C calls Python, and crashes or runs on if that raises. So does
# the code of modules that are being imported.
_LIBRARIES = {
    *("jax", "jaxlib", "tensorflow", "torch", "weakref"),
    *("importlib", "_frozen_importlib"),
}
# A step or a compilation that takes longer is not waited for.
_SECONDS_TO_WAIT = 3
# Windows has no timer, and no pipe that a signal can write to.
_IS_POSIX = os.name == "posix"
# A library may make another exception of a `KeyboardInterrupt`, such as an
# `ImportError` where it was being imported.
_received: list[int] = []
# Set once a `KeyboardInterrupt` is on its way up.
_raised = threading.Event()
# One entry for each `ending_at_once` that is under way.
_at_once: list[None] = []
# Of each `explaining_interruption` that is under way or was interrupted.
_advice: list[Callable[[], str]] = []
# Held by the thread that ends the process; from then on nothing is raised.
_ending = threading.RLock()


@contextmanager
def noting_interrupts() -> Iterator[None]:
    """Makes a `KeyboardInterrupt` of a Ctrl-C where code in C is not harmed.

    It waits until backends are back from their work. Where that takes longer
    than three seconds, and at a second Ctrl-C, the process ends at once. Where
    the exception is lost on its way, it is raised again after a second.
    """
    handler = signal.getsignal(signal.SIGINT)
    # A shell lets processes in the background ignore the signal.
    if handler is not signal.default_int_handler:
        yield
        return
    _received.clear()
    _raised.clear()
    _advice.clear()
    signal.signal(signal.SIGINT, _interrupt)
    if _IS_POSIX:
        alarm = signal.signal(signal.SIGALRM, _interrupt_again)
    with _watching():
        try:
            yield
        finally:
            if _IS_POSIX:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, alarm)
            signal.signal(signal.SIGINT, handler)
            _received.clear()
            # Python's end would print a traceback, and the work is done.
            atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Lets a Ctrl-C end the process within the block, which writes nothing.

    It is for imports: code in C may lose a `KeyboardInterrupt` there, and the
    command would run on. JAX' does.
    """
    _at_once.append(None)
    try:
        yield
    finally:
        _at_once.pop()


@contextmanager
def explaining_interruption(advice: Callable[[], str]) -> Iterator[None]:
    """Says how to go on if Ctrl-C interrupts the block.

    Args:
        advice: function that returns a sentence, or an empty string.
    """
    _advice.append(advice)
    try:
        yield
    except BaseException as error:
        if not was_interrupted(error):
            _advice.pop()
        raise
    _advice.pop()


def was_interrupted(error: BaseException) -> bool:
    """Whether an exception comes from a Ctrl-C."""
    if isinstance(error, SystemExit):
        # Behind a Ctrl-C, a command that ended well has done its work.
        return error.code == EXIT_CODE or bool(_received and error.code)
    return bool(_received) or isinstance(error, KeyboardInterrupt)


def end_interrupted() -> NoReturn:
    """Prints what was interrupted, and ends the process with 130.

    Python is not shut down in order: threads of XLA would be running on what
    it frees, and crash.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if _IS_POSIX:
        signal.setitimer(signal.ITIMER_REAL, 0)
    _ending.acquire()
    # This module imports nothing. If the main thread comes back from code in C,
    # it does not get past the lock.
    if partial_output := sys.modules.get("zoo.files.partial_output"):
        partial_output.remove_partial_folders()
    # The reader of a pipe may be slow or gone, and another thread may be within
    # a `write`.
    flushing = threading.Thread(target=_flush, daemon=True)
    with suppress(RuntimeError):
        flushing.start()
        flushing.join(0.5)
    line = ": ".join(["interrupted", *sys.argv[1:2]])
    advice = _advice[-1]() if _advice else ""
    if advice:
        line += f". {advice}"
    # A progress bar, or the terminal's ^C, may be on the line. A progress bar
    # may have hidden the cursor.
    start = "\x1b[?25h\n" if sys.stderr.isatty() else ""
    # Of the processes that `torchrun` starts, one speaks for all.
    if os.environ.get("RANK", "0") != "0":
        os._exit(EXIT_CODE)
    with suppress(OSError):
        os.write(2, f"{start}{line}\n".encode())
    os._exit(EXIT_CODE)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, RuntimeError):
            stream.flush()


def _interrupt(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    if _at_once or len(_received) > 1:
        end_interrupted()
    if _IS_POSIX:
        signal.setitimer(signal.ITIMER_REAL, 1, 1)
    _raise_outside_libraries(frame)


def _interrupt_again(number: int, frame: FrameType | None) -> None:
    # What is on its way up must not be disturbed as it cleans up.
    if sys.exception() is None:
        _raise_outside_libraries(frame)


def _raise_outside_libraries(frame: FrameType | None) -> None:
    caller = _caller_of_libraries(frame)
    if caller is None:
        _raise()
    # Python traces only frames that are known while a trace function is set.
    caller.f_trace = _raise
    sys.settrace(_trace_no_other)


def _caller_of_libraries(frame: FrameType | None) -> FrameType | None:
    """The frame that the libraries return to, or `None` outside of them."""
    caller = None
    while frame is not None:
        name = frame.f_globals.get("__name__") or ""
        if (
            name.partition(".")[0] in _LIBRARIES
            or frame.f_code.co_name == "__del__"
        ):
            caller = frame.f_back
        frame = frame.f_back
    return caller


def _trace_no_other(*event: Any) -> None:
    pass


def _raise(*event: Any) -> NoReturn:
    sys.settrace(None)
    with _ending:
        _raised.set()
    raise KeyboardInterrupt


@contextmanager
def _watching() -> Iterator[None]:
    """Runs a thread that ends the process where the main one does not."""
    if not _IS_POSIX:
        yield
        return
    hearing, heard = os.pipe()
    os.set_blocking(heard, False)
    before = signal.set_wakeup_fd(heard, warn_on_full_buffer=False)
    watching = threading.Thread(target=_watch, args=[hearing], daemon=True)
    watching.start()
    try:
        yield
    finally:
        _raised.set()
        signal.set_wakeup_fd(before)
        os.close(heard)
        watching.join()
        os.close(hearing)


def _watch(hearing: int) -> None:
    """Waits for Ctrl-C, then for Python to raise it, then for a second one.

    While code in C runs in the main thread, Python calls no handler there.
    """
    if _hears(hearing) and (
        not _raised.wait(_SECONDS_TO_WAIT) or _hears(hearing)
    ):
        end_interrupted()


def _hears(hearing: int) -> bool:
    """Whether a Ctrl-C came before the other end was closed."""
    while received := os.read(hearing, 1):
        if received[0] == signal.SIGINT:
            return True
    return False
