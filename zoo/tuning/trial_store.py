import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from filelock import Timeout

from zoo.files.partial_output import LOCK_FILE

STORE_FILE = "study.db"
RUNS_FOLDER = "runs"
_SETTINGS = "settings"
# Key of a stored trial: how it ended.
OUTCOME = "outcome"


class TrialStore:
    """The trials of a study, in a database of Optuna that outlives a kill.

    The TPE sampler of a trial is seeded by the seed and the number of trials
    that ended before it, and looks at these alone. So a trial that was broken
    off is repeated with the same values, and a study that was killed has the
    same trials as one that was not. The median pruner ends a trial whose best
    AUC so far is below the median of the others at the same epoch. Hyperband
    would need more trials than most studies have, and its brackets depend on
    the numbers of trials, which a kill changes.

    Use it as a context manager, which keeps a second process out.

    Args:
        folder: path of the study; made if absent.
        settings: dict that JSON can hold. All calls for a folder must have the
            same.
        seed: integer.

    Raises:
        ImportError: if Optuna is not installed.
        ValueError: if the folder has the trials of other settings or a file
            that is no database, or if another process adds trials.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], seed: int):
        self._optuna = import_optuna()
        self._folder = folder
        # As JSON gives it back: tuples are lists there.
        self._settings = json.loads(json.dumps(settings))
        self._seed = seed
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "TrialStore":
        self._folder.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._locked())
            stack.enter_context(_quiet(self._optuna))
            self._study = self._open(stack)
            self._check_settings()
            self._fail_interrupted()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stack.close()

    def ended(self) -> list[Any]:
        """Returns the Optuna trials that ended, in order."""
        return self._trials("COMPLETE", "PRUNED")

    def begin(self, first_values: dict[str, Any]) -> Any:
        """Returns the next trial, an `optuna.Trial`.

        Args:
            first_values: dict of what the first trial is run with; the sampler
                chooses what it lacks.
        """
        number = len(self.ended())
        seed = np.random.SeedSequence([self._seed, number]).generate_state(1)
        self._study.sampler = self._optuna.samplers.TPESampler(
            seed=int(seed[0])
        )
        # A killed process may have left the first one in the queue.
        if number == 0 and not self._trials("WAITING"):
            self._study.enqueue_trial(first_values)
        return self._study.ask()

    def end(
        self, trial: Any, outcome: str, auc: float | None, **facts: Any
    ) -> None:
        """Stores the end of a trial.

        Args:
            trial: `optuna.Trial`.
            outcome: string.
            auc: float, or `None`, which the sampler takes for a bad trial.
            **facts: what else is to be stored, of JSON.
        """
        for name, value in {OUTCOME: outcome, **facts}.items():
            trial.set_user_attr(name, value)
        state = self._state("PRUNED" if auc is None else "COMPLETE")
        self._study.tell(trial, auc, state=state)

    def _open(self, stack: contextlib.ExitStack) -> Any:
        from sqlalchemy import URL
        from sqlalchemy.exc import DatabaseError

        optuna = self._optuna
        path = self._folder / STORE_FILE
        url = URL.create("sqlite", database=str(path.resolve()))
        try:
            storage = optuna.storages.RDBStorage(
                url.render_as_string(hide_password=False)
            )
            stack.callback(storage.engine.dispose)
            stack.callback(storage.remove_session)
            return optuna.create_study(
                storage=storage,
                study_name="zoo.tune",
                direction="maximize",
                pruner=optuna.pruners.MedianPruner(),
                load_if_exists=True,
            )
        except (DatabaseError, optuna.exceptions.OptunaError) as error:
            raise ValueError(
                "`output` must have a database of Optuna or none; choose "
                f"another folder. Received: {path} ({_first_line(error)})"
            ) from error

    def _check_settings(self) -> None:
        found = self._study.user_attrs.get(_SETTINGS)
        if found is None:
            self._study.set_user_attr(_SETTINGS, self._settings)
            return
        for name in {**found, **self._settings}:
            ours, theirs = self._settings.get(name), found.get(name)
            if ours != theirs:
                raise ValueError(
                    "`output` has the trials of another study; choose another "
                    f"folder. Received: {self._folder} with "
                    f"{name}={theirs}, not {ours}"
                )

    def _fail_interrupted(self) -> None:
        for trial in self._trials("RUNNING"):
            self._study.tell(trial.number, state=self._state("FAIL"))

    def _trials(self, *states: str) -> list[Any]:
        wanted = tuple(map(self._state, states))
        return self._study.get_trials(deepcopy=False, states=wanted)

    def _state(self, name: str) -> Any:
        return self._optuna.trial.TrialState[name]

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        folder = self._folder / RUNS_FOLDER
        folder.mkdir(exist_ok=True)
        path = folder / LOCK_FILE
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise ValueError(
                "Another process adds trials to the same study: wait for it, "
                f"or choose another `output`. Received: {self._folder}"
            ) from error
        try:
            yield
        finally:
            # The checkpoints of a trial that was broken off stay.
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
                folder.rmdir()
            lock.release()


def import_optuna() -> Any:
    """Returns the package Optuna.

    Raises:
        ImportError: with the command that installs it.
    """
    try:
        import optuna
    except ImportError as error:
        raise ImportError(
            "Tuning needs the package `optuna`: run "
            f"`pip install 'keras-cowclip[tune]'`. Received: {error}"
        ) from error
    return optuna


@contextlib.contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Keeps Optuna from reporting beside the study's own progress."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
