"""Runs a benchmark's own script in a process of its own, on one backend."""

import json
import os
import subprocess
import sys
from typing import Any


def measure_in_child(
    script: str,
    backend: str,
    *arguments: str,
    environment: dict[str, str] | None = None,
) -> Any:
    """Returns what the script prints last, which is JSON.

    Raises:
        RuntimeError: with the end of its errors, if it fails.
    """
    done = subprocess.run(
        [sys.executable, script, *arguments],
        env={**os.environ, "KERAS_BACKEND": backend, **(environment or {})},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{backend}, {arguments}: {done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])
