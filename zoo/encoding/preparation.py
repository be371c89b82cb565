"""Encodes a raw log into a folder that models are trained on."""

import importlib.metadata
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras_cowclip
from zoo.checks import check_choice
from zoo.encoding import fitting
from zoo.encoding.duckdb_engine import DuckDBEngine
from zoo.encoding.encoder import ClickEncoder
from zoo.encoding.encoder_settings import EncoderSettings
from zoo.encoding.engine import Engine
from zoo.encoding.engine import clear_disk_errors
from zoo.encoding.engine import memory_bytes
from zoo.encoding.gaps import Gaps
from zoo.encoding.splitting import mean_lengths
from zoo.encoding.splitting import missing_shares
from zoo.encoding.splitting import split_log
from zoo.files.whole_folder import atomic_folder
from zoo.raw.log_files import SourceLike
from zoo.raw.log_files import describe_files
from zoo.raw.log_format import LogFormat
from zoo.raw.source import Source
from zoo.raw.source import open_raw_log
from zoo.raw.splits import split_scheme
from zoo.runtime.progress import Stages

MARKERS = ("summary.json", "encoder")
"""A folder that holds these was made by `prepare`."""

ENGINES = ("duckdb", "spark")
FIT_ON = ("train", "all")


def prepare(
    log: LogFormat | ClickEncoder,
    source: SourceLike,
    output: str | os.PathLike,
    *,
    split: str | None = None,
    test_fraction: float | None = None,
    validation_fraction: float | None = None,
    time_column: str | None = None,
    seed: int = 0,
    fit_on: str = "train",
    grow: bool = False,
    min_count: int = 1,
    max_vocabulary: int | None = None,
    num_buckets: int | None = None,
    dense_transform: str = "minmax",
    memory_limit: str = "2GB",
    engine: str = "duckdb",
    spark_master: str | None = None,
    show_progress: bool = True,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Encodes a raw log, so that training reads numbers only.

    Writes `train/`, `validation/` and `test/`, each with files
    `part-00000.arrow`, ... of the columns `label: int8`,
    `dense: fixed_size_list<float>[D]` (left out where the log has no dense
    columns) and `ids: fixed_size_list<int32>[F]`, rows in the order of the
    log; `encoder/`, the fitted `ClickEncoder`; and `summary.json`. Several
    labels are `labels: fixed_size_list<int8>`, with -1 where a row lacks one;
    weights are `weight: float`, and lists `sequence_0: list<int32>`, ..., each
    cut to its most recent tokens.

    A run that fails leaves nothing behind. The next run removes what a killed
    one left. With `overwrite` the folder of an earlier run is replaced when the
    new one is complete.

    Args:
        log: `LogFormat`, such as `zoo.datasets.CRITEO`, to learn vocabularies
            from this log; or a `ClickEncoder`, to use its vocabularies.
        source: path of the raw log, or another source that
            `zoo.encoding.open_raw_log` takes: a folder, a list, a dict of
            splits, a `datasets` object.
        output: path of the folder to make.
        split: string. `"random"` by row, the same for the same seed and rows;
            `"sequential"`, the last rows for the test; `"day"`, the last day
            for the test and the one before for validation; `"time"`, the
            latest rows by `time_column` for the test; or `"provider"`, as the
            source has it. `None` is the provider's split if there is one, else
            a random one. Defaults to `None`.
        test_fraction: float, for splits that are random or by time (default:
            the log's, 0.1 for Criteo and 0.2 for Avazu) and sequential ones
            (default 1/7).
        validation_fraction: float, likewise (defaults: the log's, 0).
        time_column: string. The column that a split by time reads: dates,
            dates and times, or seconds since 1970 (or milli-, micro-,
            nanoseconds); in Parquet also dates and timestamps. It is no
            feature of its own. Defaults to `None`, that of `LogFormat.time`.
        seed: integer. Draws a random split. Defaults to `0`.
        fit_on: `"train"` or `"all"`. The rows that vocabularies and dense
            ranges are learned from. Defaults to `"train"`.
        grow: boolean. Whether to add this log's tokens to the vocabularies of
            an encoder; old tokens keep their ids. Defaults to `False`.
        min_count: integer. Rarer tokens get the id of unknown tokens.
            Defaults to `1`.
        max_vocabulary: integer. Tokens a vocabulary keeps, `None` for all.
            Defaults to `None`.
        num_buckets: integer. Number of buckets per field that tokens are
            hashed to, instead of vocabularies; lists share those of a field or
            have their own. Defaults to `None`.
        dense_transform: `"minmax"`, `"log"` or `"none"`; see `ClickEncoder`.
            Defaults to `"minmax"`.
        memory_limit: string. Memory that this process may use. DuckDB spills
            more than that to disk beside `output`. Defaults to `"2GB"`.
        engine: `"duckdb"`, on this machine, or `"spark"`, on a cluster.
            Defaults to `"duckdb"`.
        spark_master: string. The master of Spark, such as `"local[2]"` or
            `"yarn"`; `None` takes the master of `spark-submit`, or this
            machine. Defaults to `None`.
        show_progress: boolean. Whether to show progress bars on stderr.
            Defaults to `True`.
        overwrite: boolean. Whether an earlier run's folder is replaced.
            Defaults to `False`.

    Returns:
        dict. The content of `summary.json`: `rows`, `click_rate` and
        `distinct_ids` of each split, the share of rows in which each column is
        `missing`, and the arguments and versions of the run. Several labels
        also have `click_rates`, of the rows that have the label (`click_rate`
        is that of the first); lists a `mean_length`, as they are kept, and
        they are missing where they are empty.

    Raises:
        FileNotFoundError: if there is no such source.
        ValueError: for a line that breaks a rule of the format, with its
            number; a split that is empty or has one class only of a label; an
            argument out of range.
        OSError: if the disk is full.

    Example:

    ```python
    zoo.prepare(zoo.datasets.CRITEO, "train.txt", "encoded/all", min_count=10)
    encoder = zoo.ClickEncoder.load("encoded/all/encoder")
    zoo.prepare(encoder, "day_2.txt", "encoded/grown", grow=True)
    ```
    """
    settings = _settings(
        log, grow, dense_transform, min_count, max_vocabulary, num_buckets
    )
    check_choice("engine", engine, ENGINES)
    check_choice("fit_on", fit_on, FIT_ON)
    log_format = _timed(settings.log_format, split, time_column)
    if not log_format.is_labeled:
        raise ValueError(
            "`log` must have labels to be prepared; rows without them are for "
            f"`zoo.CTRPredictor`. Received: {log_format.name} with "
            "is_labeled=False"
        )
    memory = memory_bytes(memory_limit)
    opened = open_raw_log(source, log_format)
    scheme = split_scheme(
        split,
        log_format,
        opened.has_splits,
        test_fraction,
        validation_fraction,
        seed,
    )
    _check_outside(opened, Path(output))
    with (
        clear_disk_errors(output),
        atomic_folder(output, MARKERS, overwrite) as folder,
        Stages(show_progress) as stages,
    ):
        work = folder / "work"
        work.mkdir()
        if opened.files:
            stages.say(describe_files(opened.files))
        with _engine(engine, work, memory, spark_master) as running:
            running.stage(opened, log_format, scheme.origin(), stages)
            counts = split_log(
                running, scheme, log, log_format, opened.name, stages
            )
            learn_from = "train" if fit_on == "train" else None
            to = folder / "encoder"
            by_value: list[str] = []
            if isinstance(log, LogFormat):
                encoder = fitting.fit(
                    running, settings, opened.kinds, learn_from, to, stages
                )
            elif grow:
                _check_kinds(log, opened)
                encoder = fitting.grow(running, log, learn_from, to, stages)
            else:
                by_value = log.columns_by_value(opened.kinds)
                encoder = fitting.reuse(running, log, by_value, to)
            missing = missing_shares(running, log_format, counts)
            lengths = mean_lengths(running, log_format, counts)
            splits = running.write_splits(
                encoder, by_value, counts, folder, stages
            )
        for found in splits.values():
            if "click_rates" in found:
                names = log_format.label_names
                rates = zip(names, found["click_rates"], strict=True)
                found["click_rates"] = dict(rates)
        if encoder is not log:
            _note_gaps(encoder, folder, splits)
        shutil.rmtree(work)
        summary = {
            "log": log_format.name,
            "source": opened.name,
            "rows": sum(counts.values()),
            "splits": splits,
            "missing": missing,
            **({"mean_length": lengths} if lengths else {}),
            "split": {"scheme": type(scheme).__name__, **vars(scheme)},
            "num_ids": encoder.schema.num_ids,
            "fit_on": fit_on,
            "min_count": settings.min_count,
            "max_vocabulary": settings.max_vocabulary,
            "num_buckets": settings.num_buckets,
            "dense_transform": settings.dense_transform,
            "engine": engine,
            "memory_limit": memory_limit,
            "versions": _versions(engine),
        }
        text = json.dumps(summary, indent=2) + "\n"
        (folder / "summary.json").write_text(text, encoding="utf-8")
    return summary


def _settings(
    log: LogFormat | ClickEncoder,
    grow: bool,
    dense_transform: str,
    min_count: int,
    max_vocabulary: int | None,
    num_buckets: int | None,
) -> EncoderSettings:
    settings: dict[str, Any] = {
        "dense_transform": dense_transform,
        "min_count": min_count,
        "max_vocabulary": max_vocabulary,
        "num_buckets": num_buckets,
    }
    if isinstance(log, ClickEncoder):
        if tuple(settings.values()) != ("minmax", 1, None, None):
            raise ValueError(
                "`log` as a `ClickEncoder` brings its own settings. "
                f"Received: {settings}"
            )
        if grow and log.settings.num_buckets is not None:
            raise ValueError(
                "`grow` is for a fitted encoder with vocabularies: buckets "
                "take new tokens as they are. Received: "
                f"num_buckets={log.settings.num_buckets}"
            )
        return log.settings
    if not isinstance(log, LogFormat):
        raise ValueError(
            "`log` must be a `LogFormat` or a `ClickEncoder`. "
            f"Received: {log!r:.100}"
        )
    if grow:
        raise ValueError(
            "`grow` needs the fitted encoder that is to grow as `log`. "
            "Received: a LogFormat"
        )
    return EncoderSettings(log, **settings)


def _timed(
    log_format: LogFormat, split: str | None, time_column: str | None
) -> LogFormat:
    """The format with the column of the times if the split needs it."""
    if split != "time":
        if time_column is not None:
            raise ValueError(
                "`time_column` is for a split by time. Received: "
                f"split={split!r}, time_column={time_column!r}"
            )
        return replace(log_format, time=None)
    if time_column is None:
        return log_format
    return replace(log_format, time=time_column)


def _check_kinds(encoder: ClickEncoder, source: Source) -> None:
    """Raises if a log has other kinds of tokens than a vocabulary to grow."""
    kinds = encoder.kinds or {}
    for name in encoder.columns_by_value(source.kinds):
        raise ValueError(
            f"`grow` needs the column '{name}' as {kinds[name]}, as in "
            "the log that the vocabulary was learned from: a value would get "
            f"a second token. Received: {source.kinds[name]}"
        )


def _note_gaps(
    encoder: ClickEncoder, folder: Path, splits: Iterable[str]
) -> None:
    """Adds to an encoder the gaps of rows that it was not learned from."""
    for split in ("validation", "test"):
        if split in splits:
            encoder.gaps = Gaps.of_split(
                folder / split,
                encoder.schema.num_fields,
                len(encoder.schema.sequences),
            )
            encoder.save(folder / "encoder")
            return


def _check_outside(source: Source, output: Path) -> None:
    for raw_file in source.files:
        path = raw_file.path
        if path.resolve().is_relative_to(output.resolve()):
            raise ValueError(
                "`source` must not lie inside `output`, which is replaced "
                f"whole. Received: source={path}, output={output}"
            )


def _engine(
    engine: str, work: Path, memory: int, spark_master: str | None
) -> Engine:
    if engine == "spark":
        # Imported late: Spark is an optional extra.
        from zoo.encoding.spark.engine import SparkEngine

        return SparkEngine(work, spark_master)
    return DuckDBEngine(work, memory)


def _versions(engine: str) -> dict[str, str]:
    library = {"duckdb": "duckdb", "spark": "pyspark"}[engine]
    return {
        "keras_cowclip": keras_cowclip.__version__,
        library: importlib.metadata.version(library),
        "pyarrow": importlib.metadata.version("pyarrow"),
    }
