"""Starts the processes of a run, and waits for their ends."""

import os
import socket
import subprocess
import sys

import keras


def free_port():
    with socket.socket() as found:
        found.bind(("localhost", 0))
        return found.getsockname()[1]


def ranks(process, processes, port):
    """The environment of a process of PyTorch, as `torchrun` sets it."""
    return {
        "RANK": str(process), "LOCAL_RANK": str(process),
        "WORLD_SIZE": str(processes),
        "MASTER_ADDR": "localhost", "MASTER_PORT": str(port),
    }  # fmt: skip


def start_script(script, *arguments, devices):
    """Starts a script, on PyTorch once for each device."""
    port = free_port()
    processes = devices if keras.backend.backend() == "torch" else 1
    return [
        subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **ranks(process, processes, port)},
        )
        for process in range(processes)
    ]


def ends_of(started):
    """Each process' exit status and what it said."""
    said = [process.communicate(timeout=300)[1] for process in started]
    return [(p.returncode, s) for p, s in zip(started, said, strict=True)]


def finish(*started):
    for status, said in ends_of(started):
        assert status == 0, said
