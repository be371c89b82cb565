"""The examples of all docstrings run, in a folder with the files they name."""

import inspect

import pytest

import keras_cowclip
import zoo
from tests.documentation.examples import has_example
from tests.documentation.examples import run_examples
from tests.documentation.public_names import callables

TEXTS = {
    name: text
    for name, value in {
        "keras_cowclip": keras_cowclip,
        "zoo": zoo,
        **callables(),
    }.items()
    if has_example(text := inspect.getdoc(value) or "")
}
NEEDS = {
    "zoo.ClickBatches.to_tf": ["tensorflow"],
    "zoo.ClickBatches.to_torch": ["torch"],
    "zoo.export": ["jax2onnx", "onnxruntime"],
}
NOT_RUN = {
    "zoo.import_checkpoint": "needs a checkpoint that FuxiCTR wrote",
}


@pytest.mark.parametrize("name", TEXTS)
def test_example_runs(name, workplace):
    if name in NOT_RUN:
        pytest.skip(NOT_RUN[name])
    for package in NEEDS.get(name, ()):
        pytest.importorskip(package)
    workplace(TEXTS[name])
    run_examples(TEXTS[name], name)


def test_a_wrong_example_fails():
    with pytest.raises(AssertionError, match="Expected:"):
        run_examples(">>> 1 + 1\n3\n", "wrong")
    with pytest.raises(NameError):
        run_examples("```python\nmodel.fit()\n```\n", "wrong")
