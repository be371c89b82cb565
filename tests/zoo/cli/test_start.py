"""A help starts at once: nothing that it needs imports Keras or a backend."""

import os
import subprocess
import sys
import warnings

import pytest

from zoo.cli import app as cli

COMMANDS = [
    command.name or command.callback.__name__
    for command in cli.app.registered_commands
]
# Python imports this at its start, and then none of these.
NOT_INSTALLED = """
import sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name not in ("keras", "tensorflow", "jax", "torch"):
            return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""
# As pip writes it.
SCRIPT = """
import sys
from zoo.cli.entrance import run_command_line
sys.exit(run_command_line())
"""
# All helps in one process, which is quicker.
EVERY_HELP = """
import sys
sys.argv = ["cowclip"]
from zoo.cli.app import main
for command in {commands}:
    try:
        main([command, "--help"])
    except SystemExit as exit:
        assert not exit.code, command
slow = "keras tensorflow jax torch numpy duckdb pyarrow sklearn matplotlib"
assert not {{*slow.split()}} & {{*sys.modules}}
"""
# What Keras finds in a file has to be known by then.
REGISTERED = """
import sys
{before}
import zoo
import keras
classes = keras.saving.get_custom_objects()
names = "DCN DCNv2 DeepFM WideDeep ClipVariant FeatureSchema".split()
assert not {{"zoo>" + name for name in names}} - {{*classes}}, [*classes]
"""


@pytest.fixture
def run_without_keras(tmp_path):
    """Runs Python in a process that finds neither Keras nor a backend."""
    (tmp_path / "sitecustomize.py").write_text(NOT_INSTALLED)
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(
                    [str(tmp_path), *filter(None, path)]
                ),
                "KERAS_BACKEND": "",
            },
        )

    return run


pytestmark = pytest.mark.one_backend


def test_the_help_of_the_command_line_imports_no_keras(
    run_without_keras, tmp_path
):
    script = tmp_path / "cowclip"
    script.write_text(SCRIPT)
    for start in (["-m", "zoo"], ["-mzoo"], [script]):
        done = run_without_keras(*start, "--help")
        assert done.returncode == 0, done.stderr
        assert "prepare" in done.stdout


def test_the_help_of_every_command_imports_no_keras(run_without_keras):
    done = run_without_keras("-c", EVERY_HELP.format(commands=COMMANDS))
    assert done.returncode == 0, done.stderr
    for command in COMMANDS:
        assert f" {command} [OPTIONS]" in done.stdout


def test_importing_without_a_backend_says_what_to_install(run_without_keras):
    done = run_without_keras("-c", "import zoo")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "ImportError: Keras needs a backend: install one of"
    )


def test_a_backend_that_takes_anothers_place_is_said_in_a_line(
    monkeypatch, capsys
):
    def warn():
        warnings.warn("KERAS_BACKEND is not set [jax]", stacklevel=1)

    monkeypatch.setattr("zoo.cli.app.check_backend", warn)
    with pytest.raises(SystemExit):
        cli.main(["describe", "no/such/folder"])
    first = capsys.readouterr().err.splitlines()[0]
    assert first == "warning: KERAS_BACKEND is not set [jax]"


def test_work_without_a_backend_ends_in_a_line(run_without_keras):
    done = run_without_keras("-m", "zoo", "describe", "encoded")
    assert done.returncode == 1
    assert done.stderr.startswith("error: Keras needs a backend: install one")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "before",
    [
        "",
        # A script with this argument, and one that is called like the package.
        pytest.param(
            "sys.orig_argv += ['-m', 'zoo']; sys.argv += ['-m', 'zoo']",
            marks=pytest.mark.large,
        ),
        pytest.param("sys.argv[0] = 'cowclip.py'", marks=pytest.mark.large),
    ],
)
def test_any_other_process_knows_the_classes_from_the_start(before):
    code = REGISTERED.format(before=before)
    subprocess.run([sys.executable, "-c", code], check=True)
