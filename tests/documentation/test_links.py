"""Links within the repository point to files that are there."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# By the build of the documentation, which checks the links to it.
MADE = {ROOT / "docs/command_line.md"}
_LINK = re.compile(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def committed(pattern):
    listed = subprocess.run(
        ["git", "ls-files", "--", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.splitlines()


def broken_links(text, folder):
    links = [
        link.partition("#")[0] for link in _LINK.findall(_CODE.sub("", text))
    ]
    return [
        link
        for link in links
        if link and "://" not in link and not link.startswith("mailto:")
        if folder / link not in MADE and not (folder / link).exists()
    ]


@pytest.mark.parametrize("path", committed("*.md"))
def test_no_link_points_nowhere(path):
    path = ROOT / path
    assert not broken_links(path.read_text(), path.parent)


def test_a_broken_link_is_found(tmp_path):
    (tmp_path / "there.md").touch()
    text = "[a](there.md#part) [b](gone.md) ![c](gone.png) `[d](code.md)`"
    assert broken_links(text, tmp_path) == ["gone.md", "gone.png"]
