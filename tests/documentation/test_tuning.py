"""The commands and the Python of the guide run, with fewer trials."""

import doctest
import shlex
from pathlib import Path

import pytest

from tests.documentation.examples import run_examples
from zoo.cli import app as cli

GUIDE = (Path(__file__).parents[2] / "docs" / "tuning.md").read_text()
# Later options override those of the guide.
FEWER = {
    "tune": ["--trials", "2", "--epochs", "1", "--embedding-dim", "2"],
    "train": ["--epochs", "1"],
}


def commands():
    """The guide's commands, without `python -m zoo`."""
    blocks = GUIDE.split("```bash\n")[1:]
    texts = [block.partition("```")[0] for block in blocks]
    words = [shlex.split(text.replace("\\\n", " ")) for text in texts]
    return [w[3:] for w in words if w[:3] == ["python", "-m", "zoo"]]


@pytest.mark.trained_often
def test_the_commands_of_the_guide_run(workplace, tmp_path):
    workplace(GUIDE)
    assert [command[0] for command in commands()] == ["tune", "tune", "train"]
    for command in commands():
        try:
            cli.main([*command, *FEWER[command[0]]])
        except SystemExit as exit:
            assert not exit.code, command
    assert (tmp_path / "tuned/dcn_v2/study.png").exists()
    assert (tmp_path / "runs/best/report.json").exists()


@pytest.mark.trained_often
def test_the_python_of_the_guide_runs(workplace):
    workplace(GUIDE)
    assert doctest.DocTestParser().get_examples(GUIDE)
    run_examples(GUIDE, "docs/tuning.md")
