import os
from typing import Any

import keras

from zoo.checks import check_path
from zoo.checks import is_positive_integer
from zoo.training.averaging import inner_optimizer

EPOCH = "epoch"


class TensorBoardEvents(keras.callbacks.Callback):
    """Writes a run's metrics and learning rates for TensorBoard.

    Unlike `keras.callbacks.TensorBoard` it needs no TensorFlow, but the package
    `tensorboardX`. Every epoch it writes all numbers of the logs under their
    names, such as `loss`, `val_auc` and `clipped_share`, with `learning_rate`
    and, of `CowClip`, `embedding_learning_rate`. They stand at the number of
    steps that the optimizer has taken. A run that is resumed with the same
    folder replaces what was written after its checkpoint.

    Args:
        log_dir: path of the folder to write event files to, as for
            `tensorboard --logdir`; made if absent.
        update_freq: `"epoch"`, or an integer: the loss is also written every
            so many steps, as `batch_loss`. Defaults to `"epoch"`.

    Raises:
        ValueError: for a `log_dir` that is no path, or another `update_freq`.
        ImportError: if `tensorboardX` is not installed.

    Example:

    ```python
    log = zoo.datasets.synthetic.make_log(rows=10_000)
    events = zoo.TensorBoardEvents("events/first", update_freq=10)
    zoo.train(log, "runs/events", epochs=1, callbacks=[events])
    ```
    """

    def __init__(
        self, log_dir: str | os.PathLike, update_freq: int | str = EPOCH
    ):
        super().__init__()
        check_path("log_dir", log_dir)
        if update_freq != EPOCH and not is_positive_integer(update_freq):
            raise ValueError(
                '`update_freq` must be "epoch" or a positive integer. '
                f"Received: update_freq={update_freq!r}"
            )
        self.log_dir = log_dir
        self._steps_between = None if update_freq == EPOCH else int(update_freq)
        self._writer_class = _import_writer()

    def on_train_begin(self, logs=None):
        step = self._step()
        self._writer = self._writer_class(
            str(self.log_dir),
            # TensorBoard forgets what came at this step or later.
            purge_step=step + 1 if step else None,
            # By default two `fit`s of one second would share a name.
            filename_suffix=f".{step:010d}",
        )

    def on_train_batch_end(self, batch, logs=None):
        if self._steps_between is None:
            return
        if self._step() % self._steps_between == 0:
            self._write({"batch_loss": logs["loss"]})

    def on_epoch_end(self, epoch, logs=None):
        optimizer = inner_optimizer(self.model)
        values = dict(logs or {})
        for name in ("learning_rate", "embedding_learning_rate"):
            rate = getattr(optimizer, name, None)
            if rate is not None:
                values[name] = keras.ops.convert_to_numpy(rate)
        self._write(values)

    def on_train_end(self, logs=None):
        self._writer.close()

    def _write(self, values: dict[str, Any]) -> None:
        step = self._step()
        for name, value in values.items():
            self._writer.add_scalar(name, float(value), step)
        # So that a process that is killed has written it.
        self._writer.flush()

    def _step(self) -> int:
        return int(inner_optimizer(self.model).iterations.numpy())


def _import_writer() -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise ImportError(
            "Events of TensorBoard need the package `tensorboardX`: run "
            "`pip install 'keras-cowclip[tensorboard]'`. "
            f"Received: {error}"
        ) from error
    return SummaryWriter
