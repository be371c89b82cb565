"""Writes files of predicted probabilities."""

import contextlib
import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from zoo.files.whole_output import atomic_output

_WRITERS = {
    ".parquet": pa.parquet.ParquetWriter,
    ".csv": pa.csv.CSVWriter,
}


@contextlib.contextmanager
def write_scores(
    output: str | os.PathLike, labels: Sequence[str] = ()
) -> Iterator[Callable[[np.ndarray], None]]:
    """Yields a function that adds rows to a file of probabilities.

    The file has a column for each of several labels, of its name, or else the
    column `probability`. It appears once the block ends without an exception.

    Args:
        output: path of a `.parquet` or `.csv` file, which is replaced if it
            exists.
        labels: names of the labels. Defaults to `()`.

    Yields:
        A function of `(rows, labels)` or `(rows,)` float32.

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
    names = labels if len(labels) > 1 else ("probability",)
    schema = pa.schema([(name, pa.float32()) for name in names])
    with (
        atomic_output(path) as partial,
        _WRITERS[path.suffix](partial, schema) as writer,
    ):

        def write(scores: np.ndarray) -> None:
            columns = scores.reshape(len(scores), len(names)).T
            arrays = [pa.array(np.ascontiguousarray(x)) for x in columns]
            writer.write(pa.record_batch(arrays, schema=schema))

        yield write
