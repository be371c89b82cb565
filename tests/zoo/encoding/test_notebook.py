"""Encoding in a notebook that has no ipywidgets."""

import subprocess
import sys

import pytest

# DuckDB detects a notebook by this; `-c` leaves `__main__` without a file, too.
NOTEBOOK = """
import sys, types
shell = types.SimpleNamespace(config={"IPKernelApp": {}})
sys.modules["IPython"] = types.ModuleType("IPython")
sys.modules["IPython"].get_ipython = lambda: shell
sys.modules["ipywidgets"] = None

import duckdb
import zoo

try:
    duckdb.connect().execute("set enable_progress_bar = false")
except duckdb.InvalidInputException:
    print("DuckDB refuses")
zoo.datasets.synthetic.write_raw_log("raw.txt", rows=1000, max_vocabulary=5)
zoo.prepare(zoo.datasets.SYNTHETIC, "raw.txt", "encoded")
print(len(zoo.EncodedLog.load("encoded").split("train")) > 0)
"""


@pytest.mark.large
def test_a_log_is_encoded_in_a_notebook_without_ipywidgets(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["DuckDB refuses", "True"]
