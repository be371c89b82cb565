"""Builds data sets of `datasets` with splits, in a cache or as streams."""

import hashlib
import os
import re
from dataclasses import replace
from typing import Any

from zoo.datasets.extras import import_extra
from zoo.raw.log_files import SourceLike
from zoo.raw.log_files import find_files
from zoo.raw.log_format import LogFormat
from zoo.raw.raw_file import RawFile
from zoo.raw.raw_file import split_of_name
from zoo.raw.source import open_raw_log
from zoo.raw.splits import SPLITS
from zoo.raw.splits import SplitScheme
from zoo.raw.splits import split_scheme
from zoo.raw.tables import arrow_table
from zoo.raw.tables import is_table


def load(
    log_format: LogFormat,
    source: SourceLike,
    label: str,
    *,
    split: str | None,
    test_fraction: float | None,
    validation_fraction: float | None,
    seed: int,
    streaming: bool,
    cache_dir: str | os.PathLike | None,
) -> Any:
    """Loads a log; see `zoo.datasets.loaders` for the arguments.

    Args:
        label: string. The name that the column of the label gets.
    """
    import_extra("datasets")
    # Imported late: `datasets` takes about a second to import.
    from zoo.datasets.click_log import ClickLog

    if log_format.sequences or log_format.labels or log_format.weight:
        raise ValueError(
            "`schema` must have one label and neither lists nor weights to be "
            "loaded as a data set; `zoo.prepare` encodes such logs. "
            f"Received: {log_format!r:.300}"
        )
    if split != "time":
        # Then nobody reads it, and a file may lack it.
        log_format = replace(log_format, time=None)
    whole = _whole(source, log_format, streaming)
    opened = open_raw_log(whole, log_format)
    scheme = split_scheme(
        split,
        log_format,
        opened.has_splits,
        test_fraction,
        validation_fraction,
        seed,
    )
    sources, row_scheme = _sources(whole, scheme)
    if streaming and row_scheme is not None and row_scheme.reads_ahead:
        raise ValueError(
            "`streaming` can't split sequentially or by a column's days or "
            "times, for the split of a row is known only after the last row. "
            "Take a random split, give files as a dict of splits, or load "
            f"without streaming. Received: streaming=True with {scheme}"
        )
    builder = ClickLog(
        cache_dir=None if cache_dir is None else os.fspath(cache_dir),
        config_id=_config_id(log_format, whole, label, scheme),
        log_format=log_format,
        label=label,
        sources=sources,
        scheme=row_scheme,
    )
    if streaming:
        return builder.as_streaming_dataset()
    _make_cache(builder)
    return builder.as_dataset()


def _whole(source: SourceLike, log_format: LogFormat, streaming: bool) -> Any:
    """The whole log: a tuple of files, a data set, or a dict of data sets."""
    if not is_table(source):
        return tuple(find_files(source, log_format))
    datasets = import_extra("datasets")
    tables = source if isinstance(source, dict) else {"train": source}
    for data in tables.values():
        if isinstance(data, datasets.IterableDataset) and not streaming:
            raise ValueError(
                "`streaming` must be True for a source that is a stream "
                "itself: there is no telling whether it was loaded before, so "
                f"it can't be cached. Received: {type(source).__name__} with "
                "streaming=False"
            )
    if isinstance(source, dict):
        return {name: _data_set(data) for name, data in source.items()}
    return _data_set(source)


def _data_set(table: Any) -> Any:
    """A table or DataFrame as a data set, others as they are."""
    if hasattr(table, "with_format"):
        return table
    return import_extra("datasets").Dataset(arrow_table(table))


def _sources(
    whole: Any, scheme: SplitScheme
) -> tuple[dict[str, Any], SplitScheme | None]:
    """Returns the source of each split, and the scheme that picks its rows.

    `datasets` divides lists of files among the workers that read a stream, but
    not tuples. A scheme needs row numbers that run through all files.
    """
    if isinstance(whole, tuple):
        splits = scheme.splits_of(sorted({f.origin for f in whole}))
        if splits is not None:
            return {
                split: [f for f in whole if splits[f.origin] == split]
                for split in SPLITS
                if split in splits.values()
            }, None
    elif isinstance(whole, dict):
        names = {name: split_of_name(name) for name in whole}
        splits = scheme.splits_of([name for name in names.values() if name])
        if splits is not None:
            return {
                split: {n: whole[n] for n in whole if names[n] == split}
                for split in SPLITS
                if split in splits
            }, None
    return dict.fromkeys(scheme.names(), whole), scheme


def _make_cache(builder: Any) -> None:
    wrapping = import_extra("datasets").exceptions.DatasetGenerationError
    try:
        builder.download_and_prepare()
        return
    except wrapping as error:
        reason = error.__cause__ or error
    # Raised outside of `except`: Python would report the wrapping error first,
    # which only says that something went wrong.
    raise reason


def _config_id(
    log_format: LogFormat, whole: Any, label: str, scheme: SplitScheme
) -> str:
    """The name of the cache, which differs for other files or rows."""
    state: list
    if isinstance(whole, tuple):
        state = [_state(raw_file) for raw_file in whole]
    elif isinstance(whole, dict):
        state = [(name, _fingerprint(whole[name])) for name in whole]
    else:
        state = [_fingerprint(whole)]
    text = repr((log_format, label, scheme, state))
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{re.sub('[^A-Za-z0-9]+', '_', log_format.name)}-{digest[:16]}"


def _state(raw_file: RawFile) -> tuple:
    path = raw_file.path.resolve()
    status = path.stat()
    return str(path), status.st_size, status.st_mtime_ns, repr(raw_file)


def _fingerprint(data: Any) -> str | None:
    # Streams have none, and are not cached.
    return getattr(data, "_fingerprint", None)
