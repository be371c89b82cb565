"""Writes the page of the command line from its own help."""

import os
import subprocess
import sys
from typing import Any

from mkdocs.structure.files import File
from mkdocs.structure.files import Files

PAGE = "command_line.md"


def on_files(files: Files, *, config: Any) -> Files:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "typer", "zoo.cli.app", "utils", "docs"),
            *("--name", "python -m zoo", "--title", "The command line"),
        ],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TERM": "dumb"},
    )
    files.append(File.generated(config, PAGE, content=done.stdout))
    return files
