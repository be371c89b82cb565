"""The benchmark's frequencies reach the step of a table."""

import importlib
from pathlib import Path

import keras
import numpy as np

import keras_cowclip as kc

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_rows_move_by_the_frequencies_that_are_given(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    benchmark = importlib.import_module("known_frequencies")
    layer = kc.CowClipEmbedding(3, 2, embeddings_initializer="ones")
    layer.build()
    optimizer = kc.CowClip(
        embedding_learning_rate=1e-3,
        embedding_l2=0.0,
        clip_ratio=None,
        frequency_scale=16.0,
    )
    variables = [layer.embeddings, layer.id_counts]
    ones = [keras.ops.ones(variable.shape) for variable in variables]
    with benchmark.known_frequencies(np.array([0.0, 16.0, 1e8], "float32")):
        optimizer.apply(ones, variables)
    moved = 1.0 - layer.get_weights()[0]
    # Adam's first step is as long as its rate. Of the second row the factor is
    # sqrt(16 * (1 + 16) / (1 + 16 / 16)).
    factors = [4.0, 136**0.5, 16.0]
    expected = 1e-3 * np.stack([factors, factors], axis=1)
    np.testing.assert_allclose(moved, expected, rtol=1e-3)
