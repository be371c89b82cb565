"""The README's Python runs, from its first block to its last."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.documentation.examples import NAMES
from tests.documentation.examples import fenced_blocks

README = (Path(__file__).parents[2] / "README.md").read_text()
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


@pytest.mark.filterwarnings("ignore:The encoder is left out")
def test_python_of_the_readme_runs(workplace):
    workplace(README)
    names = {**NAMES, **READERS_OWN}
    blocks = runnable(README)
    assert len(blocks) + len(_NOT_RUN.findall(README)) == len(
        fenced_blocks(README)
    )
    for number, code in enumerate(blocks):
        exec(compile(code, f"<README, block {number}>", "exec"), names)


def test_a_block_is_left_out_only_with_a_reason():
    block = "```python\n1 / 0\n```\n"
    assert runnable(block) == ["1 / 0\n"]
    assert runnable(f"<!-- not run: needs two GPUs -->\n{block}") == []
    assert runnable(f"<!-- not run: -->\n{block}") == ["1 / 0\n"]
