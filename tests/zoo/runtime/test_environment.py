import os

import pytest

from zoo.runtime.environment import describe_environment


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"),
    reason="this system does not bind a process to cores",
)
def test_the_cores_are_those_that_the_process_may_use():
    allowed = os.sched_getaffinity(0)
    one = min(allowed)
    try:
        os.sched_setaffinity(0, {one})
        assert describe_environment()["hardware"].endswith(", 1 core")
    finally:
        os.sched_setaffinity(0, allowed)
    if len(allowed) > 1:
        hardware = describe_environment()["hardware"]
        assert hardware.endswith(f", {len(allowed)} cores")
