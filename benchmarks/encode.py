"""Measures `python -m zoo prepare` against pandas with LabelEncoder.

Each job runs in a process of its own, whose wall-clock time, time of all cores
and peak resident memory the operating system reports. Imports are part of the
time. The raw logs come from `criteo_shaped_text.py` and are made, if absent, in
`--folder`, which needs about 700 bytes of disk for each of the most rows.

    python benchmarks/encode.py --rows 5_000_000 20_000_000 --folder /tmp/encode

With `--history 50` pandas is left out. Each log is encoded once as it is, and
once with a list of 50 tokens in every row, of column C4's vocabulary of 2.2
million. Such a log needs 2 kB of disk for each row. `--repeats 3` measures both
in turn, and keeps the best of each.

    python benchmarks/encode.py --history 50 --rows 2_000_000 --repeats 3 \
        --folder /tmp/encode
"""

import argparse
import csv
import datetime
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

from criteo_shaped_text import write_log
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results" / "encode.csv"
LIST_RESULTS = RESULTS.with_name("encode_lists.csv")
DENSE = [f"I{i}" for i in range(1, 14)]
FIELDS = [f"C{i}" for i in range(1, 27)]
# A script without this project: fits on all rows, all in memory.
PANDAS = """
import sys
import numpy as np
import pandas as pd
from sklearn.preprocessing import LabelEncoder, MinMaxScaler

dense = [f"I{i}" for i in range(1, 14)]
fields = [f"C{i}" for i in range(1, 27)]
log = pd.read_csv(sys.argv[1], sep="\\t", names=["label", *dense, *fields])
log[dense] = MinMaxScaler().fit_transform(log[dense].fillna(0))
for field in fields:
    log[field] = LabelEncoder().fit_transform(log[field].fillna(""))
log[dense] = log[dense].astype("float32")
log[fields] = log[fields].astype("int32")
log.to_parquet(sys.argv[2])
"""


def measure(command: list[str]) -> tuple[float, float, float]:
    """Runs a command; returns seconds, core seconds and peak MB."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env={"KERAS_BACKEND": "jax", **os.environ}
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"{command} failed")
    unit = 1 if platform.system() == "Darwin" else 1024
    core_seconds = usage.ru_utime + usage.ru_stime
    return seconds, core_seconds, usage.ru_maxrss * unit / 1e6


def prepare(log: str, raw: Path, output: Path, memory_limit: str) -> list[str]:
    return [
        sys.executable, "-m", "zoo", "prepare", log, "--source",
        str(raw), "--output", str(output), "--memory-limit", memory_limit,
    ]  # fmt: skip


def jobs(raw: Path, output: Path, memory_limit: str) -> dict[str, list[str]]:
    return {
        f"zoo prepare, {memory_limit}": prepare(
            "criteo", raw, output, memory_limit
        ),
        "pandas + LabelEncoder": [
            sys.executable, "-c", PANDAS, str(raw), f"{output}.parquet",
        ],
    }  # fmt: skip


def list_jobs(
    raw: Path, rows: int, history: int, output: Path, memory_limit: str
) -> dict[str, list[str]]:
    """Returns jobs for the log as it is, and with a history in each row."""
    with_lists = raw.with_name(f"{raw.stem}_{history}.txt")
    if not with_lists.exists():
        # In a process of its own: on Linux the peak of a child begins with the
        # memory of its parent.
        writer = Path(__file__).with_name("criteo_shaped_text.py")
        measure(
            [
                *(sys.executable, str(writer), "--rows", str(rows)),
                *("--history", str(history), "--output", str(with_lists)),
            ]
        )
    log = {
        "name": "criteo_lists",
        "columns": ["label", *DENSE, *FIELDS, "history"],
        "dense": DENSE,
        "categorical": FIELDS,
        "sequences": {"history": {"shares": "C4", "max_length": history}},
    }
    log_format = raw.with_name(f"history_{history}.json")
    log_format.write_text(json.dumps(log))
    return {
        f"zoo prepare, {memory_limit}": prepare(
            "criteo", raw, output, memory_limit
        ),
        f"zoo prepare, {memory_limit}, a history of {history}": prepare(
            str(log_format), with_lists, output, memory_limit
        ),
    }


def machine() -> dict[str, str]:
    model = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(x for x in lines if "model name" in x).split(": ")[1]
    names = ("duckdb", "pyarrow", "pandas", "scikit-learn")
    return {
        "date": datetime.date.today().isoformat(),
        "cpu": model,
        "cores": str(len(os.sched_getaffinity(0))),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in names},
    }


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[5_000_000, 20_000_000]
    )
    parser.add_argument(
        "--pandas-rows", type=int, default=2_000_000,
        help="Largest log that pandas is given: it holds all of it in memory.",
    )  # fmt: skip
    parser.add_argument(
        "--history", type=int, default=0,
        help="Measure lists of so many tokens instead of pandas.",
    )  # fmt: skip
    parser.add_argument(
        "--repeats", type=int, default=1, help="The best of so many is kept."
    )
    parser.add_argument("--memory-limit", default="2GB")
    parser.add_argument("--folder", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    results = []
    all_rows = {*arguments.rows}
    if not arguments.history:
        all_rows.add(arguments.pandas_rows)
    for rows in sorted(all_rows):
        raw = arguments.folder / f"raw_{rows}.txt"
        if not raw.exists():
            write_log(raw, rows)
        output = arguments.folder / f"encoded_{rows}"
        limit = arguments.memory_limit
        if arguments.history:
            commands = list_jobs(raw, rows, arguments.history, output, limit)
        else:
            commands = jobs(raw, output, limit)
        measured: dict[str, list[tuple[float, float, float]]] = {}
        for _ in range(arguments.repeats):
            for name, command in commands.items():
                if "pandas" in name and rows > arguments.pandas_rows:
                    continue
                measured.setdefault(name, []).append(measure(command))
        for name, runs in measured.items():
            seconds, core_seconds, megabytes = min(runs)
            results.append(
                {
                    "job": name,
                    "rows": str(rows),
                    "seconds": f"{seconds:.1f}",
                    "rows_per_second": f"{rows / seconds:.0f}",
                    "core_seconds": f"{core_seconds:.1f}",
                    "peak_memory_mb": f"{megabytes:.0f}",
                    **machine(),
                }
            )
        shutil.rmtree(output)
        Path(f"{output}.parquet").unlink(missing_ok=True)
    path = LIST_RESULTS if arguments.history else RESULTS
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, results[0])
        writer.writeheader()
        writer.writerows(results)
    shown = ("job", "rows", "seconds", "core_seconds", "peak_memory_mb")
    table = Table(*shown)
    for result in results:
        table.add_row(*(result[name] for name in shown))
    Console().print(table)


if __name__ == "__main__":
    main()
