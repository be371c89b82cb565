"""The command line: `python -m zoo prepare | train | evaluate`."""

import sys
from pathlib import Path
from typing import Annotated
from typing import Any
from typing import Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from zoo import training
from zoo.datasets import RAW_LOGS
from zoo.datasets import synthetic
from zoo.encoded_log import EncodedLog
from zoo.encoding import prepare as prepare_log

app = typer.Typer(
    help="Click-through-rate models, from a raw log to a trained network. "
    "The backend is the environment variable KERAS_BACKEND: tensorflow, jax "
    "or torch.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

# Typer wants the choices spelled out; a test holds them to the registries.
RawLog = Literal["criteo", "avazu"]
Model = Literal["deepfm", "wide_deep", "dcn", "dcn_v2"]
Rule = Literal["cowclip", "none", "sqrt", "linear", "n2_lambda"]
DenseTransform = Literal["minmax", "log", "none"]


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line; bad input ends in one line, not in a traceback."""
    try:
        app(arguments)
    except (ValueError, OSError) as error:
        Console(stderr=True, soft_wrap=True).print(
            f"[bold red]error:[/] {escape(str(error))}", highlight=False
        )
        sys.exit(1)


@app.command()
def prepare(
    dataset: Annotated[
        RawLog,
        typer.Argument(help="What the raw file is."),
    ],
    source: Annotated[
        Path, typer.Option(help="The raw file, as Kaggle has it.")
    ],
    output: Annotated[
        Path,
        typer.Option(
            help="Folder to write. One that an earlier run wrote is replaced."
        ),
    ],
    min_count: Annotated[
        int,
        typer.Option(
            min=1, help="Tokens rarer than this in training share one id."
        ),
    ] = 1,
    dense: Annotated[
        DenseTransform,
        typer.Option(
            help="Of the integer columns: minmax is the paper's; log is "
            "sign(x) * ln(1 + |x|).",
        ),
    ] = "minmax",
    memory_limit: Annotated[
        str, typer.Option(help="Beyond it the encoder spills to disk.")
    ] = "2GB",
    seed: Annotated[int, typer.Option(help="Of the random split.")] = 0,
) -> None:
    """Encode a raw click log: strings become ids, in three splits."""
    summary = prepare_log(
        RAW_LOGS[dataset],
        source,
        output,
        min_count=min_count,
        dense_transform=dense,
        memory_limit=memory_limit,
        seed=seed,
    )
    table = Table("split", "rows", "click rate", title=str(output))
    for column in table.columns[1:]:
        column.justify = "right"
    for name, split in summary["splits"].items():
        table.add_row(name, f"{split['rows']:,}", f"{split['click_rate']:.4f}")
    Console().print(table)


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
    _print_report(report, output)


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
    table = Table("metric", split, title=str(model_dir))
    table.columns[1].justify = "right"
    for name, value in metrics.items():
        table.add_row(name, f"{value:.5f}")
    Console().print(table)


def _print_report(report: dict[str, Any], output: Path) -> None:
    bayes = report["bayes"]
    table = Table(
        "test split",
        report["model"],
        *(["best possible"] if bayes else []),
        title=f"{report['data']}, batch {report['batch_size']:,}, "
        f"{report['backend']}",
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for name in ("auc", "log_loss", "calibration"):
        best = [f"{bayes[name]:.5f}"] if bayes else []
        table.add_row(name, f"{report[name]:.5f}", *best)
    table.add_section()
    table.add_row("training seconds", f"{report['seconds']:.1f}")
    table.add_row("samples per second", f"{report['samples_per_second']:,.0f}")
    shown = ("rule", "learning_rate", "embedding_learning_rate", "embedding_l2")
    for name in shown:
        value = report["hyperparameters"][name]
        table.add_row(name, value if isinstance(value, str) else f"{value:.4g}")
    Console().print(table)
    Console(soft_wrap=True).print(
        f"Learning curves: {output / training.CURVES_FILE}\n"
        f"Report: {output / training.REPORT_FILE}",
        highlight=False,
    )
