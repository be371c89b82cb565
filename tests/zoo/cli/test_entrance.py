import pkgutil
import tomllib
from pathlib import Path

import pytest

from zoo.cli import app as cli

ROOT = Path(__file__).parents[3]


def test_the_console_script_runs_the_command_line(monkeypatch, capsys):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    run_command_line = pkgutil.resolve_name(project["scripts"]["cowclip"])
    monkeypatch.setattr("sys.argv", ["cowclip", "train", "--help"])
    with pytest.raises(SystemExit, match="0"):
        run_command_line()
    assert "--batch-size" in capsys.readouterr().out


def test_a_script_gets_its_arguments_from_the_process(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["cowclip", "describe", "no/such/folder"])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    assert exit.value.code == 1
    assert "Received: no/such/folder" in capsys.readouterr().err


def test_brackets_of_a_help_are_no_markup(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["evaluate", "--help"])
    assert "[@revision]" in capsys.readouterr().out
