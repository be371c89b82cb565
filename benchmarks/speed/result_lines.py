"""Reads and writes the lines of a CSV file of results."""

import csv
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

Line = dict[str, Any]


def measured_with(environment: dict[str, Any]) -> dict[str, str]:
    """Returns a line's last columns from `describe_environment()`."""
    versions = environment["versions"].items()
    return {
        "date": date.today().isoformat(),
        "hardware": environment["hardware"],
        "versions": " ".join(f"{name} {version}" for name, version in versions),
    }


def read(path: Path) -> list[Line]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(lines: list[Line], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=lines[0])
        writer.writeheader()
        writer.writerows(lines)


def merge(new: list[Line], path: Path, key: Sequence[str]) -> list[Line]:
    """Writes lines in place of those with the same values in the columns `key`.

    Returns all lines of the file, sorted by these columns.
    """
    merged = {
        tuple(_number_or_text(str(line[name])) for name in key): line
        # Another run may have written in the meantime.
        for line in (*read(path), *new)
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write([merged[place] for place in sorted(merged)], path)
    return read(path)


def _number_or_text(text: str) -> tuple[float, str]:
    return (float(text), "") if text.isdigit() else (0.0, text)


def append(line: Line, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=line)
        if is_new:
            writer.writeheader()
        writer.writerow(line)
