"""From a raw log to a folder that a model can be trained on."""

import importlib.metadata
import json
import os
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import keras_cowclip
from zoo.atomic_folder import atomic_folder
from zoo.encoding import sql
from zoo.encoding.bad_line import raise_first_bad_line
from zoo.encoding.encoder import ClickEncoder
from zoo.encoding.engine import clear_errors
from zoo.encoding.engine import connect
from zoo.encoding.engine import memory_bytes
from zoo.encoding.log_format import LogFormat
from zoo.encoding.matrices import write_encoded
from zoo.encoding.passes import encoded_batches
from zoo.encoding.passes import field_groups
from zoo.encoding.progress import Stages
from zoo.encoding.raw_log import check_source
from zoo.encoding.raw_log import read_raw

MARKERS = ("summary.json", "encoder")
"""By these a folder is known as one that `prepare` made."""


def prepare(
    log_format: LogFormat,
    source: str | os.PathLike,
    output: str | os.PathLike,
    min_count: int = 1,
    dense_transform: str = "minmax",
    memory_limit: str = "2GB",
    seed: int = 0,
    show_progress: bool = True,
) -> dict[str, Any]:
    """Encodes a raw log once, so that training only reads numbers.

    Writes `train.parquet`, `validation.parquet` and `test.parquet` with the
    columns `label: int8`, `dense: fixed_size_list<float>[D]` (left out where
    the log has no integer columns) and `ids: fixed_size_list<int32>[F]`, rows
    in the order of the log; `encoder/`, the fitted `ClickEncoder`; and
    `summary.json`. The split is random by row, the same for the same seed and
    number of rows; vocabularies and dense ranges come from the training split
    alone.

    Nothing is left of a run that fails. A folder of an earlier run is replaced
    once the new one is whole.

    Args:
        log_format: `LogFormat`, such as `zoo.datasets.CRITEO`.
        source: path of the raw log.
        output: path of the folder to make.
        min_count: integer. Rarer tokens get the id of unknown ones. Defaults
            to `1`.
        dense_transform: `"minmax"`, `"log"` or `"none"`; see `ClickEncoder`.
            Defaults to `"minmax"`.
        memory_limit: string. What DuckDB may use, the rest goes to disk beside
            `output`; reading and writing takes some 500 MB more. Defaults to
            `"2GB"`.
        seed: integer. Draws the split. Defaults to `0`.
        show_progress: boolean. Whether to draw progress bars on stderr.
            Defaults to `True`.

    Returns:
        dict. What `summary.json` holds: `rows`, `click_rate` and
        `distinct_ids` of each split and how the folder was made.

    Raises:
        FileNotFoundError: if there is no such source.
        ValueError: for a line that breaks a rule of the format, with its
            number; a split that is empty or has one class only; an argument
            out of range.
        OSError: if the disk is full.

    Example:

    ```python
    prepare(zoo.datasets.CRITEO, "train.txt", "criteo", min_count=10)
    ```
    """
    encoder = ClickEncoder(log_format, dense_transform, min_count)
    memory = memory_bytes(memory_limit)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise ValueError(f"`seed` must be an integer. Received: seed={seed!r}")
    path = check_source(source, log_format)
    if path.resolve().is_relative_to(Path(output).resolve()):
        raise ValueError(
            "`source` must not lie inside `output`, which is replaced whole. "
            f"Received: source={path}, output={output}"
        )
    with (
        clear_errors(memory_limit, output),
        atomic_folder(output, MARKERS) as folder,
        Stages(show_progress) as stages,
    ):
        work = folder / "work"
        work.mkdir()
        with connect(work, memory_limit) as connection:
            _stage(connection, path, log_format, seed, stages)
            counts = _check_splits(connection, path)
            stages.start("Counting tokens", len(log_format.categorical))
            encoder.fit(connection, stages.advance)
            groups = field_groups(encoder.num_tokens, memory)
            splits = {}
            for split in sql.SPLITS:
                stages.start(f"Encoding {split}", counts[split])
                splits[split] = write_encoded(
                    encoded_batches(connection, encoder, split, groups, work),
                    folder / f"{split}.parquet",
                    encoder.schema.num_dense,
                    encoder.schema.vocabulary_sizes,
                    stages.advance,
                )
            encoder.save(folder / "encoder")
        shutil.rmtree(work)
        summary = _summary(encoder, path, memory_limit, seed, splits)
        text = json.dumps(summary, indent=2) + "\n"
        (folder / "summary.json").write_text(text, encoding="utf-8")
    return summary


def _stage(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    log_format: LogFormat,
    seed: int,
    stages: Stages,
) -> None:
    """Parses the raw log, once, into the table `log`."""
    num_dense = len(log_format.dense)
    bad_row = sql.first_bad_row(num_dense, label=True)
    labeled = sql.labeled(
        num_dense,
        len(log_format.categorical),
        seed,
        log_format.test_fraction,
        log_format.validation_fraction,
    )
    into = "create table log as"
    stages.start(f"Reading {path.name}", path.stat().st_size)
    try:
        for table in read_raw(path, log_format, stages.reach):
            connection.register("raw", table)
            found = connection.execute(bad_row).fetchall()[0][0]
            # A header may be all there is.
            if found is not None or table.num_rows == 0:
                raise _BadRow("a line that breaks a rule")
            connection.execute(f"{into} {labeled}")
            into = "insert into log"
            connection.unregister("raw")
    except (_BadRow, pa.ArrowInvalid) as error:
        raise_first_bad_line(path, log_format)
        raise ValueError(
            f"{path}: can't be read as the {log_format.name} log. "
            f"Received: {error}"
        ) from error


class _BadRow(Exception):
    """The reader saw that a rule is broken, but not on which line."""


def _check_splits(
    connection: duckdb.DuckDBPyConnection, path: Path
) -> dict[str, int]:
    rows = connection.execute(sql.split_counts()).fetchall()
    counts = {split: (num, clicks) for split, num, clicks in rows}
    for split in sql.SPLITS:
        num_rows, clicks = counts.get(split, (0, 0))
        if num_rows == 0:
            raise ValueError(
                f"{path}: the {split} split would have no row. Give a longer "
                "log or another seed. Received: "
                f"{sum(num for num, _ in counts.values())} rows in all"
            )
        if clicks in (0, num_rows):
            raise ValueError(
                f"{path}: the {split} split would have one class only, which "
                "has no AUC. Give a longer log or another seed. Received: "
                f"{num_rows} rows, label {int(clicks > 0)} in all of them"
            )
    return {split: num for split, (num, _) in counts.items()}


def _summary(
    encoder: ClickEncoder,
    path: Path,
    memory_limit: str,
    seed: int,
    splits: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    return {
        "log": encoder.log_format.name,
        "source": str(path.resolve()),
        "rows": sum(split["rows"] for split in splits.values()),
        "splits": splits,
        "num_ids": encoder.schema.num_ids,
        "min_count": encoder.min_count,
        "dense_transform": encoder.dense_transform,
        "memory_limit": memory_limit,
        "seed": seed,
        "versions": {
            "keras_cowclip": keras_cowclip.__version__,
            "duckdb": importlib.metadata.version("duckdb"),
            "pyarrow": importlib.metadata.version("pyarrow"),
        },
    }
