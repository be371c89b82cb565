"""Builds a data set of `datasets`, which it imports, from a click log."""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import datasets
import pyarrow as pa

from zoo.datasets.row_split import RowSplit
from zoo.datasets.typed_rows import column_types
from zoo.datasets.typed_rows import read_typed_rows
from zoo.raw.log_format import LogFormat
from zoo.raw.source import open_raw_log
from zoo.raw.splits import SplitScheme


@dataclass
class ClickLogConfig(datasets.BuilderConfig):
    """Configures the builder.

    Attributes:
        log_format: `LogFormat`.
        label: string. The name of the column of the label.
        sources: dict from the name of a split to the source of its rows.
        scheme: `SplitScheme` that picks the rows of a split from its source;
            `None` if all of them belong to it.
    """

    log_format: LogFormat | None = None
    label: str = "label"
    sources: dict[str, Any] = field(default_factory=dict)
    scheme: SplitScheme | None = None


class ClickLog(datasets.ArrowBasedBuilder):
    """Reads click logs with the readers of `zoo.encoding`.

    `datasets` provides the cache, in which a failed run leaves nothing, and
    the streams.
    """

    # Must be raised when the same files give other rows than before.
    VERSION = "1.0.0"
    BUILDER_CONFIG_CLASS = ClickLogConfig
    # With the default, 1000 rows, a large log has so many batches that it
    # opens slowly.
    DEFAULT_WRITER_BATCH_SIZE = 1 << 16

    def _info(self) -> datasets.DatasetInfo:
        types = column_types(self.config.log_format, self.config.label)
        values = {name: datasets.Value(kind) for name, kind in types.items()}
        return datasets.DatasetInfo(features=datasets.Features(values))

    def _split_generators(self, dl_manager) -> list[datasets.SplitGenerator]:
        config = self.config
        row_split = None
        if config.scheme is not None:
            whole = next(iter(config.sources.values()))
            opened = open_raw_log(whole, config.log_format)
            row_split = RowSplit.of(config.scheme, opened)
        return [
            datasets.SplitGenerator(
                name=name,
                gen_kwargs={
                    "source": source,
                    "row_split": row_split,
                    "split": name,
                },
            )
            for name, source in config.sources.items()
        ]

    def _generate_tables(
        self, source: Any, row_split: RowSplit | None, split: str
    ) -> Iterator[tuple[int, pa.Table]]:
        config = self.config
        tables = read_typed_rows(
            open_raw_log(source, config.log_format),
            config.log_format,
            config.label,
            split,
            row_split,
        )
        yield from enumerate(tables)
