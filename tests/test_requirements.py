"""Every package that the code imports is one that `pyproject.toml` asks for.

An environment with one backend may lack packages that another one installs.
"""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.imports import imports_in

ROOT = Path(__file__).parents[1]
BACKENDS = ("tensorflow", "jax", "torch")
# The packages, and the extras with what each may import.
OURS = {
    "keras_cowclip": BACKENDS,
    "zoo": (
        *BACKENDS,
        *("zoo", "serve", "spark", "export", "tensorboard", "tune"),
    ),
}


def imported(path):
    """The names of the packages that a file imports, anywhere in it."""
    packages = {name.partition(".")[0] for name in imports_in(path)}
    return packages - sys.stdlib_module_names - {*OURS}


def normalized(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def required(extras):
    """The distributions that the project and some of its extras ask for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return {normalized(re.match(r"[\w.-]+", line)[0]) for line in lines}


@pytest.mark.parametrize("ours", OURS)
def test_what_is_imported_is_required(ours):
    distributions, asked = packages_distributions(), required(OURS[ours])
    for path in sorted((ROOT / ours).rglob("*.py")):
        for package in imported(path):
            # TensorFlow has several distributions.
            names = [package, *distributions.get(package, [])]
            assert {*map(normalized, names)} & asked, f"{path}: {package}"
