"""Turns out-of-memory errors into advice."""

import contextlib
from collections.abc import Iterator

# Names of types, because this module imports no backend.
_TYPES = ("ResourceExhaustedError", "OutOfMemoryError")
# JAX, PyTorch on CUDA, PyTorch on a CPU, cuBLAS, and TensorFlow where a copy
# to the GPU does not fit.
_WORDS = (
    "resource_exhausted",
    "out of memory",
    "can't allocate memory",
    "cublas_status_alloc_failed",
    "dst tensor is not initialized",
)


class OutOfMemoryError(MemoryError):
    """A model, or a step of its training, does not fit into the memory."""


@contextlib.contextmanager
def explained_out_of_memory(what: str, num_ids: int) -> Iterator[None]:
    """Turns a backend's out-of-memory error into one that says what to lower.

    Args:
        what: string, the work of the scope, such as "This training".
        num_ids: integer, rows of the table that all fields share.

    Raises:
        OutOfMemoryError: from the backend's error. Any other error goes
            through as it is.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, OutOfMemoryError) or not is_out_of_memory(error):
            raise
        lines = [*filter(_has_words, str(error).splitlines()), str(error)]
        raise OutOfMemoryError(
            f"{what} must fit into the memory of the device. Lower "
            "`batch_size` or `hidden_units`, which the layers' outputs grow "
            "with; `embedding_dim` or the vocabularies (`min_count`, "
            "`max_vocabulary`), for a table takes four times its size: "
            'weights, two moments and gradient; or set `dtype="mixed_bfloat16"`'
            ", which halves the outputs, and, on TensorFlow and PyTorch, "
            "`lazy=True`, which needs one moment less and no gradient as large "
            f"as a table. Received: {num_ids:,} ids, and "
            f"{type(error).__name__}: {lines[0].strip()[:300]}"
        ) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of a backend or of Python says that memory ran out."""
    if isinstance(error, MemoryError) or type(error).__name__ in _TYPES:
        return True
    return _has_words(str(error))


def _has_words(text: str) -> bool:
    return any(words in text.lower() for words in _WORDS)
