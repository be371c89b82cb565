"""Runs the tutorials, and makes notebooks of them.

    python tutorials/notebooks.py run      # all of them, as scripts
    python tutorials/notebooks.py build    # .ipynb beside each, with outputs

A tutorial is a script in the form that keras.io takes: blocks of text between
triple quotes, code between the blocks. `run` fails on an error, and on a
warning that this project or the tutorial itself raises. The backend is the
environment variable KERAS_BACKEND.
"""

import argparse
import ast
import os
import runpy
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

FOLDER = Path(__file__).parent
HEADER = ("Title", "Author", "Date created", "Last modified", "Description")
OURS = r"(keras_cowclip|zoo|__main__)\b"
TIMEOUT_SECONDS = 1200
# TensorFlow greets on stderr, on any backend that finds it installed.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def tutorials() -> list[Path]:
    """The scripts, in the order in which they are read."""
    return sorted(FOLDER.glob("[0-9]*.py"))


def parse(path: Path) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Splits a tutorial into its header and its blocks.

    Returns:
        The header, and for each block `"text"` or `"code"` and its content.

    Raises:
        ValueError: naming the file, where it is not of the form.
    """
    source = path.read_text()
    lines = source.splitlines()
    texts = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    if not texts or texts[0].lineno != 1:
        raise ValueError(f"{path}: must begin with the header's text block")
    blocks, last = [], 0
    for node in texts:
        blocks.append(("code", "\n".join(lines[last : node.lineno - 1])))
        blocks.append(("text", node.value.value))
        last = node.end_lineno
    blocks.append(("code", "\n".join(lines[last:])))
    blocks = [(kind, text.strip("\n")) for kind, text in blocks]
    blocks = [(kind, text) for kind, text in blocks if text.strip()]
    return _header(path, blocks[0][1]), blocks[1:]


def _header(path: Path, text: str) -> dict[str, str]:
    header = dict(line.split(": ", 1) for line in text.splitlines())
    if tuple(header) != HEADER:
        raise ValueError(
            f"{path}: the header must have the lines {HEADER}. "
            f"Received: {tuple(header)}"
        )
    return header


def notebook(path: Path):
    """The tutorial as a notebook, not yet run."""
    import nbformat

    header, blocks = parse(path)
    made = nbformat.v4.new_notebook()
    made.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    title = f"# {header['Title']}\n\n" + "\n".join(
        f"**{name}:** {header[name]}<br>" for name in HEADER[1:]
    )
    make = {
        "text": nbformat.v4.new_markdown_cell,
        "code": nbformat.v4.new_code_cell,
    }
    for number, (kind, text) in enumerate([("text", title), *blocks]):
        # Ids are random otherwise, and every build a change.
        made.cells.append(make[kind](text, id=f"cell-{number}"))
    return made


def build(path: Path) -> None:
    """Runs a tutorial as a notebook and writes it, outputs included."""
    import nbclient
    import nbformat

    made = notebook(path)
    with tempfile.TemporaryDirectory() as folder:
        nbclient.NotebookClient(
            made,
            timeout=TIMEOUT_SECONDS,
            record_timing=False,
            resources={"metadata": {"path": folder}},
        ).execute()
    # Says which machine built it, and nothing that a reader needs.
    made.metadata.pop("language_info", None)
    for cell in made.cells:
        if cell.cell_type == "code":
            # Progress bars, of the moment.
            cell.outputs = [
                o for o in cell.outputs if o.get("name") != "stderr"
            ]
    nbformat.write(made, path.with_suffix(".ipynb"))


def run(path: Path) -> float:
    """Runs a tutorial as a script of its own; returns the seconds it took."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, __file__, "script", str(path.resolve())],
            cwd=folder,
            # Figures are made and not shown.
            env={**os.environ, "MPLBACKEND": "template"},
            timeout=TIMEOUT_SECONDS,
        )
    if done.returncode:
        sys.exit(f"{path.name} failed")
    return time.perf_counter() - start


def script(path: Path) -> None:
    """Runs a tutorial in this process; our own warnings are errors."""
    warnings.filterwarnings("error", module=OURS)
    runpy.run_path(str(path), run_name="__main__")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("run", "build", "script"))
    parser.add_argument("tutorials", nargs="*", type=Path)
    arguments = parser.parse_args()
    for path in arguments.tutorials or tutorials():
        print(f"== {path.name}", flush=True)
        if arguments.action == "run":
            print(f"== {path.name}: {run(path):.0f} seconds", flush=True)
        else:
            {"build": build, "script": script}[arguments.action](path)


if __name__ == "__main__":
    main()
