"""Finds the devices of a run, and joins the processes that train together."""

import atexit
import json
import os
import socket
import sys
import threading

import keras

from zoo.checks import check_boolean
from zoo.checks import check_integer
from zoo.checks import check_positive_integer
from zoo.devices.devices import ONE_DEVICE
from zoo.devices.devices import Devices

SECONDS_TO_JOIN = 300
SECONDS_TO_LEAVE = 10
AUTOMATIC = "auto"


def start_devices(
    devices: int | None = None,
    coordinator: str | None = None,
    process: int | None = None,
    num_processes: int | None = None,
    shard_tables: bool = False,
) -> Devices:
    """Returns the devices to train on, once all processes are there.

    Call it before anything is computed. Without an accelerator, JAX and
    TensorFlow make as many virtual devices of the CPU as are asked for, to try
    it out. On PyTorch each device has a process: start them with
    `torchrun --nproc-per-node N`. On JAX there may be several processes, one a
    machine. Each gets the address of the first and its own number, or reads
    what Slurm, Kubernetes or a cloud TPU have set.

    Args:
        devices: integer. The devices of all processes together. Defaults to
            `None`: all of the processes, or all accelerators of this one.
        coordinator: string, on JAX: `HOST:PORT` of the first process, or
            `"auto"` for what the cluster set. Defaults to `None`, one process.
        process: integer from 0, the number of this process. Defaults to
            `None`.
        num_processes: integer. Defaults to `None`.
        shard_tables: boolean, on JAX in one process. Whether tables and their
            moments are sharded by rows over the devices, for tables that are
            larger than the memory of a device. Defaults to `False`.

    Returns:
        `Devices`, to be given to `zoo.train`.

    Raises:
        ValueError: for more devices than there are, another number than the
            processes have, or arguments that do not fit each other or the
            backend.
        NotImplementedError: for several processes on TensorFlow, or with
            `shard_tables`.
        OSError: if the port of the coordinator is in use.
        RuntimeError: if the backend has begun to compute.

    On JAX, where not all processes come within five minutes, the others end
    with an error and exit status 1.

    Example:

    ```python
    devices = zoo.start_devices()
    log = zoo.datasets.synthetic.make_log(rows=10_000)
    zoo.train(log, "runs/all_devices", devices=devices, batch_size=1024)
    ```
    """
    if devices is not None:
        check_positive_integer("devices", devices)
    check_boolean("shard_tables", shard_tables)
    if coordinator is None and (process, num_processes) != (None, None):
        raise ValueError(
            "`process` and `num_processes` must be left out without a "
            f"`coordinator`. Received: process={process}, "
            f"num_processes={num_processes}"
        )
    backend = keras.backend.backend()
    if backend != "jax" and shard_tables:
        raise ValueError(
            "`shard_tables` is for JAX, whose devices can share a table. "
            f"Received: shard_tables=True, backend {backend}"
        )
    if backend != "jax" and coordinator is not None:
        raise ValueError(
            "`coordinator` is for JAX; on PyTorch start processes with "
            f"`torchrun`. Received: coordinator={coordinator}, backend "
            f"{backend}"
        )
    if backend == "jax":
        return _of_jax(
            devices, coordinator, process, num_processes, shard_tables
        )
    if backend == "torch":
        return _of_torch(devices)
    return _of_tensorflow(devices)


def _of_jax(devices, coordinator, process, num_processes, shard_tables):
    import jax

    from zoo.devices.jax_devices import JaxDevices

    if coordinator is not None:
        _join_jax(coordinator, process, num_processes)
    elif devices is not None and devices > 1:
        # This makes devices of the CPU, and does nothing beside accelerators.
        _make_virtual(
            lambda: jax.config.update("jax_num_cpu_devices", int(devices))
        )
    names = keras.distribution.list_devices()
    several = jax.process_count() > 1
    if devices is None:
        devices = len(names) if several or names[0][:3] != "cpu" else 1
    _check_count(devices, len(names), exactly=several)
    if devices == 1:
        return ONE_DEVICE
    if several and shard_tables:
        raise NotImplementedError(
            "`shard_tables` is for the devices of one process: to write a "
            "table, a process must get the rows of the others, for which with "
            f"JAX {jax.__version__} processes on CPUs wait forever. "
            f"Received: {jax.process_count()} processes"
        )
    return JaxDevices(names[:devices], shard_tables)


def _join_jax(coordinator, process, num_processes):
    import jax

    if coordinator == AUTOMATIC:
        jax.distributed.initialize()
        return
    if process is None or num_processes is None:
        raise ValueError(
            "With `coordinator`, `process` and `num_processes` must be given, "
            f'unless it is "{AUTOMATIC}". Received: process={process}, '
            f"num_processes={num_processes}"
        )
    check_integer("process", process, 0)
    check_positive_integer("num_processes", num_processes)
    if process >= num_processes:
        raise ValueError(
            "`process` must be less than `num_processes`. Received: "
            f"process={process}, num_processes={num_processes}"
        )
    port = _port_of(coordinator)
    if process == 0:
        _check_free(port)
    waiting = threading.Timer(
        SECONDS_TO_JOIN, _give_up, (coordinator, process, num_processes)
    )
    waiting.daemon = True
    waiting.start()
    jax.distributed.initialize(
        coordinator,
        num_processes,
        process,
        initialization_timeout=SECONDS_TO_JOIN + 60,
    )
    waiting.cancel()


def _port_of(coordinator: str) -> int:
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError(
            "`coordinator` must be HOST:PORT, the address of the first "
            f'process, or "{AUTOMATIC}". Received: coordinator={coordinator}'
        )
    return int(port)


def _check_free(port: int) -> None:
    with socket.socket() as tried:
        # As the server does: a port that a run has just left is free.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("", port))
        except OSError as error:
            raise OSError(
                "The port of `coordinator` must be free in the first process: "
                f"choose another one. Received: port {port}, {error}"
            ) from error


def _give_up(coordinator: str, process: int, num_processes: int) -> None:
    # JAX would end the process as well, with the stack of its C++ code.
    sys.stderr.write(
        f"error: All of {num_processes} processes must come to {coordinator} "
        f"within {SECONDS_TO_JOIN} seconds, and not all did. Received: process "
        f"{process}\n"
    )
    sys.stderr.flush()
    os._exit(1)


def _of_torch(devices):
    import torch
    from torch import distributed

    from zoo.devices.torch_devices import TorchDevices

    processes = int(os.environ.get("WORLD_SIZE", 1))
    if devices is not None and devices != processes:
        raise ValueError(
            "On PyTorch each device has a process: start as many with "
            f"`torchrun --nproc-per-node {devices}`. Received: "
            f"devices={devices}, {processes} processes"
        )
    if processes == 1:
        return ONE_DEVICE
    if not distributed.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        distributed.init_process_group()
        atexit.register(_leave_group)
    return TorchDevices()


def _leave_group():
    from torch import distributed

    # A process that ends with its group's threads running may be aborted, and
    # leaving may wait forever for a process that is gone.
    leaving = threading.Thread(
        target=distributed.destroy_process_group, daemon=True
    )
    leaving.start()
    leaving.join(SECONDS_TO_LEAVE)


def _of_tensorflow(devices):
    import tensorflow as tf

    from zoo.devices.tensorflow_devices import TensorFlowDevices

    cluster = json.loads(os.environ.get("TF_CONFIG", "{}")).get("cluster", {})
    if sum(map(len, cluster.values())) > 1:
        raise NotImplementedError(
            "On TensorFlow one process trains on all devices of a machine, not "
            "several processes: `fit` of Keras 3 fails in a "
            "`MultiWorkerMirroredStrategy`. Use JAX or PyTorch. "
            f"Received: TF_CONFIG={os.environ['TF_CONFIG']}"
        )
    found = [
        device.name.removeprefix("/physical_device:")
        for device in tf.config.list_physical_devices("GPU")
    ]
    if not found and devices is not None and devices > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * int(devices)
        _make_virtual(
            lambda: tf.config.set_logical_device_configuration(cpu, parts)
        )
        found = [f"CPU:{i}" for i in range(devices)]
    if devices is None:
        devices = max(len(found), 1)
    _check_count(devices, max(len(found), 1))
    return TensorFlowDevices(found[:devices]) if devices > 1 else ONE_DEVICE


def _make_virtual(make):
    try:
        make()
    except RuntimeError as error:
        raise RuntimeError(
            "The CPU can be made several devices only before the backend "
            f"computes: call `start_devices` first. Received: {error}"
        ) from error


def _check_count(devices: int, found: int, exactly: bool = False) -> None:
    if devices > found or (exactly and devices != found):
        raise ValueError(
            "`devices` must be the number of those that are there"
            f"{', in all processes' if exactly else ' or less'}. "
            f"Received: devices={devices}, {found} found"
        )
