import functools
import importlib.util
import json
import os
import sys
from importlib.machinery import ModuleSpec

import pytest

from zoo.runtime.backend_check import BACKENDS
from zoo.runtime.backend_check import check_backend


@pytest.fixture
def with_backends(monkeypatch, tmp_path):
    """Runs the check as if some backends were installed."""

    def find_spec(installed, name):
        if name in installed:
            return ModuleSpec(name, None, origin=f"{name}/__init__.py")

    def run(*installed, name=None, configured=None):
        monkeypatch.setattr(
            importlib.util, "find_spec", functools.partial(find_spec, installed)
        )
        monkeypatch.delitem(sys.modules, "keras", raising=False)
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        monkeypatch.setenv("KERAS_BACKEND", name or "")
        if configured:
            config = json.dumps({"backend": configured})
            (tmp_path / "keras.json").write_text(config)
        check_backend()
        return os.environ["KERAS_BACKEND"]

    return run


def test_the_only_installed_backend_is_taken_without_a_word(with_backends):
    for backend in ("tensorflow", "jax", "torch"):
        assert with_backends(backend) in (backend, "")
    assert with_backends("jax") == "jax"


def test_the_only_installed_one_beats_the_file_with_a_warning(
    with_backends, tmp_path
):
    # Keras writes such a file at its first import.
    with pytest.warns(UserWarning, match="keras.json, tensorflow, is not") as w:
        assert with_backends("jax", configured="tensorflow") == "jax"
    (warning,) = w
    assert str(tmp_path / "keras.json") in str(warning.message)
    assert "\n" not in str(warning.message)


def test_one_of_several_is_taken_with_a_warning(with_backends):
    with pytest.warns(UserWarning, match="prefers, tensorflow, .*: jax is"):
        assert with_backends("jax", "torch") == "jax"


def test_a_folder_of_its_name_is_no_backend(tmp_path, monkeypatch):
    for name in BACKENDS:
        (tmp_path / name).mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    for name in (*BACKENDS, "keras"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    for backend in ("", "jax"):
        monkeypatch.setenv("KERAS_BACKEND", backend)
        with pytest.raises(ImportError, match="install"):
            check_backend()


def test_the_choice_of_keras_and_of_the_user_stays(with_backends):
    assert with_backends("tensorflow", "jax") == ""
    assert with_backends("jax", "torch", configured="torch") == ""
    assert with_backends("jax", "torch", name="torch") == "torch"


@pytest.mark.parametrize(
    "installed, name, message",
    [
        ((), None, "install one of tensorflow, jax, torch.*none is"),
        (("jax",), "torch", r"pip install .*torch.*KERAS_BACKEND=torch"),
        (("jax",), "theano", "must be one of.*KERAS_BACKEND=theano"),
    ],
)
def test_what_is_missing_is_named(with_backends, installed, name, message):
    with pytest.raises(ImportError, match=f"{message}"):
        with_backends(*installed, name=name)
