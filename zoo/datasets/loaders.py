"""Loads click logs as data sets of Hugging Face `datasets`."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from zoo.datasets import hub
from zoo.datasets.avazu import AVAZU
from zoo.datasets.avazu import AVAZU_X1
from zoo.datasets.avazu import AVAZU_X4
from zoo.datasets.criteo import CRITEO
from zoo.datasets.criteo import CRITEO_X1
from zoo.datasets.criteo import CRITEO_X4
from zoo.datasets.formats import log_format_of
from zoo.datasets.formats import version_of
from zoo.datasets.loading import load
from zoo.feature_schema import FeatureSchema
from zoo.raw.log_files import SourceLike
from zoo.raw.log_format import LogFormat

CRITEO_VERSIONS = {"raw": CRITEO, "x1": CRITEO_X1, "x4": CRITEO_X4}
AVAZU_VERSIONS = {"raw": AVAZU, "x1": AVAZU_X1, "x4": AVAZU_X4}

_CRITEO_IDS = ("reczoo/Criteo_x1", "reczoo/Criteo_x4", hub.CLICK_LOGS)
_AVAZU_IDS = ("reczoo/Avazu_x1", "reczoo/Avazu_x4")


def load_criteo(
    source: SourceLike,
    *,
    version: str | None = None,
    days: Iterable[int] | None = None,
    split: str | None = None,
    test_fraction: float | None = None,
    validation_fraction: float | None = None,
    seed: int = 0,
    streaming: bool = False,
    cache_dir: str | os.PathLike | None = None,
) -> Any:
    """Loads one of Criteo's logs as typed rows, split by name.

    The columns are `label`, in every version, I1 to I13 and C1 to C26; see
    `load_clicks` for their types, the cache and streams. The result can be
    given to `zoo.encoding.prepare` together with the version's `LogFormat`.

    Args:
        source: one of
            - an id on the Hugging Face Hub: `"reczoo/Criteo_x1"`,
              `"reczoo/Criteo_x4"` or `"criteo/CriteoClickLogs"`, also without
              the owner before the slash; `zoo.datasets.fetch` takes a revision
              and a token;
            - path of a local copy: the raw `train.txt`, a `day_0.gz`, the
              `Criteo_x4.zip` of the Hub, a folder;
            - any other source of `zoo.encoding.open_raw_log`: a list of paths,
              a dict of splits, a `datasets.Dataset` or `DatasetDict`.
        version: `"raw"`, `"x1"` or `"x4"`, that is `CRITEO`, `CRITEO_X1` or
            `CRITEO_X4` of `zoo.datasets`. `None` goes by the header of a text:
            `label,I1,...` is x1, `Label,I1,...` is x4, and none is raw. In a
            table, `Label` is x4 and `label` is raw. Defaults to `None`.
        days: integers from 0 to 23, for `"criteo/CriteoClickLogs"` alone.
        split: see `load_clicks`.
        test_fraction: see `load_clicks`.
        validation_fraction: see `load_clicks`.
        seed: see `load_clicks`.
        streaming: see `load_clicks`.
        cache_dir: see `load_clicks`.

    Returns:
        `datasets.DatasetDict`, or `IterableDatasetDict` if `streaming`.

    Raises:
        FileNotFoundError: if there is no such file, or the Hub can't be
            reached, with the file to get.
        ValueError: for a file that is damaged or not the published one; a line
            that breaks a rule, with its number; an argument out of range.
        ImportError: if `datasets` is not installed.

    Example:

    ```python
    data = zoo.load_criteo("reczoo/Criteo_x4")
    data["validation"][0]
    zoo.prepare(zoo.datasets.CRITEO_X4, data, "encoded/criteo_x4")
    ```
    """
    found = _resolved(source, days, _CRITEO_IDS)
    return load(
        version_of(found, version, CRITEO_VERSIONS),
        found,
        "label",
        split=split,
        test_fraction=test_fraction,
        validation_fraction=validation_fraction,
        seed=seed,
        streaming=streaming,
        cache_dir=cache_dir,
    )


def load_avazu(
    source: SourceLike,
    *,
    version: str | None = None,
    split: str | None = None,
    test_fraction: float | None = None,
    validation_fraction: float | None = None,
    seed: int = 0,
    streaming: bool = False,
    cache_dir: str | os.PathLike | None = None,
) -> Any:
    """Loads Avazu's log as typed rows, split by name.

    The columns are those of the version: `click`, `hour`, `C1` and so on, or
    `label` and `feat_1` to `feat_22` for x1; all but the label are text. See
    `load_clicks` for the cache and streams.

    Args:
        source: one of
            - an id on the Hugging Face Hub: `"reczoo/Avazu_x1"` or
              `"reczoo/Avazu_x4"`, also without the owner before the slash;
              `zoo.datasets.fetch` takes a revision and a token;
            - path of a local copy: the raw `train`, the `Avazu_x4.zip` of the
              Hub, a folder;
            - any other source of `zoo.encoding.open_raw_log`.
        version: `"raw"`, `"x1"` or `"x4"`, that is `AVAZU`, `AVAZU_X1` or
            `AVAZU_X4` of `zoo.datasets`. `None` goes by the header of a text.
            x4 has the header of raw, and is known by its file for validation.
            Defaults to `None`.
        split: see `load_clicks`.
        test_fraction: see `load_clicks`.
        validation_fraction: see `load_clicks`.
        seed: see `load_clicks`.
        streaming: see `load_clicks`.
        cache_dir: see `load_clicks`.

    Returns:
        `datasets.DatasetDict`, or `IterableDatasetDict` if `streaming`.

    Raises:
        FileNotFoundError: as `load_criteo`.
        ValueError: as `load_criteo`.
        ImportError: if `datasets` is not installed.

    Example:

    ```python
    data = zoo.load_avazu("train.gz", split="day")
    ```
    """
    found = _resolved(source, None, _AVAZU_IDS)
    log_format = version_of(found, version, AVAZU_VERSIONS)
    return load(
        log_format,
        found,
        log_format.label,
        split=split,
        test_fraction=test_fraction,
        validation_fraction=validation_fraction,
        seed=seed,
        streaming=streaming,
        cache_dir=cache_dir,
    )


def load_clicks(
    schema: LogFormat | FeatureSchema,
    source: SourceLike,
    *,
    split: str | None = None,
    test_fraction: float | None = None,
    validation_fraction: float | None = None,
    seed: int = 0,
    streaming: bool = False,
    cache_dir: str | os.PathLike | None = None,
) -> Any:
    """Loads any click log as typed rows, split by name.

    Columns that the schema does not name are dropped. The label becomes int8;
    dense columns int64, or float64 where the schema allows fractions;
    categorical columns text, whatever they were before. Empty text and missing
    values become null, but for the label, which has to be 0 or 1. The rows of
    each split are those that `zoo.encoding.prepare` gives it for the same
    arguments, in the same order.

    `datasets` caches the typed rows below `HF_HOME`: 400 bytes a row of
    Criteo, 18 GB for Kaggle's log. They are made again if a file changed its
    size or date. A load that fails leaves nothing in the cache. A stream is
    not cached: every split reads the whole source again, unless the source
    has the splits, and a damaged file is found only when it is reached. A zip
    is never unpacked.

    Args:
        schema: `LogFormat`; or `zoo.FeatureSchema`, of which only the names
            are used. Text then needs a header and may be quoted. The delimiter
            is a comma in `.csv` and a tab in `.tsv` and `.txt`. Dense columns
            may have fractions.
        source: any source of `zoo.encoding.open_raw_log`: path of a text or
            Parquet file, a zip or a folder, a list of paths, a dict of splits,
            one of the data sets of `datasets`.
        split: string. `"random"` by row, the same for the same seed and rows;
            `"sequential"`, the last rows for the test; `"day"`, the last day
            for the test and the one before for validation; `"time"`, the
            latest rows by the format's `time` for the test; or `"provider"`,
            as the source has it. `None` is the provider's split if there is
            one, else a random one. Streams can't be split sequentially or by
            time, and by day only if each file is one. Defaults to `None`.
        test_fraction: float, for splits that are random or by time (default:
            that of the format) and sequential ones (default 1/7). A split of
            share 0 is left out.
        validation_fraction: float, likewise (defaults: the format's, 0).
        seed: integer. Draws a random split. Defaults to `0`.
        streaming: boolean. Whether to read the source only when rows are
            requested. Must be `True` for a source that is a stream. Defaults
            to `False`.
        cache_dir: path of another cache for the typed rows. Defaults to
            `None`, that of `datasets`.

    Returns:
        `datasets.DatasetDict`, or `IterableDatasetDict` if `streaming`, with
        those of the splits `train`, `validation` and `test` that exist.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for a damaged file, a row that breaks a rule, with its
            number, or an argument out of range.
        ImportError: if `datasets` is not installed.

    Example:

    ```python
    schema = zoo.FeatureSchema(["price"], {"site": 1000}, label="click")
    data = zoo.load_clicks(schema, "clicks/", test_fraction=0.2)
    ```
    """
    if not isinstance(schema, LogFormat):
        schema = log_format_of(schema, source)
    return load(
        schema,
        source,
        schema.label,
        split=split,
        test_fraction=test_fraction,
        validation_fraction=validation_fraction,
        seed=seed,
        streaming=streaming,
        cache_dir=cache_dir,
    )


def _resolved(
    source: SourceLike, days: Iterable[int] | None, ids: tuple[str, ...]
) -> SourceLike:
    """Fetches the data set that an id names; returns other sources as is."""
    found = hub.hub_id(source)
    if found in ids:
        return hub.fetch(found, days=days)
    if days is not None:
        raise ValueError(
            f"`days` is for {hub.CLICK_LOGS!r}. Received: days={days} for "
            f"source={source!r:.100}"
        )
    if isinstance(source, str) and not Path(source).exists():
        raise FileNotFoundError(
            f"`source` must be a path that exists or one of {ids}. "
            f"Received: source={source!r}"
        )
    return source
