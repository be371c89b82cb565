import keras

from zoo.training.averaging import averaged_weights
from zoo.training.checkpoints import Checkpoints
from zoo.training.state import TrainingState


class StopEarly(keras.callbacks.Callback):
    """Keeps the weights of the best epoch, and ends a run long after it.

    The weights are those by which the epoch was measured: the averages, if the
    optimizer keeps any. It reads `state` and the checkpoints alone, so that a
    resumed run ends at the same epoch as one that was not interrupted. Put it
    between the callbacks that measure an epoch and keep `state`.

    Args:
        checkpoints: `Checkpoints`, which keep the weights.
        state: `TrainingState`, whose `history` has the epochs before.
        patience: integer. The run ends after so many epochs in a row whose
            validation AUC is not the highest so far.
    """

    def __init__(
        self, checkpoints: Checkpoints, state: TrainingState, patience: int
    ):
        super().__init__()
        self.checkpoints = checkpoints
        self.state = state
        self.patience = patience

    def on_epoch_end(self, epoch, logs=None):
        aucs = [*self.state.history.get("val_auc", []), logs["val_auc"]]
        epochs_since_best = len(aucs) - best_epoch(aucs)
        if epochs_since_best == 0:
            with averaged_weights(self.model):
                self.checkpoints.keep_best(self.model)
        if epochs_since_best >= self.patience:
            self.model.stop_training = True


def best_epoch(aucs: list[float]) -> int:
    """Returns the number, from 1, of the first epoch with the highest AUC.

    Example:

    >>> best_epoch([0.70, 0.72, 0.71, 0.72])
    2
    """
    return 1 + aucs.index(max(aucs))
