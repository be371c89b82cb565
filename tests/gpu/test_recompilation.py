"""A second `fit` runs what the first one compiled."""

import keras
import pytest

from . import clicks


@pytest.fixture
def compilations():
    """Counts what the backend compiles: call it for the number so far."""
    if keras.backend.backend() == "torch":
        import torch._dynamo

        # Keras compiles nothing on PyTorch unless `jit_compile=True`.
        frames = torch._dynamo.utils.counters["frames"]
        return lambda: sum(frames.values())
    if keras.backend.backend() == "tensorflow":
        # TensorFlow compiles what it traced, and the test counts traces.
        return lambda: 0
    import jax

    events = []

    def listen(event, duration, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            events.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    return lambda: len(events)


def test_a_second_fit_compiles_nothing(sizes, compilations):
    calls = []

    def loss(y_true, y_pred):
        calls.append(y_pred)
        return keras.losses.binary_crossentropy(y_true, y_pred)

    model = clicks.compiled(sizes, loss=loss)
    clicks.fit(model, sizes)
    is_traced = keras.backend.backend() != "torch"
    assert compilations() or keras.backend.backend() != "jax"
    before = compilations(), len(calls)
    clicks.fit(model, sizes)
    # The loss runs in Python once a step, or once a trace.
    traces = 0 if is_traced else sizes.steps
    assert (compilations() - before[0], len(calls) - before[1]) == (0, traces)
