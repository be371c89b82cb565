"""Says what of the machine's processor this process may use."""

import os


def num_cores() -> int:
    """Returns the number of cores that this process may use.

    Containers, batch systems and `taskset` lend fewer than the machine has.

    Example:

    >>> num_cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
