import signal

import pytest


@pytest.fixture
def heard():
    """Lets processes hear a Ctrl-C; a shell's background jobs ignore it."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)
