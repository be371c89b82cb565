"""Writes files of predicted probabilities."""

import contextlib
import os
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from zoo.files.whole_output import atomic_output

_SCHEMA = pa.schema([("probability", pa.float32())])
_WRITERS = {
    ".parquet": pa.parquet.ParquetWriter,
    ".csv": pa.csv.CSVWriter,
}


@contextlib.contextmanager
def write_scores(
    output: str | os.PathLike,
) -> Iterator[Callable[[np.ndarray], None]]:
    """Yields a function that adds rows to a file with `probability` alone.

    The file appears once the block ends without an exception.

    Args:
        output: path of a `.parquet` or `.csv` file, which is replaced if it
            exists.

    Raises:
        ValueError: for another suffix, or if `output` is a folder.

    Example:

    ```python
    with write_scores("scores.parquet") as write:
        write(np.array([0.1, 0.9], "float32"))
    ```
    """
    path = Path(output)
    if path.suffix not in _WRITERS or path.is_dir():
        raise ValueError(
            f"`output` must be a file that ends in one of "
            f"{list(_WRITERS)}. Received: output={output!r}"
        )
    with (
        atomic_output(path) as partial,
        _WRITERS[path.suffix](partial, _SCHEMA) as writer,
    ):

        def write(scores: np.ndarray) -> None:
            rows = pa.record_batch([pa.array(scores)], schema=_SCHEMA)
            writer.write(rows)

        yield write
