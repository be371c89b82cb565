from pathlib import Path
from typing import Any
from typing import NamedTuple

import keras

from zoo.data.encoded_log import EncodedLog
from zoo.training.checkpoints import Checkpoints
from zoo.training.recipe import Recipe
from zoo.training.run import Run


class TrialRun(NamedTuple):
    """Holds the measurements of a trial on the validation split."""

    auc: float
    """The AUC of the model that `zoo.train` would save."""
    epochs: int
    """The number of trained epochs."""
    is_pruned: bool


class PruneTrial(keras.callbacks.Callback):
    """Reports the validation AUC of every epoch, and ends a hopeless run.

    Args:
        trial: `optuna.Trial`.
    """

    def __init__(self, trial: Any):
        super().__init__()
        self.trial = trial

    def on_epoch_end(self, epoch, logs=None):
        self.trial.report(logs["val_auc"], epoch + 1)
        if self.trial.should_prune():
            self.model.stop_training = True


def run_trial(
    log: EncodedLog, recipe: Recipe, trial: Any, folder: Path
) -> TrialRun:
    """Trains by a recipe, from the last checkpoint if there is one.

    Args:
        log: `EncodedLog` with a validation split. No other is measured.
        recipe: `Recipe`.
        trial: `optuna.Trial`, which may end the run early.
        folder: path for the checkpoints, which stay.

    Raises:
        TrainingDivergedError: if loss or predictions are not finite.
        OutOfMemoryError: if the model or a step does not fit.
    """
    # Frees what earlier trials have compiled.
    keras.utils.clear_session()
    run = Run.begin(log, recipe)
    with Checkpoints(folder, run.identity(), keep=1) as checkpoints:
        run.resume(checkpoints)
        # A killed process reported these epochs for another trial.
        for epoch, auc in enumerate(run.state.history.get("val_auc", []), 1):
            trial.report(auc, epoch)
        run.fit(checkpoints, verbose=0, callbacks=[PruneTrial(trial)])
    aucs = run.state.history["val_auc"]
    return TrialRun(
        auc=aucs[-1] if recipe.patience is None else max(aucs),
        epochs=len(aucs),
        # A run that went to its end counts, however bad it was.
        is_pruned=len(aucs) < recipe.epochs and trial.should_prune(),
    )
