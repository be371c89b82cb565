"""Compares the training speed of DeepFM in other libraries and in this one.

    python benchmarks/speed/peers.py --rounds 2

Installs each library from the package registry into a separate environment,
with the requirements in `peers/`. All train the same network on the same
batches and take turns: a round is a process for each library and batch size.
Writes `peers.csv` and `peers.png` to `benchmarks/results/speed`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from data import click_batch
from data import vocabulary_sizes
from peer_results import KEY
from peer_results import Results
from peer_results import draw
from peer_results import markdown
from result_lines import merge
from rich.progress import track

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results" / "speed"
CONSTRAINTS = HERE.parents[1] / "constraints.txt"
ENVIRONMENTS = Path.home() / ".cache" / "keras_cowclip" / "peers"
WAYS = {"bare step": "Adam, bare step", "fit": "Adam, own trainer"}
OPTIMIZERS = {"adam": "Adam, fit", "cowclip": "CowClip", "lazy": "CowClip lazy"}
OURS = {"adam": "plain Keras", "cowclip": "zoo.DeepFM", "lazy": "zoo.DeepFM"}


@dataclass(frozen=True)
class Peer:
    """A library, measured by a script that runs in its environment."""

    name: str
    backend: str
    folder: Path = HERE / "peers"
    precision: str = "float32"

    @property
    def contestants(self) -> dict[str, tuple[str, str]]:
        return {name: (self.name, way) for name, way in WAYS.items()}

    @property
    def file_name(self) -> str:
        return self.name.lower().replace("-", "_")

    def prepare(self, environments: Path) -> None:
        """Installs it, unless this was done with the same requirements."""
        requirements = self.folder / f"{self.file_name}.txt"
        environment = environments / self.file_name
        done = environment / "installed.txt"
        wanted = requirements.read_text() + CONSTRAINTS.read_text()
        if done.exists() and done.read_text() == wanted:
            return
        shutil.rmtree(environment, ignore_errors=True)
        call(sys.executable, "-m", "venv", str(environment))
        call(
            *(self._python(environments), "-m", "pip", "install", "--quiet"),
            *("-c", str(CONSTRAINTS), "-r", str(requirements)),
        )
        done.write_text(wanted)

    def command(self, data: Path, arguments: argparse.Namespace) -> list[str]:
        script = self.folder / f"run_{self.file_name}.py"
        python = self._python(arguments.environments)
        return [python, str(script), "--data", str(data)]

    def _python(self, environments: Path) -> str:
        return str(environments / self.file_name / "bin" / "python")


@dataclass(frozen=True)
class Ours:
    """Plain Keras and the zoo on one backend, in this environment."""

    backend: str
    precision: str = "float32"

    @property
    def contestants(self) -> dict[str, tuple[str, str]]:
        return {name: (OURS[name], way) for name, way in OPTIMIZERS.items()}

    def prepare(self, environments: Path) -> None:
        pass

    def command(self, data: Path, arguments: argparse.Namespace) -> list[str]:
        return [
            *(sys.executable, str(HERE / "cell.py")),
            *("--batch-size", data.stem, "--precision", self.precision),
            *("--num-ids", str(arguments.num_ids)),
        ]


PEERS = (
    Peer("FuxiCTR", "torch"),
    Peer("DeepCTR-Torch", "torch"),
    Peer("torch-rechub", "torch"),
    Peer("DeepCTR", "tensorflow"),
)


def main():
    arguments = parse_arguments()
    peers = [peer for peer in PEERS if peer.name in arguments.libraries]
    if arguments.install:
        for peer in track(peers, "Installing"):
            peer.prepare(arguments.environments)
        return
    ours = [Ours(backend) for backend in arguments.backends]
    halved = [Ours(each, "mixed_bfloat16") for each in arguments.bfloat16]
    compare([*peers, *ours], halved, arguments)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [peer.name for peer in PEERS]
    parser.add_argument("--libraries", nargs="*", choices=names, default=names)
    parser.add_argument(
        "--backends", nargs="*", default=["tensorflow", "jax", "torch"]
    )
    parser.add_argument(
        "--bfloat16", nargs="*", default=["tensorflow", "torch"],
        help="backends that train with it too, at the largest batch",
    )  # fmt: skip
    parser.add_argument(
        "--batch-sizes", nargs="+", type=int, default=[1024, 8192, 65_536]
    )
    parser.add_argument("--num-ids", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--windows", type=int, default=2, help="in a round")
    parser.add_argument("--window-seconds", type=float, default=1.0)
    parser.add_argument(
        "--timeout", type=float, default=300, help="seconds of a process"
    )
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS)
    parser.add_argument(
        "--install", action="store_true", help="install the peers and end"
    )
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser.parse_args()


def compare(
    everywhere: Sequence[Peer | Ours],
    at_the_largest: Sequence[Peer | Ours],
    arguments: argparse.Namespace,
) -> None:
    """Measures, and writes the results after each round."""
    results = Results(arguments.num_ids)
    largest = max(arguments.batch_sizes)
    cells = [
        (size, process)
        for size in arguments.batch_sizes
        for process in (
            *everywhere,
            *(at_the_largest if size == largest else ()),
        )
    ]
    failed = install({process for _, process in cells}, arguments)
    with tempfile.TemporaryDirectory() as folder:
        for size in arguments.batch_sizes:
            write_batch(size, arguments.num_ids, Path(folder))
        for round_ in range(arguments.rounds):
            for size, process in track(cells, f"Round {round_ + 1}"):
                data = Path(folder, f"{size}.npz")
                reason = failed.get(process) or failed.get((size, process))
                report = reason or measure(process, data, arguments)
                if isinstance(report, str):
                    failed[size, process] = report
                results.add(size, process, report)
            path = arguments.output / "peers.csv"
            lines = merge(results.lines(), path, ("batch_size", *KEY))
    draw(lines, arguments.output / "peers.png")
    print(markdown(lines))


def install(processes, arguments: argparse.Namespace) -> dict:
    """Returns why some could not be."""
    failed = {}
    for process in processes:
        try:
            process.prepare(arguments.environments)
        except subprocess.CalledProcessError as error:
            failed[process] = f"could not be installed: {reason(error.stderr)}"
    return failed


def write_batch(size: int, num_ids: int, folder: Path) -> None:
    sizes = vocabulary_sizes(num_ids)
    dense, ids, labels = click_batch(sizes, size)
    path = folder / f"{size}.npz"
    np.savez(path, dense=dense, ids=ids, labels=labels, sizes=np.array(sizes))


def measure(
    process: Peer | Ours, data: Path, arguments: argparse.Namespace
) -> dict | str:
    """Returns what the process reports, or why it does not."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": process.backend,
        # Of DeepCTR, which was written for Keras 2.
        "TF_USE_LEGACY_KERAS": "1" if isinstance(process, Peer) else "0",
    }
    if isinstance(process, Peer):
        environment.pop("PYTHONPATH", None)
    command = [
        *process.command(data, arguments),
        *("--windows", str(arguments.windows)),
        *("--window-seconds", str(arguments.window_seconds)),
    ]
    try:
        output = call(*command, env=environment, timeout=arguments.timeout)
    except subprocess.CalledProcessError as error:
        if error.returncode == -9:
            return "killed, most likely for its memory"
        return reason(error.stderr)
    except subprocess.TimeoutExpired:
        return f"took longer than {arguments.timeout:g} seconds"
    return json.loads(output.splitlines()[-1])


def call(*command: str, **kwargs) -> str:
    return subprocess.run(
        command, check=True, capture_output=True, text=True, **kwargs
    ).stdout


def reason(stderr: str) -> str:
    lines = [line for line in stderr.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it failed and said nothing"


if __name__ == "__main__":
    main()
