"""Trains a network into a folder: model, report and learning curves."""

import contextlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras

from zoo.checks import check_boolean
from zoo.checks import check_choice
from zoo.checks import check_instance
from zoo.checks import check_path
from zoo.checks import check_positive_integer
from zoo.data.encoded_log import EncodedLog
from zoo.devices import ONE_DEVICE
from zoo.devices import Devices
from zoo.files.unfinished import undone_if_ended
from zoo.files.whole_folder import atomic_folder
from zoo.files.whole_folder import check_replaceable
from zoo.presets.folder import CURVES_FILE
from zoo.presets.save_and_load import write_preset_files
from zoo.runtime.environment import describe_environment
from zoo.training.checkpoints import Checkpoints
from zoo.training.first_network import OwnNetwork
from zoo.training.first_network import check_own_network
from zoo.training.learning_curves import plot_learning_curves
from zoo.training.recipe import Recipe
from zoo.training.recipe import make_recipe
from zoo.training.report import Report
from zoo.training.run import Run
from zoo.training.setting_warnings import warn_of_few_steps
from zoo.training.setting_warnings import warn_of_untuned_rates

REPORT_FILE = "report.json"


def train(
    log: EncodedLog,
    output: str | Path,
    initial_model: str | Path | None = None,
    resume: bool = False,
    checkpoint_steps: int | None = None,
    keep_checkpoints: int = 2,
    verbose: int | str = "auto",
    group_by: str | Iterable[str] | None = None,
    devices: Devices = ONE_DEVICE,
    callbacks: Iterable[keras.callbacks.Callback] | None = None,
    overwrite: bool = False,
    model: str | OwnNetwork = Recipe.model,
    **recipe: Any,
) -> dict[str, Any]:
    """Trains a network on an encoded log by the paper's recipe and saves it.

    Checkpoints of a run under way are in the folder `<output>.checkpoints`,
    which a finished run removes. A run that was killed resumes from the last
    one when it is called again with the same arguments and `resume=True`. It
    sees the rows in the same order, and ends in the same bits on the same
    machine and backend.

    Args:
        log: `EncodedLog`, from a folder or synthetic.
        output: path of the folder to write: the model (see
            `zoo.from_preset`), `report.json` and `learning_curves.png`.
        initial_model: a preset, as `zoo.from_preset` takes it, whose weights
            the run begins with. The network is then that model's, with the l2
            of its dense linear weights: `model`, `embedding_dim`,
            `embedding_deviation`, `hidden_units`, `dropout` and `network` are
            ignored.
            Its dtype policy counts where `dtype` is `None`. If the log was
            encoded with the preset's encoder, grown, its tables grow too.
        resume: boolean. Resumes from the last whole checkpoint, or begins
            where there is none. A finished run is begun again only with
            `overwrite`. Defaults to `False`.
        checkpoint_steps: integer. Steps from one checkpoint to the next, or
            `None` for one at the end of each epoch. Defaults to `None`.
        keep_checkpoints: integer. Number of the last checkpoints that are
            kept. Defaults to `2`.
        verbose: as in `fit`.
        group_by: string or strings, categorical fields such as `"user"`, by
            which the AUC is also measured, as `zoo.evaluate` does: of the
            validation split after every epoch, and of the split that the
            report is of. Defaults to `None`.
        devices: `Devices` that `zoo.start_devices` found. All of their
            processes call this with the same arguments. `batch_size` is that
            of all devices together, so that a recipe does not depend on their
            number. The first process writes `output`. Defaults to one device.
        callbacks: list of `keras.callbacks.Callback`, as in `fit`. At the end
            of an epoch `logs` has what the report has in `history`, such as
            `val_auc`. What they add to `logs` is in `history` too. Where one
            sets `self.model.stop_training`, the run ends: its model is measured
            and saved, and the report has `stopped_at`. Of several processes
            the first calls them, and the run ends with the epoch. Their own
            attributes are not saved in checkpoints. A run that is resumed
            within an epoch calls `fit` twice: for the rest of the epoch, whose
            batches count from 0, and for the epochs after it. Defaults to
            `None`.
        overwrite: boolean. Whether a finished run in `output` is replaced,
            once this run is finished too. Defaults to `False`.
        model: string, one of `zoo.list_models()`. Or a custom `keras.Model`
            with the inputs that `schema.inputs()` describes, whose output is a
            `(batch, 1)` probability, or of several labels a dict of these. It
            is trained in place, from the weights that it has, and gets another
            optimizer. `embedding_dim`, `embedding_deviation`, `hidden_units`,
            `dropout`, `network` and `dtype` must then be left out. Or a
            function that makes such a model of the log's schema, which several
            devices need. It is called after the seed is set. Defaults to
            `"deepfm"`.
        **recipe: other arguments of `zoo.Recipe`, such as `batch_size`,
            `epochs` and `seed`.

    Returns:
        The report, a dict as written to `report.json`, with the attributes of
        `zoo.training.report.Report` as its keys. Its metrics are those of the
        split `report["evaluated_on"]`: the test split or, in a log without
        one, the validation split. In a log with several labels they are of the
        first label, by which the best epoch is chosen; `report["labels"]` has
        those of all. Those by group are in `report["groups"]`.

    Raises:
        ValueError: for an unknown model, rule or field, a value out of range,
            or a callback that is not one of Keras. For a log that lacks both a
            test and a validation split, or the validation split that
            `decay="plateau"` and `patience` need. For a finished run without
            `overwrite`, for checkpoints of an unfinished run without `resume`,
            and with it for those of another run. For a batch larger than the
            training split, or that the devices can't share equally, and for
            processes that differ in log, recipe or version. For a custom model
            that does not fit the log, or whose preset could not be loaded. For
            predictions that are not finite.
        ProcessLostError: a `ConnectionError`, if another process of the run is
            gone.

    Warns:
        UselessPredictionsWarning: if the trained model says far less than the
            click rate alone. It is saved all the same.
        UnclippedTableWarning: if a custom model has a `keras.layers.Embedding`.
        SlowBFloat16Warning: for a bfloat16 policy on a CPU without
            instructions for it.
        FewStepsWarning: if a batch leaves fewer than 50 steps an epoch.
        UntunedRatesWarning: if the default learning rates and l2 are scaled to
            4 times their batch of 1024 or more, on a log other than Criteo's,
            Avazu's and the synthetic one.

    Example:

    ```python
    log = zoo.datasets.synthetic.make_log(rows=10_000)
    report = zoo.train(log, "runs/first", batch_size=1024, epochs=2)
    report["auc"]
    ```
    """
    check_instance("log", log, EncodedLog)
    check_instance("devices", devices, Devices)
    check_path("output", output)
    if initial_model is not None:
        check_path("initial_model", initial_model)
    check_boolean("resume", resume)
    check_positive_integer("keep_checkpoints", keep_checkpoints)
    check_choice("verbose", verbose, ("auto", 0, 1, 2))
    callbacks = _checked_callbacks(callbacks)
    check_boolean("overwrite", overwrite)
    own = None if isinstance(model, str) else model
    if own is None:
        recipe["model"] = model
    else:
        check_own_network(own, initial_model, recipe, devices)
    chosen = make_recipe(**recipe)
    if checkpoint_steps is not None:
        check_positive_integer("checkpoint_steps", checkpoint_steps)
    folder_of_checkpoints = checkpoints_folder(output)
    with contextlib.ExitStack() as stack:
        stack.enter_context(devices.scope())
        with devices.failing_together():
            if devices.is_first:
                check_output(output, resume, overwrite)
                folder = stack.enter_context(
                    atomic_folder(output, REPORT_FILE, overwrite)
                )
            run = Run.begin(log, chosen, initial_model, group_by, devices, own)
            identity = run.identity()
            checkpoints = stack.enter_context(
                Checkpoints(
                    folder_of_checkpoints, identity, keep_checkpoints, devices
                )
            )
            if resume:
                run.resume(checkpoints)
            else:
                _check_nothing_to_resume(checkpoints)
        devices.check_same(
            {
                **identity,
                "versions": describe_environment()["versions"],
                "the step to begin with": (run.state.epoch, run.state.step),
            }
        )
        if devices.is_first:
            rows = len(log.split("train"))
            warn_of_few_steps(chosen, run.batches.batches_per_epoch, rows)
            warn_of_untuned_rates(chosen, log)
        with devices.noticing_loss():
            run.fit(
                checkpoints,
                checkpoint_steps,
                verbose=verbose,
                callbacks=callbacks,
            )
            report = run.report()
        if devices.is_first:
            with devices.writing():
                _write(run, report, folder)
    if devices.is_first:
        _remove_wholly(folder_of_checkpoints)
    # No process ends while the first one writes.
    devices.gather(None)
    return report.to_json()


def _checked_callbacks(callbacks: Any) -> list[keras.callbacks.Callback]:
    if callbacks is None:
        return []
    if not isinstance(callbacks, tuple | list) or not all(
        isinstance(callback, keras.callbacks.Callback) for callback in callbacks
    ):
        raise ValueError(
            "`callbacks` must be a list of `keras.callbacks.Callback`. "
            f"Received: callbacks={callbacks!r}"
        )
    return list(callbacks)


def check_output(output: str | Path, resume: bool, overwrite: bool) -> None:
    """Raises a `ValueError` where a finished run would be replaced.

    Args:
        output, resume, overwrite: as for `train`.
    """
    if resume and not overwrite and (Path(output) / REPORT_FILE).exists():
        raise ValueError(
            "There is nothing to resume: the run in `output` is finished. Only "
            "`overwrite=True` (`--overwrite`) trains it again. "
            f"Received: output={output}"
        )
    check_replaceable(output, REPORT_FILE, overwrite)


def _write(run: Run, report: Report, folder: Path) -> None:
    log = run.log
    name = log.encoder.log_format.name if log.encoder else log.source
    write_preset_files(
        run.network, folder, log.encoder, report.metadata(name), log.schema
    )
    plot_learning_curves(report, folder / CURVES_FILE)
    content = json.dumps(report.to_json(), indent=2)
    (folder / REPORT_FILE).write_text(content + "\n")


def checkpoints_folder(output: str | Path) -> Path:
    """Returns the folder of the checkpoints of a run under way."""
    return Path(f"{Path(output)}.checkpoints")


def _remove_wholly(folder: Path) -> None:
    def remove() -> None:
        shutil.rmtree(folder, ignore_errors=True)

    with undone_if_ended(remove):
        remove()


def _check_nothing_to_resume(checkpoints: Checkpoints) -> None:
    if len(checkpoints):
        raise ValueError(
            "`output` has checkpoints of a run that did not finish: resume it "
            "with `resume=True` (`--resume`), or remove their folder. "
            f"Received: {checkpoints.folder}"
        )
