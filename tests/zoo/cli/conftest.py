import signal

import pytest


@pytest.fixture
def read_stderr(capsys):
    """Reads what was printed to stderr, without rich's frames and breaks."""
    return lambda: " ".join(capsys.readouterr().err.replace("│", " ").split())


@pytest.fixture
def heard():
    """Lets processes hear a Ctrl-C; a shell's background jobs ignore it."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)
