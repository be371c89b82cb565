"""Writes tables as CSV files that appear whole or not at all."""

import csv
import io
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.files.whole_output import atomic_output


def write_table(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Writes a CSV file anew, so that it is whole at every moment.

    Args:
        rows: dicts. Where one lacks a column that another has, it is empty.
        path: of the file.
    """
    rows = list(rows)
    columns = dict.fromkeys(name for row in rows for name in row)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with atomic_output(path) as partial:
        partial.write_text(text.getvalue())
