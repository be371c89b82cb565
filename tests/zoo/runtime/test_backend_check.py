import importlib.util
import json
import os
import sys

import pytest

from zoo.runtime.backend_check import check_backend


@pytest.fixture
def with_backends(monkeypatch, tmp_path):
    """Runs the check as if some backends were installed."""

    def run(*installed, name=None, configured=None):
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda n: n in installed or None
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


def test_an_installed_backend_is_taken_where_keras_own_is_not(with_backends):
    assert with_backends("torch") == "torch"
    assert with_backends("jax", "torch") == "jax"
    assert with_backends("torch", configured="jax") == "torch"


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
