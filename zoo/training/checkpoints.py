import contextlib
import dataclasses
import json
import os
import shutil
import warnings
from pathlib import Path
from typing import Any

import keras
from filelock import FileLock
from filelock import Timeout

from zoo.checks import check_positive_integer
from zoo.devices import ONE_DEVICE
from zoo.devices import Devices
from zoo.files.sha256 import checksum
from zoo.files.unfinished import undone_if_ended
from zoo.files.whole_output import atomic_output
from zoo.presets.folder import without_optimizer
from zoo.training.state import TrainingState

WEIGHTS_FILE = "training.weights.h5"
STATE_FILE = "state.json"
CHECKSUMS_FILE = "checksums.json"
BEST_FILE = "best.weights.h5"


class Checkpoints:
    """The last checkpoints of one training run, in a folder of their own.

    A checkpoint is a folder `step-00001200` with the weights of the model and
    its optimizer, the run's `TrainingState`, the weights of the best epoch if
    `keep_best` was called, and the checksums of all. It is written under
    another name and renamed when it is whole, so that a process
    killed at any moment leaves all earlier ones as they were. A checkpoint that
    was damaged later does not fit its checksums and is passed over. Weights and
    state fit all backends. A run that is resumed on the same backend and
    machine ends in the same bits.

    Use it as a context manager, which keeps a second run out of the folder.

    Args:
        folder: path; made if absent.
        run: dict that JSON can hold, such as `Run.identity()`. A run with
            another one can't be resumed from here.
        keep: integer. Number of checkpoints that are kept. Defaults to `2`.
        devices: `Devices` that train together. The first process writes, and
            all read. Defaults to one.

    Raises:
        ValueError: if `keep` is not a positive integer, or another process
            trains with this folder.

    Example:

    ```python
    with Checkpoints("runs/deepfm.checkpoints", {"seed": 0}) as checkpoints:
        state = checkpoints.restore(model) or TrainingState()
        ...
        checkpoints.save(model, state, step=1200)
        checkpoints.remove()
    ```
    """

    def __init__(
        self,
        folder: str | Path,
        run: dict[str, Any],
        keep: int = 2,
        devices: Devices = ONE_DEVICE,
    ) -> None:
        check_positive_integer("keep", keep)
        self.folder = Path(folder)
        self.keep = int(keep)
        self.devices = devices
        # As JSON gives it back: tuples are lists there.
        self.run = json.loads(json.dumps(run))
        self._lock = FileLock(self.folder / ".lock")
        self._undone = contextlib.ExitStack()

    def __enter__(self) -> "Checkpoints":
        if not self.devices.is_first:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise ValueError(
                "Another process trains and keeps its checkpoints in the same "
                "place: wait for it, or choose another `output`. "
                f"Received: {self.folder}"
            ) from error
        self._undone.enter_context(undone_if_ended(self._remove_if_empty))
        # What a killed process was writing.
        for path in self.folder.glob("*.partial*"):
            shutil.rmtree(path)
        return self

    def __exit__(self, *exception: Any) -> None:
        if not self.devices.is_first:
            return
        with self._undone:
            self._remove_if_empty()
            self._lock.release()

    def __len__(self) -> int:
        return len(self._paths())

    def save(self, model: keras.Model, state: TrainingState, step: int) -> Path:
        """Writes a checkpoint and removes the oldest beyond `keep`.

        Args:
            model: compiled `keras.Model`, whose optimizer has been built.
            state: `TrainingState` after `step` steps.
            step: integer, the number of steps of the whole run so far.

        Returns:
            The path of the checkpoint.

        Raises:
            OSError: if the disk is full; earlier checkpoints stay.
        """
        target = self.folder / _name_of(step)
        if not self.devices.is_first:
            return target
        with self.devices.writing(), atomic_output(target) as partial:
            partial.mkdir()
            model.save_weights(partial / WEIGHTS_FILE)
            content = {
                "run": self.run,
                "state": dataclasses.asdict(state),
            }
            (partial / STATE_FILE).write_text(json.dumps(content))
            if self._best.exists():
                _link(self._best, partial / BEST_FILE)
            checksums = {
                path.name: checksum(path) for path in partial.iterdir()
            }
            (partial / CHECKSUMS_FILE).write_text(json.dumps(checksums))
        for path in self._paths()[: -self.keep]:
            shutil.rmtree(path)
        return target

    def restore(self, model: keras.Model) -> TrainingState | None:
        """Loads the newest whole checkpoint into a compiled model.

        Damaged ones are passed over with a warning and removed.

        Returns:
            The run's state, or `None` where there is no checkpoint.

        Raises:
            ValueError: if none is whole, or they are of another run.
        """
        damaged = []
        for path in reversed(self._paths()):
            problem = _damage(path)
            if problem:
                warnings.warn(
                    f"The checkpoint {path} is damaged and passed over: "
                    f"{problem}",
                    stacklevel=2,
                )
                damaged.append(path)
                continue
            content = json.loads((path / STATE_FILE).read_text())
            self._check_run(path, content["run"])
            model.optimizer.build(model.trainable_variables)
            model.load_weights(path / WEIGHTS_FILE)
            self._take_best_of(path)
            for other in damaged:
                shutil.rmtree(other, ignore_errors=True)
            return TrainingState(**content["state"])
        if damaged:
            raise ValueError(
                "To resume, one of the checkpoints must be whole; remove the "
                "folder to train from the beginning. Received: "
                f"{self.folder} with {len(damaged)} damaged checkpoints"
            )
        return None

    def last_until(self, step: int) -> Path | None:
        """Returns the path of the newest checkpoint of at most a step.

        Args:
            step: integer, as in `save`.
        """
        paths = [p for p in self._paths() if p.name <= _name_of(step)]
        return paths[-1] if paths else None

    def keep_best(self, model: keras.Model) -> None:
        """Writes the weights of the best epoch, for the next checkpoints.

        Args:
            model: `keras.Model` with these weights.

        Raises:
            OSError: if the disk is full; those of an earlier epoch stay.
        """
        if not self.devices.is_first:
            return
        with (
            self.devices.writing(),
            atomic_output(self._best) as partial,
            without_optimizer(model),
        ):
            model.save_weights(partial)

    def restore_best(self, model: keras.Model) -> None:
        """Loads the weights that `keep_best` was last called with."""
        with without_optimizer(model):
            model.load_weights(self._best)

    def remove(self) -> None:
        """Removes the folder, once there is nothing left to resume."""
        if self.folder.is_dir():
            shutil.rmtree(self.folder)

    def _remove_if_empty(self) -> None:
        if not len(self):
            self.remove()

    @property
    def _best(self) -> Path:
        return self.folder / BEST_FILE

    def _take_best_of(self, checkpoint: Path) -> None:
        """Goes back to the best epoch that a checkpoint knows."""
        if not self.devices.is_first:
            return
        self._best.unlink(missing_ok=True)
        if (checkpoint / BEST_FILE).exists():
            with atomic_output(self._best) as partial:
                _link(checkpoint / BEST_FILE, partial)

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("step-*"))

    def _check_run(self, path: Path, run: dict[str, Any]) -> None:
        for name in {**self.run, **run}:
            ours, theirs = self.run.get(name), run.get(name)
            if ours != theirs:
                raise ValueError(
                    "A run must be resumed with what it was begun with; its "
                    f"checkpoint {path} differs. Received: {name}={ours}, not "
                    f"{theirs}"
                )


def _name_of(step: int) -> str:
    return f"step-{step:08d}"


def _link(source: Path, target: Path) -> None:
    """Gives a file, which is never changed, another name."""
    try:
        os.link(source, target)
    except OSError:  # Not all disks have links.
        shutil.copyfile(source, target)


def _damage(path: Path) -> str | None:
    """Returns what is wrong with a checkpoint, or `None`."""
    try:
        checksums = json.loads((path / CHECKSUMS_FILE).read_text())
        for name in {WEIGHTS_FILE, STATE_FILE, *checksums}:
            received = checksum(path / name)
            if received != checksums[name]:
                return (
                    f"{name} must have the sha256 {checksums[name]}. "
                    f"Received: {received}"
                )
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"its files must be there and readable. Received: {error!r}"
    return None
