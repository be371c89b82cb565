"""Tests that a model that does not fit says what to lower."""

import keras
import pytest

from zoo.runtime.out_of_memory import OutOfMemoryError
from zoo.runtime.out_of_memory import explained_out_of_memory

from . import child


@pytest.mark.large
@pytest.mark.parametrize("what", ["outputs", "table"])
def test_a_model_that_does_not_fit(what, on_gpu):
    quick = "table" if keras.backend.backend() == "torch" else "outputs"
    if what != quick and not on_gpu:
        pytest.skip("the other one takes this backend's CPU less time")
    # TensorFlow's oneDNN does not survive its own error.
    output = child.run("too_large", what, TF_ENABLE_ONEDNN_OPTS="0")
    assert output.startswith("OutOfMemoryError")
    for name in ("batch_size", "embedding_dim", "mixed_bfloat16", "lazy=True"):
        assert f"{name}" in output
    assert "Received: " in output


# The backends' messages, on a CPU and, from their sources, on a GPU.
MESSAGES = [
    "RESOURCE_EXHAUSTED: Out of memory allocating 562950288966084 bytes.",
    "INTERNAL: Error dispatching computation: Out of memory allocating 2 bytes",
    "CUDA out of memory. Tried to allocate 20.00 GiB.",
    "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`",
    "Dst tensor is not initialized.",
]


@pytest.mark.parametrize("message", MESSAGES)
def test_the_words_of_a_backend_are_known(message):
    with (
        pytest.raises(OutOfMemoryError, match="Lower `batch_size`") as raised,
        explained_out_of_memory("This training", num_ids=1000),
    ):
        raise RuntimeError(f"Exception in Dense.call().\n{message}\nMore.")
    assert str(raised.value).endswith(
        f"Received: 1,000 ids, and RuntimeError: {message}"
    )


def test_other_errors_go_through_and_none_is_explained_twice():
    for error in (ValueError("no memory of it"), OutOfMemoryError("explained")):
        with (
            pytest.raises(type(error)) as raised,
            explained_out_of_memory("This training", num_ids=1000),
        ):
            raise error
        assert raised.value is error
