"""The command line: `python -m zoo prepare | describe | train | evaluate`."""

import json
import sys
from pathlib import Path
from typing import Annotated
from typing import Any
from typing import Literal

import typer
from rich.console import Console
from rich.markup import escape

from zoo import training
from zoo.datasets import RAW_LOGS
from zoo.datasets import hub
from zoo.datasets import synthetic
from zoo.description import CARD_FILE
from zoo.description import describe as describe_log
from zoo.encoded_log import EncodedLog
from zoo.encoding import ClickEncoder
from zoo.encoding import LogFormat
from zoo.encoding import prepare as prepare_log
from zoo.tables import card_tables
from zoo.tables import metrics_table
from zoo.tables import report_table
from zoo.tables import summary_table

app = typer.Typer(
    help="Click-through-rate models, from a raw log to a trained network. "
    "The backend is the environment variable KERAS_BACKEND: tensorflow, jax "
    "or torch.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

# Typer wants the choices spelled out; a test holds them to the registries.
SplitScheme = Literal["random", "sequential", "day", "provider"]
FitOn = Literal["train", "all"]
EngineName = Literal["duckdb", "spark"]
Model = Literal["deepfm", "wide_deep", "dcn", "dcn_v2"]
Rule = Literal["cowclip", "none", "sqrt", "linear", "n2_lambda"]
DenseTransform = Literal["minmax", "log", "none"]


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line; bad input ends in one line, not in a traceback."""
    try:
        app(arguments)
    except (ValueError, OSError, ImportError) as error:
        Console(stderr=True, soft_wrap=True).print(
            f"[bold red]error:[/] {escape(str(error))}", highlight=False
        )
        sys.exit(1)


@app.command()
def prepare(
    output: Annotated[
        Path,
        typer.Option(
            help="Folder to write. One that an earlier run wrote is replaced."
        ),
    ],
    dataset: Annotated[
        str | None,
        typer.Argument(
            help=f"What the log is: {', '.join(RAW_LOGS)}, or a JSON file with "
            "the arguments of zoo.LogFormat. Not needed with --encoder.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="A file (text, .gz, .zip or Parquet) or a folder of such. "
            "Without it: the data set's own place on the Hugging Face Hub.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        SplitScheme | None,
        typer.Option(
            help="random by row; sequential: the last rows for the test; day: "
            "the last day; provider: as the files are called. Default: the "
            "provider's if there is one, else random.",
            show_default=False,
        ),
    ] = None,
    test_fraction: Annotated[
        float | None,
        typer.Option(
            help="Random (default 0.1, Avazu 0.2) and sequential (1/7).",
            show_default=False,
        ),
    ] = None,
    validation_fraction: Annotated[
        float | None,
        typer.Option(
            help="Random (default 0.1) and sequential (0).",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random split.")] = 0,
    fit_on: Annotated[
        FitOn, typer.Option(help="The rows that vocabularies come from.")
    ] = "train",
    min_count: Annotated[
        int,
        typer.Option(
            min=1, help="Tokens rarer than this in training share one id."
        ),
    ] = 1,
    max_vocabulary: Annotated[
        int | None,
        typer.Option(
            min=1, help="Tokens that a field keeps.", show_default=False
        ),
    ] = None,
    buckets: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Hash tokens to so many ids a field; no vocabulary.",
            show_default=False,
        ),
    ] = None,
    encoder: Annotated[
        Path | None,
        typer.Option(
            help="Folder `encoder` of an earlier run, or of a model: use its "
            "vocabularies and settings.",
            show_default=False,
        ),
    ] = None,
    grow: Annotated[
        bool,
        typer.Option(
            "--grow", help="Add new tokens to those of --encoder, old ids kept."
        ),
    ] = False,
    dense: Annotated[
        DenseTransform,
        typer.Option(
            help="Of the dense columns: minmax is the paper's; log is "
            "sign(x) * ln(1 + |x|).",
        ),
    ] = "minmax",
    memory_limit: Annotated[
        str,
        typer.Option(help="Of this process; DuckDB goes to disk beyond it."),
    ] = "2GB",
    engine: Annotated[
        EngineName, typer.Option(help="duckdb: this machine; spark: a cluster.")
    ] = "duckdb",
    spark_master: Annotated[
        str | None,
        typer.Option(
            help="Such as local[2] or yarn. Default: what spark-submit says.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Encode a raw click log: strings become ids, in up to three splits."""
    summary = prepare_log(
        _log_or_encoder(dataset, encoder),
        _source(dataset, source),
        output,
        split=split,
        test_fraction=test_fraction,
        validation_fraction=validation_fraction,
        seed=seed,
        fit_on=fit_on,
        grow=grow,
        min_count=min_count,
        max_vocabulary=max_vocabulary,
        num_buckets=buckets,
        dense_transform=dense,
        memory_limit=memory_limit,
        engine=engine,
        spark_master=spark_master,
    )
    Console().print(summary_table(summary, output))


def _log_or_encoder(
    dataset: str | None, encoder: Path | None
) -> LogFormat | ClickEncoder:
    if encoder is not None:
        return ClickEncoder.load(encoder)
    if dataset in RAW_LOGS:
        return RAW_LOGS[dataset]
    if dataset is not None and Path(dataset).is_file():
        try:
            return LogFormat(**json.loads(Path(dataset).read_text()))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{dataset}: must hold the arguments of `zoo.LogFormat` as a "
                f"JSON object. Received: {error}"
            ) from error
    raise ValueError(
        f"`DATASET` must be one of {list(RAW_LOGS)} or a JSON file. "
        f"Received: {dataset}"
    )


def _source(dataset: str | None, source: str | None) -> Any:
    id = hub.hub_id(source) if source else hub.full_id(dataset or "")
    if id is not None:
        return hub.fetch(id)
    if source is None:
        raise ValueError(
            "`--source` must be given, but for the data sets on the Hub: "
            f"criteo_x1, criteo_x4, avazu_x1, avazu_x4. Received: {dataset}"
        )
    return source


@app.command()
def describe(
    folder: Annotated[Path, typer.Argument(help="Folder made by `prepare`.")],
) -> None:
    """Describe an encoded log: sizes, gaps, ids; with a picture."""
    card = describe_log(folder)
    Console().print(*card_tables(card))
    Console(soft_wrap=True).print(
        f"Picture: {folder / CARD_FILE}", highlight=False
    )


@app.command()
def train(
    output: Annotated[
        Path,
        typer.Option(
            help="Folder for the model, report.json and learning_curves.png. "
            "One that an earlier run wrote is replaced."
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder written by `prepare`. Without it: a synthetic log.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        Model,
        typer.Option(help="The network."),
    ] = "deepfm",
    initial_model: Annotated[
        Path | None,
        typer.Option(
            help="Folder of a trained model to go on from, its tables grown "
            "to the data's vocabularies; it brings its own network.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(min=1, help="Rows per step.")
    ] = 1024,
    epochs: Annotated[int, typer.Option(min=1)] = 10,
    rule: Annotated[
        Rule,
        typer.Option(
            help="How the values below, at batch 1024, follow the batch.",
        ),
    ] = "cowclip",
    learning_rate: Annotated[
        float | None,
        typer.Option(
            help="Of the dense weights; the paper's 1e-4 for Avazu, else 8e-4.",
            show_default=False,
        ),
    ] = None,
    embedding_learning_rate: Annotated[
        float, typer.Option(help="Of the embedding tables.")
    ] = 1e-4,
    embedding_l2: Annotated[
        float, typer.Option(help="L2 on the embedding tables (lambda).")
    ] = 1e-5,
    clip_ratio: Annotated[
        float, typer.Option(help="CowClip's r; inf switches the clip off.")
    ] = 1.0,
    clip_floor: Annotated[float, typer.Option(help="CowClip's zeta.")] = 1e-5,
    warmup_epochs: Annotated[
        float, typer.Option(help="Of the dense learning rate.")
    ] = 1.0,
    embedding_dim: Annotated[int, typer.Option(min=1)] = 10,
    dropout: Annotated[float, typer.Option()] = 0.0,
    seed: Annotated[
        int, typer.Option(help="Of the weights and the order of rows.")
    ] = 0,
) -> None:
    """Train a network by the paper's recipe and report its exact metrics."""
    if data is not None:
        log = EncodedLog.load(data)
    else:
        with Console().status("Making the synthetic log"):
            log = synthetic.make_log()
    report = training.train(
        log,
        output,
        model=model,
        initial_model=initial_model,
        batch_size=batch_size,
        epochs=epochs,
        rule=rule,
        learning_rate=learning_rate,
        embedding_learning_rate=embedding_learning_rate,
        embedding_l2=embedding_l2,
        clip_ratio=None if clip_ratio == float("inf") else clip_ratio,
        clip_floor=clip_floor,
        warmup_epochs=warmup_epochs,
        embedding_dim=embedding_dim,
        dropout=dropout,
        seed=seed,
        verbose="auto" if sys.stdout.isatty() else 2,
    )
    Console().print(report_table(report))
    Console(soft_wrap=True).print(
        f"Learning curves: {output / training.CURVES_FILE}\n"
        f"Report: {output / training.REPORT_FILE}",
        highlight=False,
    )


@app.command()
def evaluate(
    model_dir: Annotated[
        Path, typer.Argument(help="Folder written by `train`.")
    ],
    data: Annotated[Path, typer.Option(help="Folder written by `prepare`.")],
    split: Annotated[
        str, typer.Option(help="train, validation or test.")
    ] = "test",
) -> None:
    """Evaluate a trained model on a split, exactly."""
    metrics = training.evaluate(model_dir, EncodedLog.load(data), split)
    Console().print(metrics_table(metrics, split, model_dir))
