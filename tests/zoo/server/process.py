"""Runs `python -m zoo serve` as users do: in a process of its own."""

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

_ADDRESS = re.compile(r"^Serving .* at (http://\S+) \(")


@contextmanager
def server_process(preset, *options):
    """Starts a server at a free port; gives its process and its URL."""
    process = start(preset, "--port", 0, *options)
    try:
        line = process.stdout.readline()
        found = _ADDRESS.match(line.strip())
        assert found, (line, process.stderr.read())
        yield process, found[1]
    finally:
        process.kill()
        process.communicate()


def start(preset, *options):
    arguments = ["serve", str(preset), *map(str, options)]
    return subprocess.Popen(
        [sys.executable, "-m", "zoo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "100"},
    )


def resident_bytes(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return 1024 * int(re.search(r"VmRSS:\s+(\d+)", status)[1])
