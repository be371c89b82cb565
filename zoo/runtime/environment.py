"""Describes the hardware and software that a result was measured with."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_cowclip
from zoo.runtime.accelerator import accelerator_name
from zoo.runtime.processor import num_cores


def describe_environment() -> dict[str, Any]:
    """Returns the backend, versions, GPU and processor of this process."""
    backend = keras.backend.backend()
    versions = {
        "keras": keras.__version__,
        "keras_cowclip": keras_cowclip.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    if backend == "tensorflow":
        # Its package has several names: tensorflow, tensorflow-cpu, ...
        import tensorflow as tf

        versions["tensorflow"] = tf.__version__
    else:
        versions[backend] = version(backend)
    gpu = f"{name}, " if (name := accelerator_name()) else ""
    return {
        "backend": backend,
        "versions": versions,
        "hardware": f"{gpu}{_processor()}, {_cores()}",
    }


def _cores() -> str:
    count = num_cores()
    return "1 core" if count == 1 else f"{count} cores"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
