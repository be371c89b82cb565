"""How the process keeps memory between one training step and the next."""

import ctypes
import os
import sys

# Loading Arrow starts a thread of its jemalloc, which Arrow itself uses only if
# told to, and glibc would let the backend's threads share that thread's arena.
os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")

# From glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_ARENA_MAX = -8
_M_MMAP_MAX = -4


def keep_freed_memory() -> bool:
    """Lets the C library keep what a training step frees for the next step.

    The gradient of a table is larger than what glibc keeps: it goes back to
    the system after each step, and for the next one the system hands out, and
    clears, page after page. With a million ids and a batch of 1024 that is a
    fifth to half of a step on the CPU (`benchmarks/results/speed`). The price
    is that the process gives memory back only when it ends, which on JAX with a
    batch of 65,536 is nearly twice as much at the peak, and that its threads
    allocate from one arena, for no other keeps what is larger than 64 MiB.

    Acts on the whole process, for what is allocated from then on. Threads keep
    the arena that they have, so call it before the first tensor, and, on JAX,
    import `zoo` before Keras: where pandas is installed Keras loads Arrow, and
    with it a thread that has an arena. The commands of `python -m zoo` that
    train or predict do that. The environment variables
    `MALLOC_ARENA_MAX=1`, `MALLOC_MMAP_MAX_=0` and `MALLOC_TRIM_THRESHOLD_` do
    the same from outside.

    Returns:
        Boolean: whether the C library is one that has this setting. Others are
        left as they are.

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
