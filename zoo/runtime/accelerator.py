"""Names the GPU that the backend computes on, and measures memory."""

import sys
from pathlib import Path

import keras


def accelerator_name() -> str | None:
    """Returns the name of the GPU that this process computes on, or `None`.

    Example:

    >>> accelerator_name() is None  # on a machine without one
    True
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        device = jax.devices()[0]
        return None if device.platform == "cpu" else device.device_kind
    if backend == "torch":
        import torch

        device = keras.ops.zeros(()).device
        if device.type == "cuda":
            return torch.cuda.get_device_name(device)
        return None if device.type == "cpu" else device.type
    import tensorflow as tf

    gpus = tf.config.get_visible_devices("GPU")
    if not gpus:
        return None
    details = tf.config.experimental.get_device_details(gpus[0])
    return details.get("device_name", "GPU")


def peak_memory() -> int:
    """Returns the most bytes that were in use at once in this process.

    The backend reports the memory of the GPU. Without a GPU the operating
    system reports the memory of the whole process.

    Example:

    >>> peak_memory() > 0
    True
    """
    if accelerator_name() is None:
        return _peak_of_process()
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.devices()[0].memory_stats()["peak_bytes_in_use"]
    if backend == "torch":
        import torch

        if not torch.cuda.is_available():  # Apple's reports no peak.
            return _peak_of_process()
        return torch.cuda.max_memory_allocated()
    import tensorflow as tf

    return tf.config.experimental.get_memory_info("GPU:0")["peak"]


def _peak_of_process() -> int:
    # Not `ru_maxrss` on Linux, which a process inherits from its parent.
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    # Windows has no such module.
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
