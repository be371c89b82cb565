"""The Python of the README and of each guide runs, from block to block."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.documentation.examples import NAMES
from tests.documentation.examples import fenced_blocks

ROOT = Path(__file__).parents[2]
# Made by the build, or with a test of its own.
OTHERS = ("command_line", "serving", "several_devices", "tuning")
GUIDES = [
    path
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    if path.stem not in OTHERS
]
# What no block brings: the reader's own rows.
ROWS = 1024
READERS_OWN = {
    "x": np.random.default_rng(0).integers(0, 1_000_000, (ROWS, 26)),
    "y": np.random.default_rng(1).integers(0, 2, (ROWS, 1)),
}
_NOT_RUN = re.compile(r"^<!-- not run: (.+) -->\n```python\n", re.MULTILINE)


def runnable(text):
    """Returns the Python blocks that no comment says can't be run here."""
    return fenced_blocks(_NOT_RUN.sub("```text\n", text))


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore:The encoder is left out")
def test_python_of_a_guide_runs(path, workplace):
    text = path.read_text()
    workplace(text)
    names = {**NAMES, **READERS_OWN}
    blocks = runnable(text)
    assert len(blocks) + len(_NOT_RUN.findall(text)) == len(fenced_blocks(text))
    for number, code in enumerate(blocks):
        exec(compile(code, f"<{path.name}, block {number}>", "exec"), names)


def test_a_block_is_left_out_only_with_a_reason():
    block = "```python\n1 / 0\n```\n"
    assert runnable(block) == ["1 / 0\n"]
    assert runnable(f"<!-- not run: needs two GPUs -->\n{block}") == []
    assert runnable(f"<!-- not run: -->\n{block}") == ["1 / 0\n"]
