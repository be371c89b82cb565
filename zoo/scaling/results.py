"""Keeps the results of a study: the reports of its runs, and its table.

A run that ends writes `runs/NAME.json`. A study that ends packs these files
into one, `runs.jsonl.gz`, a line for each run. A study of any age is read from
both: one under way, one that was broken off, and one that has been packed.
"""

import contextlib
import gzip
import hashlib
import io
import json
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from zoo.files.whole_output import atomic_output
from zoo.training.report import Report

RESULTS_FILE = "results.csv"
PACKED_FILE = "runs.jsonl.gz"
RUNS_FOLDER = "runs"
# In bytes. File systems take 255 for a name, which has more parts than this.
_LONGEST_PART = 120


def run_name(
    model: str, rule: str, variant: str, batch_size: int, seed: int
) -> str:
    """Returns the name of a run; no two runs of a study share one.

    Args:
        model, rule, variant, seed: those of the run.
        batch_size: integer, rows per step of the tables.
    """
    parts = [model, rule, file_part(variant)]
    parts += [f"batch_{batch_size}", f"seed_{seed}"]
    return "-".join(filter(None, parts))


def file_part(variant: str) -> str:
    """Returns a variant's name, which is free text, as part of a file name."""
    part = re.sub(r"[^\w.=-]+", "_", variant)
    whole = part.encode()
    if len(whole) <= _LONGEST_PART:
        return part
    # Names that begin alike must not share their runs.
    digest = hashlib.sha256(whole).hexdigest()[:32]
    start = whole[: _LONGEST_PART - len(digest) - 1].decode(errors="ignore")
    return f"{start}-{digest}"


def write_run(folder: Path, report: Report) -> None:
    """Writes the report of a finished run, or nothing."""
    path = folder / RUNS_FOLDER / f"{_name_of(report)}.json"
    with atomic_output(path) as partial:
        partial.write_text(json.dumps(report.to_json(), indent=1) + "\n")


def read_runs(folder: Path) -> dict[str, Report]:
    """Returns the reports of all finished runs of a study, by run name."""
    reports = {}
    for report in _read_packed(folder / PACKED_FILE):
        reports[_name_of(report)] = report
    for path in _unpacked(folder):
        report = _read_run(path)
        reports[_name_of(report)] = report
    return dict(sorted(reports.items()))


def pack_runs(folder: Path) -> None:
    """Packs the reports of `runs/` into `runs.jsonl.gz` and removes them.

    The same reports make the same bytes. A process killed at any moment leaves
    every report in one of the two places.
    """
    paths = _unpacked(folder)
    if paths:
        reports = read_runs(folder).values()
        lines = [json.dumps(report.to_json()) for report in reports]
        packed = io.BytesIO()
        # Without a name and a time, which gzip would put into the file.
        with gzip.GzipFile("", "wb", fileobj=packed, mtime=0) as archive:
            archive.write("".join(f"{line}\n" for line in lines).encode())
        with (
            atomic_output(folder / PACKED_FILE) as path,
            path.open("wb") as file,
        ):
            file.write(packed.getvalue())
            # The files that it replaces are removed next.
            file.flush()
            os.fsync(file.fileno())
    for path in paths:
        path.unlink()
    # Checkpoints of another study's run may lie there.
    with contextlib.suppress(OSError):
        (folder / RUNS_FOLDER).rmdir()


def _name_of(report: Report) -> str:
    settings = report.hyperparameters
    return run_name(
        report.model,
        settings["rule"],
        report.variant or "",
        report.embedding_batch_size,
        settings["seed"],
    )


def _unpacked(folder: Path) -> list[Path]:
    return sorted((folder / RUNS_FOLDER).glob("*.json"))


def _read_run(path: Path) -> Report:
    try:
        return Report.from_json(json.loads(path.read_text()))
    except ValueError as error:
        raise ValueError(
            "The report of a finished run must be JSON; remove the file to "
            f"repeat the run. Received: {path} ({error})"
        ) from error


def _read_packed(path: Path) -> Iterator[Report]:
    if not path.exists():
        return
    try:
        lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        if not lines:  # gzip reads an empty file as an empty text.
            raise ValueError("no line")
        yield from [Report.from_json(json.loads(line)) for line in lines]
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError) as error:
        raise ValueError(
            "The reports of finished runs must be lines of JSON, compressed "
            "by gzip; remove the file to repeat the runs. "
            f"Received: {path} ({error})"
        ) from error
