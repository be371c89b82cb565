"""The options that say which devices train, and how their processes meet."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from typing import Annotated

import typer

from zoo.cli.failures import print_error

if TYPE_CHECKING:
    from zoo.devices import Devices

# `torchrun`, without its traceback when a signal ends it. Of the processes that
# it starts, the first one reports a Ctrl-C.
_TORCHRUN = """
import sys
try:
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    try:
        run.main(sys.argv[1:])
    except SignalException as error:
        sys.exit(128 + error.sigval)
except KeyboardInterrupt:
    print("interrupted: train", file=sys.stderr)
    sys.exit(130)
"""

DeviceCount = Annotated[
    int | None,
    typer.Option(
        "--devices",
        min=1,
        help="Devices that train together, in all processes. --batch-size is "
        "that of all of them. On PyTorch a process is started for each. "
        "Without an accelerator the CPU is split into as many devices. "
        "Default: all accelerators, or one CPU.",
        show_default=False,
    ),
]
Coordinator = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="On JAX, where there is a process for each machine: the address "
        "of the first one, or auto where Slurm, Kubernetes or a cloud TPU set "
        "it.",
        show_default=False,
    ),
]
Process = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="With --coordinator, the number of this process, from 0.",
        show_default=False,
    ),
]
ProcessCount = Annotated[
    int | None,
    typer.Option(
        "--num-processes",
        min=1,
        help="With --coordinator, the number of all processes.",
        show_default=False,
    ),
]

ShardTables = Annotated[
    bool,
    typer.Option(
        "--shard-tables",
        help="On JAX, in one process: give each device a share of every "
        "table's rows, for tables larger than its memory.",
    ),
]


def find_devices(
    devices: int | None,
    coordinator: str | None,
    process: int | None,
    num_processes: int | None,
    shard_tables: bool,
) -> "Devices":
    """Returns the devices, as `zoo.start_devices` does.

    On PyTorch it starts the command anew, once for each device.
    """
    import keras

    from zoo.devices import start_devices

    if keras.backend.backend() == "torch" and "WORLD_SIZE" not in os.environ:
        import torch

        wanted = devices or torch.cuda.device_count()
        if wanted > 1 and coordinator is None:
            _run_for_each_device(wanted)
    return start_devices(
        devices, coordinator, process, num_processes, shard_tables
    )


@contextmanager
def ending_when_lost() -> Iterator[None]:
    """Ends this process at once if another one of the run is gone.

    JAX would wait for it, and then abort.
    """
    from zoo.devices import ProcessLostError

    try:
        yield
    except ProcessLostError as error:
        print_error(str(error))
        sys.stdout.flush()
        os._exit(1)


def _run_for_each_device(devices: int) -> None:
    sys.stdout.flush()
    command = [sys.executable, "-c", _TORCHRUN, "--standalone"]
    command += [f"--nproc-per-node={devices}", "-m", "zoo", *sys.argv[1:]]
    os.execv(sys.executable, command)
