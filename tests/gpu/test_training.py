"""Every network trains with every kind of step and precision."""

import itertools

import numpy as np
import pytest

from tests.zoo.networks import FIRST

from . import clicks

KINDS = ("dense", "lazy")
POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")
# On a CPU each network and each pair of the others; all would take minutes.
ON_CPU = [
    ("deepfm", "dense", "float32"),
    ("deepfm", "lazy", "mixed_float16"),
    ("wide_deep", "lazy", "float32"),
    ("wide_deep", "dense", "mixed_float16"),
    ("dcn", "dense", "mixed_bfloat16"),
    ("dcn_v2", "lazy", "mixed_bfloat16"),
]


def pytest_generate_tests(metafunc):
    runs = ON_CPU
    if metafunc.config.getoption("--accelerator"):
        runs = [*itertools.product(FIRST, KINDS, POLICIES)]
    metafunc.parametrize(("name", "kind", "policy"), runs)


@pytest.mark.large
def test_the_loss_falls(name, kind, policy, sizes):
    model = clicks.compiled(sizes, name, policy, lazy=kind == "lazy")
    first, second, third = clicks.fit(model, sizes, epochs=3)
    assert np.isfinite([first, second, third]).all()
    assert third < second < first
    assert third < 0.97 * first
