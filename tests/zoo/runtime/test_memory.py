import ctypes
import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys, threading
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from zoo.runtime.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        np.ones(2**24, "float32")
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 5

faults()
default = faults()
assert keep_freed_memory()
faults()
# A backend computes in threads of its own, which live at one time.
lock, end = threading.Lock(), threading.Barrier(2)

def faults_of_a_thread(_):
    with lock:
        faults()
        kept = faults()
    end.wait()
    return kept

with ThreadPoolExecutor(2) as pool:
    print(default, faults(), *pool.map(faults_of_a_thread, range(2)))
"""


@pytest.mark.large
@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallopt"),
    reason="no mallopt in the C library",
)
def test_what_is_freed_is_not_asked_for_again():
    # 64 MiB, in pages of 4 KiB or, where the system has them, of 2 MiB.
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=True,
    )
    default, *kept = map(float, done.stdout.split()[-4:])
    assert default > 20
    assert max(kept) < 2
