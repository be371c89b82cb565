"""Ends a command at Ctrl-C: at once, with one line.

Nothing is raised, for code in C that calls Python, such as a backend that
compiles, crashes or runs on then. The process may end anywhere, because an
output has another name until it is whole.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from typing import Any
from typing import NoReturn

from zoo.files.unfinished import undo_all

# Code in C that takes longer is not waited for.
_SECONDS_TO_WAIT = 0.5
# Of each `explaining_interruption` that is under way.
_advice: list[Callable[[], str]] = []
# Taken for good: a main thread that comes back from code in C while another
# thread ends the process is stopped here.
_ending = threading.RLock()


@contextmanager
def ending_at_interrupts() -> Iterator[None]:
    """Lets a Ctrl-C within the block end the process, and ignores later ones.

    It is for the entrance of a process, not for functions that others call.
    """
    # A shell lets processes in the background ignore the signal.
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _end)
    # On Windows no signal writes to a pipe, and code in C is waited for.
    if os.name == "posix":
        hearing, heard = os.pipe()
        os.set_blocking(heard, False)
        signal.set_wakeup_fd(heard, warn_on_full_buffer=False)
        threading.Thread(target=_watch, args=[hearing], daemon=True).start()
    try:
        yield
    finally:
        # The work is done, and Python's end would print a traceback.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def leaving_interrupts_to_library() -> Iterator[None]:
    """Lets a library's own handler of Ctrl-C take its time within the block."""
    heard = signal.set_wakeup_fd(-1)
    try:
        yield
    finally:
        signal.set_wakeup_fd(heard)


@contextmanager
def explaining_interruption(advice: Callable[[], str]) -> Iterator[None]:
    """Says how to resume if Ctrl-C interrupts the block.

    Args:
        advice: function that returns a sentence, or an empty string. It must
            import nothing, for an import may be under way.
    """
    _advice.append(advice)
    try:
        yield
    finally:
        _advice.pop()


def _watch(hearing: int) -> None:
    """Ends the process where the main thread does not.

    While code in C runs there, Python calls no handler.
    """
    while os.read(hearing, 1)[0] != signal.SIGINT:
        pass
    time.sleep(_SECONDS_TO_WAIT)
    _end()


def _end(*event: Any) -> NoReturn:
    _ending.acquire()
    try:
        undo_all()
        _flush()
        # Of the processes that `torchrun` starts, one speaks for all.
        if os.environ.get("RANK", "0") == "0":
            _say_what_was_interrupted()
    finally:
        # Were Python shut down in order, threads of XLA would be running on
        # what it frees, and crash. A shell reports 130 of a Ctrl-C.
        os._exit(130)


def _say_what_was_interrupted() -> None:
    line = ": ".join(["interrupted", *sys.argv[1:2]])
    if _advice and (advice := _advice[-1]()):
        line += f". {advice}"
    for terminal in filter(os.isatty, (1, 2)):
        # A progress bar may have hidden the cursor.
        os.write(terminal, b"\x1b[?25h")
    # A progress bar, or the terminal's ^C, may be on the line.
    start = "\n" if os.isatty(2) else ""
    os.write(2, f"{start}{line}\n".encode())


def _flush() -> None:
    """Writes out what was printed, unless its reader is slow or gone."""
    flushing = threading.Thread(target=_flush_streams, daemon=True)
    with suppress(RuntimeError):
        flushing.start()
        flushing.join(0.5)


def _flush_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
