import keras

from zoo.training.averaging import inner_optimizer
from zoo.training.recipe import FIRST_LEARNING_RATE
from zoo.training.state import TrainingState

CUT = 0.1  # A plateau multiplies the learning rates by it, as in BARS.


class CutRatesOnPlateau(keras.callbacks.Callback):
    """Cuts both learning rates to a tenth where the validation AUC stalls.

    After every epoch whose validation AUC is not the highest so far, the rates
    of the dense weights and of the embeddings are a tenth of what they were.
    The dense rate warms up linearly before. The rates follow from `state`
    alone, so that a resumed run has the rates of one that was not interrupted.
    Put it behind the callback that keeps `state` up to date.

    Args:
        state: `TrainingState`, whose `history` has `val_auc`.
        learning_rate: float, of the dense weights after the warm-up.
        embedding_learning_rate: float, of the embeddings.
        warmup_steps: integer.
        steps_per_epoch: integer.
    """

    def __init__(
        self,
        state: TrainingState,
        learning_rate: float,
        embedding_learning_rate: float,
        warmup_steps: int,
        steps_per_epoch: int,
    ):
        super().__init__()
        self.state = state
        self.learning_rate = learning_rate
        self.embedding_learning_rate = embedding_learning_rate
        self.warmup_steps = warmup_steps
        self.steps_per_epoch = steps_per_epoch

    def on_epoch_begin(self, epoch, logs=None):
        self._set_rates()

    def on_train_batch_begin(self, batch, logs=None):
        if self._steps_done() <= self.warmup_steps:
            self._set_rates()

    def _steps_done(self):
        return self.state.epoch * self.steps_per_epoch + self.state.step

    def _set_rates(self):
        cut = CUT ** num_plateaus(self.state.history.get("val_auc", []))
        rate = self.learning_rate
        if self._steps_done() < self.warmup_steps:
            share = self._steps_done() / self.warmup_steps
            rate = FIRST_LEARNING_RATE + share * (rate - FIRST_LEARNING_RATE)
        # In mixed_float16 Keras wraps it in a `LossScaleOptimizer`.
        optimizer = inner_optimizer(self.model)
        optimizer.learning_rate = rate * cut
        optimizer.embedding_learning_rate = self.embedding_learning_rate * cut


def num_plateaus(aucs: list[float]) -> int:
    """Returns the number of epochs whose AUC is not the highest so far.

    Example:

    >>> num_plateaus([0.70, 0.72, 0.71, 0.73])
    1
    """
    best, plateaus = float("-inf"), 0
    for auc in aucs:
        if auc > best:
            best = auc
        else:
            plateaus += 1
    return plateaus
