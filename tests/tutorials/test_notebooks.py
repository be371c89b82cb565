"""The tutorials' form, and that their notebooks are made of them.

That they run is the work of `nox -s tutorials`.
"""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import keras
import pytest

FOLDER = Path(__file__).parents[2] / "tutorials"
NOTEBOOKS = runpy.run_path(str(FOLDER / "notebooks.py"))
TUTORIALS = NOTEBOOKS["tutorials"]()


def test_there_are_six_tutorials():
    numbers = [path.name[:2] for path in TUTORIALS]
    assert numbers == ["1_", "2_", "3_", "4_", "5_", "6_"]


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_has_the_form_of_keras_io(path):
    header, blocks = NOTEBOOKS["parse"](path)
    description = header["Description"]
    assert description.endswith(".") and len(description) < 100
    assert description[0].isupper()
    kinds = {kind for kind, _ in blocks}
    assert kinds == {"text", "code"}
    # It ends with the numbers that it promises.
    assert blocks[-1][0] == "code"
    assert blocks[-1][1].count("assert ") >= 3


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_notebook_is_the_tutorial_with_outputs(path):
    notebook = json.loads(path.with_suffix(".ipynb").read_text())
    _, blocks = NOTEBOOKS["parse"](path)
    cells = notebook["cells"][1:]
    kinds = {"text": "markdown", "code": "code"}
    assert [(kinds[kind], text) for kind, text in blocks] == [
        (cell["cell_type"], "".join(cell["source"])) for cell in cells
    ]
    outputs = [
        output
        for cell in cells
        if cell["cell_type"] == "code"
        for output in cell["outputs"]
    ]
    assert all(output["output_type"] != "error" for output in outputs)
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_an_export_without_its_package_says_what_to_install(capsys):
    exports = [
        text
        for path in TUTORIALS
        for kind, text in NOTEBOOKS["parse"](path)[1]
        if kind == "code" and "zoo.export(" in text
    ]
    assert len(exports) == 2

    def fail(*arguments, **options):
        raise ImportError("run `pip install tensorflow`")

    names = {"zoo": SimpleNamespace(export=fail), "keras": keras}
    for export in exports:
        exec(export, {**names, "reports": ["din"]})
        assert capsys.readouterr().out == "run `pip install tensorflow`\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("x = 1\n", "must begin with the header"),
        ('"""\nTitle: A\nAuthor: B\n"""\nx = 1\n', "must have the lines"),
    ],
)
def test_another_form_is_refused(tmp_path, content, message):
    path = tmp_path / "1_other.py"
    path.write_text(content)
    with pytest.raises(ValueError, match=rf"1_other\.py: .*{message}"):
        NOTEBOOKS["parse"](path)


def test_a_warning_of_ours_fails_a_tutorial(tmp_path):
    path = tmp_path / "1_warns.py"
    path.write_text('import warnings\nwarnings.warn("ours")\n')
    with pytest.raises(SystemExit, match="1_warns.py failed"):
        NOTEBOOKS["run"](path)
    path.write_text("import warnings\n")
    NOTEBOOKS["run"](path)
