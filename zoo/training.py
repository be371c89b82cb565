"""The recipe: scale, compile, fit, evaluate exactly, save."""

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np

import keras_cowclip
from keras_cowclip import ClippedShare
from keras_cowclip import CowClip
from keras_cowclip import scale_hyperparameters
from zoo.atomic_folder import atomic_folder
from zoo.batches import ClickBatches
from zoo.encoded_log import EncodedLog
from zoo.encoding import ClickEncoder
from zoo.learning_curves import plot_learning_curves
from zoo.metrics import exact_metrics
from zoo.models import MODELS
from zoo.models import grow
from zoo.models.ctr_model import CTRModel
from zoo.presets import ENCODER_FOLDER
from zoo.presets import from_preset
from zoo.presets import save_to_preset
from zoo.split import Split
from zoo.training_callbacks import TrainingClock
from zoo.training_callbacks import ValidationMetrics

REPORT_FILE = "report.json"
CURVES_FILE = "learning_curves.png"
# At batch 1024, from the paper's tables; the others are CowClip's defaults.
BASE_LEARNING_RATE = {"criteo": 8e-4, "avazu": 1e-4}
EVALUATION_BATCH_SIZE = 16_384


def train(
    log: EncodedLog,
    output: str | Path,
    model: str = "deepfm",
    initial_model: str | Path | None = None,
    batch_size: int = 1024,
    epochs: int = 10,
    rule: str = "cowclip",
    learning_rate: float | None = None,
    embedding_learning_rate: float = 1e-4,
    embedding_l2: float = 1e-5,
    clip_ratio: float | None = 1.0,
    clip_floor: float = 1e-5,
    warmup_epochs: float = 1.0,
    embedding_dim: int = 10,
    hidden_units: tuple[int, ...] = (400, 400, 400),
    dropout: float = 0.0,
    seed: int = 0,
    verbose: int | str = "auto",
) -> dict[str, Any]:
    """Trains a network on an encoded log by the paper's recipe and saves it.

    Hyperparameters are given for a batch of 1024 and scaled to `batch_size`
    by `rule`. The dense learning rate warms up linearly, then stays constant;
    that of the embeddings is constant from the start.

    Args:
        log: `EncodedLog`, from a folder or synthetic.
        output: path of the folder to write: the model (see
            `zoo.from_preset`), `report.json` and `learning_curves.png`. An
            earlier run's folder is replaced once this run is finished.
        model: string, a key of `zoo.models.MODELS`. Defaults to `"deepfm"`.
        initial_model: path of a folder written by `train`, to go on from its
            weights. The network is then that model's, whatever `model`,
            `embedding_dim`, `hidden_units` and `dropout` say, and it keeps the
            l2 of its dense linear weights; where the log was
            encoded with its encoder, grown, its tables grow too.
        batch_size: integer, rows per step. Defaults to `1024`.
        epochs: integer. Defaults to `10`.
        rule: string, see `keras_cowclip.scale_hyperparameters`.
        learning_rate: float, of the dense weights at batch 1024. `None` takes
            the paper's: 1e-4 for Avazu, else 8e-4.
        embedding_learning_rate: float, at batch 1024. Defaults to `1e-4`.
        embedding_l2: float (lambda), at batch 1024. Defaults to `1e-5`.
        clip_ratio: float (r), or `None` for no clip. Defaults to `1.0`.
        clip_floor: float (zeta). Defaults to `1e-5`.
        warmup_epochs: float, epochs of linear warm-up of the dense learning
            rate; 0 for none. Defaults to `1.0`.
        embedding_dim: integer. Defaults to `10`.
        hidden_units: tuple of integers. Defaults to `(400, 400, 400)`.
        dropout: float. Defaults to `0.0`.
        seed: integer, of the weights and the order of rows. Defaults to `0`.
        verbose: as in `fit`.

    Returns:
        The report, as written to `report.json`. Its metrics are those of the
        split `report["evaluated_on"]`: the test split or, in a log without
        one, the validation split.

    Raises:
        ValueError: for an unknown model or rule, a value out of its range, a
            log without a test and a validation split, or predictions that are
            no longer finite.

    Example:

    ```python
    log = zoo.datasets.synthetic.make_log()
    report = zoo.train(log, "runs/deepfm", batch_size=8192, epochs=3)
    report["auc"]
    ```
    """
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if isinstance(value, bool) or int(value) != value or value < 1:
            raise ValueError(
                f"`{name}` must be a positive integer. Received: {name}={value}"
            )
    if model not in MODELS:
        raise ValueError(
            f"`model` must be one of {list(MODELS)}. Received: model={model!r}"
        )
    if not warmup_epochs >= 0:
        raise ValueError(
            "`warmup_epochs` must not be negative. "
            f"Received: warmup_epochs={warmup_epochs}"
        )
    evaluated_on = _evaluation_split(log)
    if learning_rate is None:
        name = log.encoder.log_format.name if log.encoder else "criteo"
        learning_rate = BASE_LEARNING_RATE.get(name, 8e-4)
    scaled = scale_hyperparameters(
        batch_size,
        rule=rule,
        learning_rate=learning_rate,
        embedding_learning_rate=embedding_learning_rate,
        embedding_l2=embedding_l2,
    )
    hyperparameters = {
        "rule": rule,
        **scaled,
        "clip_ratio": clip_ratio,
        "clip_floor": clip_floor,
        "warmup_epochs": warmup_epochs,
        "embedding_dim": embedding_dim,
        "hidden_units": list(hidden_units),
        "dropout": dropout,
        "epochs": epochs,
        "seed": seed,
    }
    keras.utils.set_random_seed(seed)
    if initial_model is None:
        network = MODELS[model](
            log.schema,
            embedding_dim=embedding_dim,
            hidden_units=hidden_units,
            dropout=dropout,
            linear_l2=scaled["embedding_l2"],
        )
    else:
        network = _load_grown(Path(initial_model), log)
        config = network.get_config()
        for name in ("embedding_dim", "hidden_units", "dropout"):
            hyperparameters[name] = config[name]
        model = next(n for n, cls in MODELS.items() if type(network) is cls)
    batches = ClickBatches(
        log.split("train"), batch_size, shuffle=True, seed=seed
    )
    optimizer = CowClip(
        **{
            **scaled,
            "learning_rate": _warm_up(
                scaled["learning_rate"], round(warmup_epochs * len(batches))
            ),
        },
        clip_ratio=clip_ratio,
        clip_floor=clip_floor,
    )
    with atomic_folder(output, marker=REPORT_FILE) as folder:
        network.compile(optimizer=optimizer, loss="binary_crossentropy")
        clock = TrainingClock()
        callbacks = [clock, ClippedShare()]
        if "validation" in log.splits:
            callbacks.append(ValidationMetrics(log.split("validation")))
        history = network.fit(
            batches,
            epochs=epochs,
            shuffle=False,
            verbose=verbose,
            callbacks=callbacks,
        ).history
        report = {
            "model": model,
            "initial_model": str(initial_model) if initial_model else None,
            "data": log.source,
            "evaluated_on": evaluated_on,
            **evaluate_split(network, log.split(evaluated_on)),
            "seconds": clock.seconds,
            "samples_per_second": len(log.split("train"))
            * epochs
            / clock.seconds,
            "batch_size": batch_size,
            "hyperparameters": hyperparameters,
            "backend": keras.backend.backend(),
            "versions": _versions(),
            "rows": {name: len(split) for name, split in log.splits.items()},
            "bayes": log.bayes.get(evaluated_on),
            "history": {
                name: [float(value) for value in values]
                for name, values in history.items()
            },
        }
        save_to_preset(
            network,
            folder,
            log.encoder,
            {key: report[key] for key in ("data", "auc", "log_loss")},
        )
        plot_learning_curves(report, folder / CURVES_FILE)
        (folder / REPORT_FILE).write_text(json.dumps(report, indent=2) + "\n")
    return report


def evaluate(
    model_folder: str | Path, log: EncodedLog, split: str = "test"
) -> dict[str, float]:
    """Evaluates a saved model on a split of an encoded log, exactly.

    Args:
        model_folder: path of a folder written by `train`.
        log: `EncodedLog` with the schema the model was trained on.
        split: string, `"train"`, `"validation"` or `"test"`.

    Returns:
        Dict of `auc`, `log_loss` and `calibration`.

    Raises:
        ValueError: if the split does not exist or the model was trained on
            another schema or vocabulary.

    Example:

    ```python
    zoo.evaluate("runs/deepfm", zoo.EncodedLog.load("encoded/criteo"))
    ```
    """
    rows = log.split(split)
    network = from_preset(model_folder)
    if network.schema != log.schema:
        raise ValueError(
            f"The model in {model_folder} was trained on another schema than "
            f"the data in {log.source} has; encode the data with the model's "
            f"own encoder. {_first_difference(network.schema, log.schema)}"
        )
    return evaluate_split(network, rows)


def evaluate_split(network: CTRModel, split: Split) -> dict[str, float]:
    """Returns the exact metrics of a model on one split."""
    batches = ClickBatches(split, EVALUATION_BATCH_SIZE)
    return exact_metrics(split.labels, network.predict(batches, verbose=0))


def _load_grown(folder: Path, log: EncodedLog) -> CTRModel:
    network = from_preset(folder)
    encoder_folder = folder / ENCODER_FOLDER
    if log.encoder is not None and encoder_folder.is_dir():
        older = ClickEncoder.load(encoder_folder)
        if not log.encoder.extends(older):
            grow_option = "" if older.num_buckets else " --grow"
            raise ValueError(
                "`initial_model` must know the ids of the log: encode the log "
                f"with `python -m zoo prepare --encoder {encoder_folder}"
                f"{grow_option}`. Received: initial_model={folder}, "
                f"log={log.source}"
            )
    return grow(network, log.schema)


def _evaluation_split(log):
    for name in ("test", "validation"):
        if name in log.splits:
            return name
    raise ValueError(
        "`log` must have a test or a validation split to measure the model on. "
        f"Received: log with the splits {list(log.splits)}"
    )


def _warm_up(learning_rate, steps):
    if not steps:
        return learning_rate
    return keras.optimizers.schedules.PolynomialDecay(
        1e-8, steps, end_learning_rate=learning_rate
    )


def _first_difference(model_schema, data_schema):
    ours, theirs = model_schema.get_config(), data_schema.get_config()
    for key in ours:
        if ours[key] != theirs[key]:
            pairs = [(ours[key], theirs[key])]
            if isinstance(ours[key], list) and len(ours[key]) == len(
                theirs[key]
            ):
                pairs = [
                    pair
                    for pair in zip(ours[key], theirs[key], strict=True)
                    if pair[0] != pair[1]
                ]
            return (
                f"Received: {key} {pairs[0][1]} in the data, {pairs[0][0]} in "
                "the model"
            )
    return ""


def _versions():
    backend = keras.backend.backend()
    names = {
        "keras": keras.__version__,
        "keras_cowclip": keras_cowclip.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    if backend == "tensorflow":
        import tensorflow as tf

        names["tensorflow"] = tf.__version__
    else:
        names[backend] = version(backend)
    return names
