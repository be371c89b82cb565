"""Files of predicted probabilities that are either whole or not there."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

_SCHEMA = pa.schema([("probability", pa.float32())])
_WRITERS = {
    ".parquet": pa.parquet.ParquetWriter,
    ".csv": pa.csv.CSVWriter,
}


class ScoreFile:
    """A file with the column `probability`, written piece by piece.

    Until the block is left without an exception, the rows are in a file
    beside it.

    Args:
        path: of a `.parquet` or `.csv` file; one that is there is replaced.

    Raises:
        ValueError: for another suffix, or if it is a folder.

    Example:

    ```python
    with ScoreFile("scores.parquet") as file:
        file.write(probabilities)
    ```
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self._path = Path(path)
        if self._path.suffix not in _WRITERS or self._path.is_dir():
            raise ValueError(
                f"`output` must be a file that ends in one of "
                f"{list(_WRITERS)}. Received: output={path}"
            )

    def __enter__(self) -> "ScoreFile":
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{self._path.name}.partial-", dir=self._path.parent
        )
        os.close(handle)
        self._partial = Path(name)
        self._writer = _WRITERS[self._path.suffix](self._partial, _SCHEMA)
        return self

    def write(self, scores: np.ndarray) -> None:
        """Adds rows, `(rows,)` float32."""
        self._writer.write(pa.record_batch([pa.array(scores)], schema=_SCHEMA))

    def __exit__(self, kind, error, trace) -> None:
        try:
            self._writer.close()
            if kind is None:
                # As public as a file that `open` makes.
                mask = os.umask(0)
                os.umask(mask)
                self._partial.chmod(0o666 & ~mask)
                self._partial.replace(self._path)
        finally:
            self._partial.unlink(missing_ok=True)
