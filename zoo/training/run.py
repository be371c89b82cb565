"""One training run by a recipe, from its first weights to its report."""

import hashlib
from pathlib import Path

import keras
import numpy as np

from keras_cowclip import ClippedShare
from zoo.checks import check_positive_integer
from zoo.data.click_batches import ClickBatches
from zoo.data.encoded_log import EncodedLog
from zoo.evaluation.evaluation import evaluate_split
from zoo.evaluation.evaluation import name_of_evaluation_split
from zoo.metrics import TrainingDivergedError
from zoo.models import grow
from zoo.models.ctr_model import CTRModel
from zoo.presets.folder import PresetFolder
from zoo.presets.save_and_load import load_model
from zoo.runtime.out_of_memory import explained_out_of_memory
from zoo.training.callbacks import RaiseOnDivergence
from zoo.training.callbacks import SaveCheckpoints
from zoo.training.callbacks import TrainingClock
from zoo.training.callbacks import ValidationMetrics
from zoo.training.checkpoints import Checkpoints
from zoo.training.plateau import CutRatesOnPlateau
from zoo.training.recipe import FIRST_LEARNING_RATE
from zoo.training.recipe import Recipe
from zoo.training.report import Report
from zoo.training.state import TrainingState


def run_recipe(
    log: EncodedLog,
    recipe: Recipe,
    checkpoints_folder: str | Path,
    initial_model: str | Path | None = None,
    resume: bool = False,
    checkpoint_steps: int | None = None,
    keep_checkpoints: int = 2,
    evaluate_best_epoch: bool = False,
    verbose: int | str = "auto",
) -> tuple[CTRModel, Report]:
    """Trains a network and measures it; the checkpoints stay.

    Args:
        log: `EncodedLog`.
        recipe: `Recipe`.
        checkpoints_folder: path, for the checkpoints of this run alone.
        initial_model, resume, checkpoint_steps, keep_checkpoints, verbose:
            as in `zoo.train`.
        evaluate_best_epoch: boolean. Also measures the model of the epoch with
            the best validation AUC, on the split that the report is of; its
            metrics are in the report's `history`. Defaults to `False`.

    Returns:
        The network and the report.

    Raises:
        ValueError: as `zoo.train` does.
    """
    if checkpoint_steps is not None:
        check_positive_integer("checkpoint_steps", checkpoint_steps)
    check_log(log, recipe)
    recipe = recipe.for_data(
        log.encoder.log_format.name if log.encoder else None
    )
    keras.utils.set_random_seed(recipe.seed)
    with explained_out_of_memory("The network", log.schema.num_ids):
        network = _first_network(recipe, log, initial_model)
    recipe = recipe.for_network(network)
    batches = ClickBatches(
        log.split("train"), recipe.batch_size, shuffle=True, seed=recipe.seed
    )
    network.compile(
        recipe.make_optimizer(batches.batches_per_epoch, log.schema),
        loss="binary_crossentropy",
    )
    settings = {
        "model": recipe.model,
        "batch_size": recipe.batch_size,
        **recipe.hyperparameters(),
        "initial_model": str(initial_model) if initial_model else None,
    }
    data = {
        "rows": {name: len(split) for name, split in log.splits.items()},
        "first_batch": _hash_of_first_batch(batches),
    }
    with Checkpoints(
        checkpoints_folder, settings | data, keep_checkpoints
    ) as checkpoints:
        state = _begin_or_resume(network, checkpoints, resume)
        clipped_share = ClippedShare()
        save_checkpoints = SaveCheckpoints(
            checkpoints,
            state,
            clipped_share,
            batches.batches_per_epoch,
            checkpoint_steps,
        )
        callbacks = [
            TrainingClock(state),
            RaiseOnDivergence(),
            clipped_share,
            *_validation(log, state, evaluate_best_epoch),
            save_checkpoints,
            *_plateau(recipe, state, batches.batches_per_epoch),
        ]
        _fit(network, batches, state, recipe.epochs, callbacks, verbose)
    report = _report(network, log, recipe, state, settings["initial_model"])
    return network, report


def check_log(log: EncodedLog, recipe: Recipe) -> None:
    """Raises if the log lacks a split that the run needs."""
    name_of_evaluation_split(log)
    if recipe.decay == "plateau" and "validation" not in log.splits:
        raise ValueError(
            '`decay="plateau"` needs a validation split. '
            f"Received: log with the splits {list(log.splits)}"
        )


def _first_network(
    recipe: Recipe, log: EncodedLog, initial_model: str | Path | None
) -> CTRModel:
    if initial_model is None:
        return recipe.make_network(log.schema)
    return _load_grown(initial_model, log, recipe.dtype)


def _validation(
    log: EncodedLog, state: TrainingState, evaluate_best_epoch: bool
) -> list[keras.callbacks.Callback]:
    if "validation" not in log.splits:
        return []
    at_best = None
    # Not on the split that the epoch is chosen by: that would flatter it.
    if evaluate_best_epoch and name_of_evaluation_split(log) != "validation":
        at_best = log.split(name_of_evaluation_split(log))
    return [ValidationMetrics(log.split("validation"), state, at_best)]


def _plateau(
    recipe: Recipe, state: TrainingState, steps_per_epoch: int
) -> list[keras.callbacks.Callback]:
    if recipe.decay != "plateau":
        return []
    scaled = recipe.scaled()
    return [
        CutRatesOnPlateau(
            state,
            FIRST_LEARNING_RATE,
            scaled["learning_rate"],
            scaled["embedding_learning_rate"],
            recipe.warmup_steps(steps_per_epoch),
            steps_per_epoch,
        )
    ]


def _hash_of_first_batch(batches: ClickBatches) -> str:
    """What tells one log, or one order of its rows, from another."""
    inputs, labels = batches.batch(0, 0)
    digest = hashlib.sha256(labels.tobytes())
    for name in sorted(inputs):
        digest.update(np.ascontiguousarray(inputs[name]))
    return digest.hexdigest()


def _begin_or_resume(
    network: CTRModel, checkpoints: Checkpoints, resume: bool
) -> TrainingState:
    if len(checkpoints) and not resume:
        raise ValueError(
            "`output` has checkpoints of a run that did not finish: go on from "
            "them with `resume=True` (`--resume`), or remove their folder. "
            f"Received: {checkpoints.folder}"
        )
    state = checkpoints.restore(network)
    if state is None:
        return TrainingState()
    state.resumed_at.append([state.epoch, state.step])
    return state


def _fit(
    network: CTRModel,
    batches: ClickBatches,
    state: TrainingState,
    epochs: int,
    callbacks: list[keras.callbacks.Callback],
    verbose: int | str,
) -> None:
    """Runs what is left: the rest of an epoch, then the whole ones."""
    while state.epoch < epochs:
        batches.start_at(state.epoch, state.step)
        try:
            network.fit(
                batches.to_keras(),
                initial_epoch=state.epoch,
                # An epoch that starts in the middle has a `fit` of its own.
                epochs=state.epoch + 1 if state.step else epochs,
                shuffle=False,
                verbose=verbose,
                callbacks=callbacks,
            )
        except RuntimeError as error:
            # PyTorch's cross-entropy does not take a NaN.
            if "should be between 0 and 1" not in str(error):
                raise
            raise TrainingDivergedError(
                "The predictions must be finite; the training has diverged: "
                f"lower the learning rates. Received: {error}"
            ) from error


def _report(
    network: CTRModel,
    log: EncodedLog,
    recipe: Recipe,
    state: TrainingState,
    initial_model: str | None,
) -> Report:
    evaluated_on = name_of_evaluation_split(log)
    trained = len(log.split("train")) * recipe.epochs
    return Report.of(
        log,
        recipe,
        initial_model=initial_model,
        **evaluate_split(network, log.split(evaluated_on)),
        seconds=state.seconds,
        samples_per_second=trained / state.seconds,
        bayes=log.bayes.get(evaluated_on),
        history=state.history,
        clipped_curve=state.clipped_curve,
        resumed_at=state.resumed_at,
    )


def _load_grown(
    preset: str | Path, log: EncodedLog, dtype: str | None = None
) -> CTRModel:
    opened = PresetFolder.open(preset, encoder=True)
    network = load_model(opened, dtype=dtype)
    if not opened.has_ids_of(log.encoder):
        settings = opened.load_encoder().settings
        grow_option = "" if settings.num_buckets else " --grow"
        raise ValueError(
            "`initial_model` must know the ids of the log: encode the log "
            f"with `python -m zoo prepare --encoder {opened.encoder_folder}"
            f"{grow_option}`. Received: initial_model={preset}, "
            f"log={log.source}"
        )
    return grow(network, log.schema)
