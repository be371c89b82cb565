"""Tests that `nox -s gpu` fails without a GPU, with one line that says so."""

import os
import subprocess
import sys

import pytest

from . import child


@pytest.mark.trained_often
def test_without_a_gpu_there_are_no_gpu_tests():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/gpu", "--accelerator"],
        cwd=child.ROOT,
        env={**os.environ, **child.ON_CPU},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "passed" not in done.stdout
    [line] = [x for x in done.stderr.splitlines() if x.startswith("ERROR")]
    assert "need an accelerator" in line
