"""Ends a command that Ctrl-C interrupts with one line.

Nothing here imports more than Python has, so that a Ctrl-C while modules are
being imported is met as well.
"""

import os
import signal
import sys
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from typing import Any
from typing import NoReturn

# What a shell reports of a process that Ctrl-C ended; Typer exits with it too.
EXIT_CODE = 130
# A library may make another exception of a `KeyboardInterrupt`, such as an
# `ImportError` where it was being imported.
_received: list[int] = []
# One entry for each `ending_at_once` that is under way.
_at_once: list[None] = []
_HAS_TIMER = hasattr(signal, "setitimer")  # Windows has none.


class CommandInterrupted(BaseException):
    """Ctrl-C interrupted a command; the message says how to go on.

    Typer lets it pass. It ends a `KeyboardInterrupt` without a word.
    """


@contextmanager
def noting_interrupts() -> Iterator[None]:
    """Remembers every Ctrl-C within the block; it raises as ever.

    Where code in C or a destructor loses the exception, it is raised again
    after a second.
    """
    handler = signal.getsignal(signal.SIGINT)
    # A shell lets processes in the background ignore the signal.
    if handler is not signal.default_int_handler:
        yield
        return
    _received.clear()
    signal.signal(signal.SIGINT, _interrupt)
    if _HAS_TIMER:
        alarm = signal.signal(signal.SIGALRM, _interrupt_again)
    try:
        yield
    finally:
        if _HAS_TIMER:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, alarm)
        signal.signal(signal.SIGINT, handler)
        _received.clear()


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
    try:
        yield
    except BaseException as error:
        if was_interrupted(error):
            raise CommandInterrupted(advice()) from error
        raise


def was_interrupted(error: BaseException) -> bool:
    """Whether an exception comes from a Ctrl-C."""
    if isinstance(error, SystemExit):
        # Behind a Ctrl-C, a command that ended well has done its work.
        return error.code == EXIT_CODE or bool(_received and error.code)
    return bool(_received) or isinstance(
        error, KeyboardInterrupt | CommandInterrupted
    )


def end_interrupted(error: BaseException) -> NoReturn:
    """Prints what was interrupted, and ends the process with 130.

    Python is not shut down in order: threads of XLA would be running on what
    it frees, and crash.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if _HAS_TIMER:
        signal.setitimer(signal.ITIMER_REAL, 0)
    words = ["interrupted", *sys.argv[1:2]]
    line = ": ".join(words)
    if isinstance(error, CommandInterrupted) and str(error):
        line += f". {error}"
    # A progress bar, or the terminal's ^C, may be on the line.
    start = "\n" if sys.stderr.isatty() else ""
    # The reader of a pipe may be gone, or the signal came within a `write`.
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, RuntimeError):
            stream.flush()
    with suppress(OSError):
        os.write(2, f"{start}{line}\n".encode())
    os._exit(EXIT_CODE)


def _interrupt(number: int, frame: Any) -> NoReturn:
    _received.append(number)
    if _at_once:
        end_interrupted(KeyboardInterrupt())
    if _HAS_TIMER:
        signal.setitimer(signal.ITIMER_REAL, 1, 1)
    raise KeyboardInterrupt


def _interrupt_again(number: int, frame: Any) -> None:
    # What is on its way up must not be disturbed as it cleans up.
    if sys.exception() is None:
        raise KeyboardInterrupt
