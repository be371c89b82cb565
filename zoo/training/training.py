"""Training runs that end in a folder: model, report and learning curves."""

import json
import shutil
from pathlib import Path
from typing import Any

from zoo.data.encoded_log import EncodedLog
from zoo.files.whole_folder import atomic_folder
from zoo.presets.folder import CURVES_FILE
from zoo.presets.folder import write_preset_files
from zoo.training.learning_curves import plot_learning_curves
from zoo.training.recipe import Recipe
from zoo.training.run import run_recipe

REPORT_FILE = "report.json"


def train(
    log: EncodedLog,
    output: str | Path,
    initial_model: str | Path | None = None,
    resume: bool = False,
    checkpoint_steps: int | None = None,
    keep_checkpoints: int = 2,
    verbose: int | str = "auto",
    **recipe: Any,
) -> dict[str, Any]:
    """Trains a network on an encoded log by the paper's recipe and saves it.

    Checkpoints of a run under way are in the folder `<output>.checkpoints`,
    which a finished run removes. A run that was killed is called again with
    the same arguments and `resume=True`, and goes on from the last one in the
    same order of rows: to the same bits on the same machine and backend.

    Args:
        log: `EncodedLog`, from a folder or synthetic.
        output: path of the folder to write: the model (see
            `zoo.from_preset`), `report.json` and `learning_curves.png`. An
            earlier run's folder is replaced once this run is finished.
        initial_model: a preset, as `zoo.from_preset` takes it, to go on from
            its weights. The network is then that model's, whatever `model`,
            `embedding_dim`, `embedding_deviation`, `hidden_units` and
            `dropout` say, and where `dtype` is `None` its dtype policy too; it
            keeps the l2 of its dense linear weights;
            where the log was encoded with its encoder, grown, its tables grow
            too.
        resume: boolean. Goes on from the last whole checkpoint, or begins
            where there is none. Defaults to `False`.
        checkpoint_steps: integer. Steps from one checkpoint to the next, or
            `None` for one at the end of each epoch. Defaults to `None`.
        keep_checkpoints: integer. Number of the last checkpoints that are
            kept. Defaults to `2`.
        verbose: as in `fit`.
        **recipe: arguments of `zoo.Recipe`, such as `model`, `batch_size`,
            `epochs` and `seed`.

    Returns:
        The report, as written to `report.json`. Its metrics are those of the
        split `report["evaluated_on"]`: the test split or, in a log without
        one, the validation split.

    Raises:
        ValueError: for an unknown model or rule, a value out of its range, a
            log without a test and a validation split, or without the latter
            for `decay="plateau"`, predictions that are no
            longer finite, checkpoints of an unfinished run without `resume`,
            or, with it, of another run.

    Example:

    ```python
    log = zoo.datasets.synthetic.make_log(rows=10_000)
    report = zoo.train(log, "runs/first", batch_size=1024, epochs=2)
    report["auc"]
    ```
    """
    chosen = Recipe(**recipe)
    checkpoints_folder = Path(f"{Path(output)}.checkpoints")
    with atomic_folder(output, marker=REPORT_FILE) as folder:
        network, report = run_recipe(
            log,
            chosen,
            checkpoints_folder,
            initial_model=initial_model,
            resume=resume,
            checkpoint_steps=checkpoint_steps,
            keep_checkpoints=keep_checkpoints,
            verbose=verbose,
        )
        name = log.encoder.log_format.name if log.encoder else log.source
        write_preset_files(network, folder, log.encoder, report.metadata(name))
        plot_learning_curves(report, folder / CURVES_FILE)
        content = json.dumps(report.to_json(), indent=2)
        (folder / REPORT_FILE).write_text(content + "\n")
    shutil.rmtree(checkpoints_folder, ignore_errors=True)
    return report.to_json()
