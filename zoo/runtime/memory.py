"""Keeps freed memory in the process from one training step to the next."""

import ctypes
import os
import sys

# Loading Arrow starts a thread of jemalloc, which Arrow uses only on request.
# glibc would let the backend's threads share the arena of that thread.
os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")

# From glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_ARENA_MAX = -8
_M_MMAP_MAX = -4


def keep_freed_memory() -> bool:
    """Lets the C library keep what a training step frees for the next step.

    The gradient of a table is larger than what glibc keeps. After each step
    glibc returns it to the system, which clears new pages for the next step.
    With a million ids and a batch of 1024 that is a fifth to half of a step on
    the CPU (`benchmarks/results/speed`). The price is that the process returns
    memory only when it ends, nearly twice as much at the peak on JAX with a
    batch of 65,536. All threads allocate from one arena, because other arenas
    keep nothing larger than 64 MiB.

    The setting holds for the whole process and all later allocations. Threads
    keep their arenas, so call it before the first tensor. On JAX also import
    `zoo` before Keras: where pandas is installed Keras loads Arrow, which
    starts a thread with an arena. The commands of `python -m zoo` that train or
    predict do all this. The environment variables `MALLOC_ARENA_MAX=1`,
    `MALLOC_MMAP_MAX_=0` and `MALLOC_TRIM_THRESHOLD_` do the same from outside.

    Returns:
        Boolean: whether the C library has this setting. Others do not change.

    Example:

    >>> zoo.keep_freed_memory() in (True, False)
    True
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(
        mallopt(*setting)
        for setting in (
            (_M_ARENA_MAX, 1),
            (_M_MMAP_MAX, 0),
            (_M_TRIM_THRESHOLD, -1),
        )
    )
