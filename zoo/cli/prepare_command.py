import json
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated
from typing import Any
from typing import Literal

import typer
from rich.console import Console

from zoo.checks import did_you_mean
from zoo.cli.tables import summary_table

if TYPE_CHECKING:
    from zoo.encoding import ClickEncoder
    from zoo.encoding import LogFormat

# Typer wants the choices spelled out, and the help imports no package that
# imports Keras; a test holds them to the registries.
DATASETS = (
    *("criteo", "avazu", "criteo_x1", "criteo_x4", "avazu_x1", "avazu_x4"),
    "synthetic",
)
SplitScheme = Literal["random", "sequential", "day", "time", "provider"]
FitOn = Literal["train", "all"]
EngineName = Literal["duckdb", "spark"]
DenseTransform = Literal["minmax", "log", "none"]


def prepare(
    output: Annotated[Path, typer.Option(help="Folder to write.")],
    dataset: Annotated[
        str | None,
        typer.Argument(
            help=f"Format of the log: {', '.join(DATASETS)}, or a JSON file "
            "with the arguments of zoo.LogFormat. Not needed with --encoder.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="A file (text, .gz, .bz2, .xz, .zip or Parquet) or a folder "
            "of them. "
            "Default: the data set's repository on the Hugging Face Hub.",
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace what an earlier run wrote in the folder.",
        ),
    ] = False,
    split: Annotated[
        SplitScheme | None,
        typer.Option(
            help="random: by row; sequential: the last rows are the test; day: "
            "the last day is the test; time: the latest rows by --time-column "
            "are; provider: by the names of the files. "
            "Default: the provider's if there is one, else random.",
            show_default=False,
        ),
    ] = None,
    test_fraction: Annotated[
        float | None,
        typer.Option(
            help="Share of rows for the test, in splits that are random or by "
            "time (default 0.1, Avazu 0.2) or sequential (1/7).",
            show_default=False,
        ),
    ] = None,
    validation_fraction: Annotated[
        float | None,
        typer.Option(
            help="Share of rows for the validation, in splits that are random "
            "or by time (default 0.1) or sequential (0).",
            show_default=False,
        ),
    ] = None,
    time_column: Annotated[
        str | None,
        typer.Option(
            help="Column of dates, timestamps or Unix seconds for --split "
            "time; it is no feature.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random split.")] = 0,
    fit_on: Annotated[
        FitOn, typer.Option(help="Rows that the vocabularies are built from.")
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
            min=1,
            help="Largest number of tokens that a field keeps.",
            show_default=False,
        ),
    ] = None,
    buckets: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Hash the tokens of each field to this many ids, without a "
            "vocabulary.",
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
            "--grow", help="Add new tokens to those of --encoder; old ids stay."
        ),
    ] = False,
    dense: Annotated[
        DenseTransform,
        typer.Option(
            help="Transform of the dense columns: minmax is the paper's; log "
            "is sign(x) * ln(1 + |x|).",
        ),
    ] = "minmax",
    memory_limit: Annotated[
        str,
        typer.Option(help="Of this process; DuckDB spills to disk beyond it."),
    ] = "2GB",
    engine: Annotated[
        EngineName, typer.Option(help="duckdb: this machine; spark: a cluster.")
    ] = "duckdb",
    spark_master: Annotated[
        str | None,
        typer.Option(
            help="Spark master, such as local[2] or yarn. Default: that of "
            "spark-submit.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Encode a raw click log: strings become ids, in up to three splits."""
    from zoo.encoding import prepare as prepare_log
    from zoo.encoding.preparation import MARKERS
    from zoo.files.whole_folder import check_replaceable

    log = _log_or_encoder(dataset, encoder)
    # Before it is fetched.
    check_replaceable(output, MARKERS, overwrite)
    summary = prepare_log(
        log,
        _source(dataset, source),
        output,
        split=split,
        test_fraction=test_fraction,
        validation_fraction=validation_fraction,
        time_column=time_column,
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
        overwrite=overwrite,
    )
    Console().print(summary_table(summary, output))


def _log_or_encoder(
    dataset: str | None, encoder: Path | None
) -> "LogFormat | ClickEncoder":
    from zoo.datasets import RAW_LOGS
    from zoo.encoding import ClickEncoder
    from zoo.encoding import LogFormat

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
    if str(dataset).endswith(".json"):
        raise FileNotFoundError(f"There is no such file. Received: {dataset}")
    raise ValueError(
        f"`DATASET` must be one of {list(RAW_LOGS)} or a JSON file. "
        f"{did_you_mean(dataset, RAW_LOGS)}Received: {dataset}"
    )


def _source(dataset: str | None, source: str | None) -> Any:
    from zoo.datasets import hub

    id = hub.hub_id(source) if source else hub.full_id(dataset or "")
    if id is not None:
        return hub.fetch(id)
    if source is None:
        raise ValueError(
            "`--source` must be given, but for the data sets on the Hub: "
            f"criteo_x1, criteo_x4, avazu_x1, avazu_x4. Received: {dataset}"
        )
    return source
