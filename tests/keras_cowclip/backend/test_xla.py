"""Tests the program that XLA makes of Adam's step of a table, on a CPU."""

import re

import keras
import numpy as np
import pytest

import keras_cowclip as kc

from . import xla

ROWS, COLUMNS = 5000, 10


def shapes_of_divisions(optimizer):
    text = xla.compiled_update(optimizer, ROWS, COLUMNS)
    return {
        shape
        for shape in re.findall(r"f32\[([\d,]*)\]\S* divide\(", text)
        if np.prod([int(size) for size in shape.split(",") if size]) >= ROWS
    }


@pytest.mark.skipif(
    keras.backend.backend() == "torch",
    reason="PyTorch has a fused kernel for Adam",
)
@pytest.mark.parametrize("arguments", [{}, {"amsgrad": True}])
def test_a_tables_quotients_are_one_long_loop(arguments):
    optimizer = kc.CowClip(clip_ratio=None, **arguments)
    assert shapes_of_divisions(optimizer) == {f"{ROWS * COLUMNS}"}
