"""Reads and writes the lines of a CSV file of results."""

import csv
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


def append(line: Line, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=line)
        if is_new:
            writer.writeheader()
        writer.writerow(line)
