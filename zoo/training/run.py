"""Trains a network by a recipe, from its first weights to its report."""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import Any

import keras

from keras_cowclip import ClippedShare
from zoo.data.click_batches import ClickBatches
from zoo.data.encoded_log import EncodedLog
from zoo.devices import ONE_DEVICE
from zoo.devices import Devices
from zoo.evaluation.evaluation import evaluate_split
from zoo.evaluation.evaluation import fields_to_group_by
from zoo.evaluation.evaluation import name_of_evaluation_split
from zoo.metrics import warn_if_useless
from zoo.presets.own_network import fingerprint_of
from zoo.registry import is_network
from zoo.runtime.bfloat16 import warn_of_slow_bfloat16
from zoo.runtime.out_of_memory import explained_out_of_memory
from zoo.training.agreement import AgreeOnLogs
from zoo.training.agreement import AgreeOnStop
from zoo.training.averaging import KeepWeights
from zoo.training.averaging import average_for_good
from zoo.training.callbacks import SaveCheckpoints
from zoo.training.callbacks import TrainingClock
from zoo.training.checkpoints import Checkpoints
from zoo.training.divergence import RaiseOnDivergence
from zoo.training.divergence import explained_divergence
from zoo.training.early_stopping import StopEarly
from zoo.training.early_stopping import best_epoch
from zoo.training.first_network import OwnNetwork
from zoo.training.first_network import make_first_network
from zoo.training.log_check import check_log
from zoo.training.own_recipe import recipe_for
from zoo.training.plateau import CutRatesOnPlateau
from zoo.training.recipe import Recipe
from zoo.training.report import Report
from zoo.training.report import attributes_of
from zoo.training.run_progress import RunProgress
from zoo.training.state import TrainingState
from zoo.training.training_batches import hash_of_first_batch
from zoo.training.training_batches import make_training_batches
from zoo.training.validation_metrics import ValidationMetrics


@dataclass
class Run:
    """One training run, from its first weights to its report.

    `begin` fills in the recipe. From then on it is only read.

    Attributes:
        log: `EncodedLog`.
        recipe: `Recipe`, with nothing left to fill in.
        network: `keras.Model`, compiled.
        batches: `ClickBatches` of the training split.
        initial_model: string, the preset that the run began with, or `None`.
        state: `TrainingState`, kept up to date by `fit`.
        group_by: strings, fields by which to measure gAUC.
        devices: `Devices` that train together.

    Example:

    ```python
    run = Run.begin(log, Recipe(epochs=1))
    with Checkpoints("run.checkpoints", run.identity()) as checkpoints:
        run.resume(checkpoints)
        run.fit(checkpoints)
    report = run.report()
    ```
    """

    log: EncodedLog
    recipe: Recipe
    network: keras.Model
    batches: ClickBatches
    initial_model: str | None = None
    state: TrainingState = field(default_factory=TrainingState)
    group_by: tuple[str, ...] = ()
    devices: Devices = ONE_DEVICE

    @classmethod
    def begin(
        cls,
        log: EncodedLog,
        recipe: Recipe,
        initial_model: str | Path | None = None,
        group_by: str | Iterable[str] | None = None,
        devices: Devices = ONE_DEVICE,
        own: OwnNetwork | None = None,
    ) -> "Run":
        """Builds and compiles the network, its weights drawn from the seed.

        Args:
            log, initial_model, group_by: as in `zoo.train`.
            recipe: `Recipe`.
            devices: `Devices`, within whose `scope` this is called. Defaults
                to one.
            own: the caller's model, or a function that makes it, as
                `zoo.train` takes it in place of a name. Defaults to `None`.

        Raises:
            ValueError: for a log, a preset or a model that `zoo.train` refuses.

        Warns:
            SlowBFloat16Warning: as `zoo.train` does.
        """
        check_log(log, recipe)
        fields = fields_to_group_by(log.schema, group_by)
        recipe = recipe.for_data(
            log.encoder.log_format.name if log.encoder else None
        )
        keras.utils.set_random_seed(recipe.seed)
        with explained_out_of_memory("The network", log.schema.num_ids):
            network = make_first_network(recipe, log, initial_model, own)
        recipe = recipe_for(recipe, network)
        warn_of_slow_bfloat16(recipe.dtype)
        share = devices.process, devices.processes
        batches = make_training_batches(log, recipe, share)
        devices.check_batches(batches)
        network.compile(
            recipe.make_optimizer(batches.batches_per_epoch, log.schema),
            loss="binary_crossentropy",
        )
        preset = str(initial_model) if initial_model else None
        return cls(
            log,
            recipe,
            network,
            batches,
            preset,
            group_by=fields,
            devices=devices,
        )

    def identity(self) -> dict[str, Any]:
        """Returns what must be the same in a run that resumes this one."""
        identity = {
            "model": self.recipe.model,
            "batch_size": self.recipe.batch_size,
            **self.recipe.hyperparameters(),
            "initial_model": self.initial_model,
            "rows": {name: len(s) for name, s in self.log.splits.items()},
            "first_batch": hash_of_first_batch(self._whole_batches()),
        }
        if not is_network(self.network):
            identity["config"] = fingerprint_of(self.network)
        # As in checkpoints from before there were groups.
        if self.group_by:
            identity["group_by"] = list(self.group_by)
        return identity

    def resume(self, checkpoints: Checkpoints) -> None:
        """Loads the newest whole checkpoint, if there is one.

        Args:
            checkpoints: `Checkpoints`, entered.

        Raises:
            ValueError: for checkpoints of another run, or none that is whole.
        """
        state = checkpoints.restore(self.network)
        if state is not None:
            state.resumed_at.append([state.epoch, state.step])
            self.state = state

    def fit(
        self,
        checkpoints: Checkpoints,
        checkpoint_steps: int | None = None,
        evaluate_best_epoch: bool = False,
        verbose: int | str = "auto",
        callbacks: Iterable[keras.callbacks.Callback] | None = None,
    ) -> None:
        """Trains what is left: the rest of an epoch, then the whole ones.

        Args:
            checkpoints: `Checkpoints`, entered. They stay when the run ends.
            checkpoint_steps, verbose, callbacks: as in `zoo.train`.
            evaluate_best_epoch: boolean. Also measures the model of the epoch
                with the best validation AUC, on the split that the report is
                of; its metrics are in the report's `history`. Defaults to
                `False`.

        Raises:
            TrainingDivergedError: if loss or predictions are not finite.
        """
        state, epochs = self.state, self.recipe.epochs
        all_callbacks = self._callbacks(
            checkpoints, checkpoint_steps, evaluate_best_epoch, callbacks or ()
        )
        while state.epoch < epochs and state.stopped_at is None:
            self.batches.start_at(state.epoch, state.step)
            with (
                self.devices.replicated(self.network),
                explained_out_of_memory(
                    "This training", self.log.schema.num_ids
                ),
                explained_divergence(lambda: self._last_good(checkpoints)),
            ):
                self.network.fit(
                    self.devices.training_input(self.batches),
                    initial_epoch=state.epoch,
                    # An epoch that starts in the middle has its own `fit`.
                    epochs=state.epoch + 1 if state.step else epochs,
                    shuffle=False,
                    verbose=verbose if self.devices.is_first else 0,
                    callbacks=all_callbacks,
                )
        if self.recipe.patience is None:
            average_for_good(self.network)
        else:
            checkpoints.restore_best(self.network)

    def _last_good(self, checkpoints: Checkpoints) -> str:
        """Names the last checkpoint that is known to have finite weights."""
        state = self.state
        steps = state.epoch * self.batches.batches_per_epoch + state.step
        # Only the next step, or the validation, shows whether a step left
        # finite weights.
        is_validated = not state.step and "validation" in self.log.splits
        last = checkpoints.last_until(steps if is_validated else steps - 1)
        if last is None:
            return ""
        return (
            f"The last checkpoint before the training diverged is {last}; "
            "remove its folder to train with other settings. "
        )

    def report(self) -> Report:
        """Measures the network and returns the run's report."""
        evaluated_on = name_of_evaluation_split(self.log)
        trained = self._steps() * self._rows_per_batch()
        rows = self.log.split(evaluated_on)
        metrics = evaluate_split(
            self.network, rows, self.log.schema, self.group_by, self.devices
        )
        warn_if_useless(rows.labels, metrics)
        return Report.of(
            self.log,
            self.recipe,
            initial_model=self.initial_model,
            **attributes_of(metrics),
            seconds=self.state.seconds,
            samples_per_second=trained / self.state.seconds,
            unseen_rows=max(len(self.log.split("train")) - trained, 0) or None,
            bayes=self.log.bayes.get(evaluated_on),
            history=self.state.history,
            clipped_curve=self.state.clipped_curve,
            resumed_at=self.state.resumed_at,
            stopped_at=self._stopped_at(),
            best_epoch=self._best_epoch(),
        )

    def _rows_per_batch(self) -> int:
        return self.batches.rows_per_batch or self.batches.batch_size

    def _stopped_at(self) -> list[int] | None:
        """The epoch and step at which a callback ended the run early."""
        stopped_at = self.state.stopped_at
        return None if stopped_at == [self.recipe.epochs, 0] else stopped_at

    def _best_epoch(self) -> int | None:
        """The epoch that the model is of, if it is not the last one's."""
        if self.recipe.patience is None:
            return None
        return best_epoch(self.state.history["val_auc"])

    def _steps(self) -> int:
        """The steps of a run that is done."""
        epochs, steps = self._stopped_at() or (self.recipe.epochs, 0)
        return epochs * self.batches.batches_per_epoch + steps

    def _whole_batches(self) -> ClickBatches:
        if self.devices.processes == 1:
            return self.batches
        return make_training_batches(self.log, self.recipe)

    def _callbacks(
        self,
        checkpoints: Checkpoints,
        checkpoint_steps: int | None,
        evaluate_best_epoch: bool,
        callbacks_of_caller: Iterable[keras.callbacks.Callback],
    ) -> list[keras.callbacks.Callback]:
        state, recipe = self.state, self.recipe
        steps_per_epoch = self.batches.batches_per_epoch
        clipped_share = ClippedShare()
        # Their docstrings say which of them must come before others.
        callbacks = [TrainingClock(state), RaiseOnDivergence(), clipped_share]
        if "validation" in self.log.splits:
            callbacks.append(self._validation(evaluate_best_epoch))
        callbacks.append(AgreeOnLogs(self.devices))
        if recipe.patience is not None:
            callbacks.append(StopEarly(checkpoints, state, recipe.patience))
        if self.devices.is_first:
            callbacks += callbacks_of_caller
        callbacks += [
            AgreeOnStop(self.devices),
            SaveCheckpoints(
                checkpoints,
                state,
                clipped_share,
                steps_per_epoch,
                checkpoint_steps,
                self.devices,
            ),
            RunProgress(
                state, recipe.epochs, steps_per_epoch, self._rows_per_batch()
            ),
        ]
        if recipe.decay == "plateau":
            callbacks.append(self._plateau())
        if recipe.average != "none":
            callbacks.append(KeepWeights())
        return callbacks

    def _validation(self, evaluate_best_epoch: bool) -> ValidationMetrics:
        split = name_of_evaluation_split(self.log)
        # Not on the split that the epoch is chosen by: that would flatter it.
        at_best = evaluate_best_epoch and split != "validation"
        return ValidationMetrics(
            self.log.split("validation"),
            self.log.schema,
            self.state,
            self.log.split(split) if at_best else None,
            self.group_by,
            self.devices,
        )

    def _plateau(self) -> CutRatesOnPlateau:
        scaled = self.recipe.scaled()
        steps_per_epoch = self.batches.batches_per_epoch
        return CutRatesOnPlateau(
            self.state,
            scaled["learning_rate"],
            scaled["embedding_learning_rate"],
            self.recipe.warmup_steps(steps_per_epoch),
            steps_per_epoch,
        )
