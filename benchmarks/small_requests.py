"""Times `CTRPredictor` on single raw rows and on requests of 1000 rows.

    python benchmarks/small_requests.py

Makes a preset of Criteo's 39 columns with a million tokens: its sizes are those
of the Kaggle log, cut so that they add up to a million, each token is 8
hexadecimal digits, and the DeepFM is as large as in the paper, but untrained.
Each backend then has a process of its own, which loads the preset, warms up,
scores 1000 different rows one by one, and then all of them in one request.
A twentieth of the values is missing, and another one unknown.

Memory is what the loaded and warm predictor added to the resident memory of a
process that had imported the zoo: weights, vocabulary, and what Keras and the
backend take for a network. Writes `benchmarks/results/small_requests.md`.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet

import zoo  # Before Keras, see `zoo.keep_freed_memory`.

# isort: split
import keras

from zoo.datasets import CRITEO
from zoo.encoding import vocabulary_file
from zoo.encoding.encoder_settings import EncoderSettings
from zoo.encoding.vocabularies import Vocabularies
from zoo.encoding.vocabulary_sql import FIRST_ID
from zoo.runtime.environment import describe_environment

sys.path.append(str(Path(__file__).parent / "speed"))

from child import measure_in_child
from data import vocabulary_sizes
from result_lines import measured_with

RESULTS = Path(__file__).parent / "results" / "small_requests.md"
BACKENDS = ("tensorflow", "jax", "torch")
TOKENS = 1_000_000
REQUESTS = 1000
SEED = 0
# An odd number permutes the 32-bit integers when they are multiplied by it.
_ODD = 2654435761
_GAP_SHARE = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backends", nargs="+", default=BACKENDS)
    parser.add_argument("--tokens", type=int, default=TOKENS)
    parser.add_argument("--preset", help="Measures this one, in this process.")
    arguments = parser.parse_args()
    if arguments.preset:
        print(json.dumps(measure(Path(arguments.preset))))
        return
    with tempfile.TemporaryDirectory() as folder:
        preset = Path(folder) / "preset"
        make_preset(preset, arguments.tokens)
        lines = [
            measure_in_child(__file__, backend, "--preset", str(preset))
            for backend in arguments.backends
        ]
    text = markdown(lines, arguments.tokens)
    print(text)
    if arguments.tokens == TOKENS:
        RESULTS.write_text(text)


def make_preset(folder: Path, num_tokens: int) -> None:
    """Saves an untrained DeepFM with an encoder of so many tokens."""
    sizes = vocabulary_sizes(num_tokens)
    sizes[int(np.argmax(sizes))] += num_tokens - sum(sizes)
    encoder_folder = folder.with_name("encoder")
    for name, size in zip(CRITEO.categorical, sizes, strict=True):
        path = vocabulary_file.path_of(encoder_folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = [
            pa.array(_tokens(np.arange(size))),
            pa.array(np.arange(size, dtype="int32") + FIRST_ID),
            pa.array(np.full(size, 1, "int64")),
        ]
        table = pa.table(columns, schema=vocabulary_file.SCHEMA)
        pa.parquet.write_table(table, path)
    settings = EncoderSettings(CRITEO, dense_transform="log")
    encoder = zoo.ClickEncoder(
        settings,
        [(0, 1000)] * len(CRITEO.dense),
        sizes,
        Vocabularies.written(encoder_folder, CRITEO.categorical),
        kinds=dict.fromkeys(CRITEO.categorical, "text"),
    )
    keras.utils.set_random_seed(SEED)
    zoo.save_to_preset(zoo.DeepFM(encoder.schema), folder, encoder)


def measure(preset: Path) -> dict[str, Any]:
    """Loads the preset and times requests, in this process alone."""
    before = _resident_bytes()
    start = time.perf_counter()
    predictor = zoo.CTRPredictor.from_preset(preset)
    loaded = time.perf_counter()
    predictor.warm_up(REQUESTS)
    warm = time.perf_counter()
    rows = _rows(list(predictor.encoder.num_tokens))
    single = [_seconds(predictor, [row]) for row in rows]
    whole = [_seconds(predictor, rows) for _ in range(20)]
    vocabulary = preset / "encoder" / "vocabulary"
    return {
        "backend": keras.backend.backend(),
        "p50": 1e3 * median(single),
        "p99": 1e3 * float(np.quantile(single, 0.99)),
        "whole": 1e3 * median(whole),
        "load": loaded - start,
        "warm_up": warm - loaded,
        "memory": (_resident_bytes() - before) / 2**20,
        "tables": 4 * predictor.model.count_params() / 2**20,
        "vocabulary": sum(p.stat().st_size for p in vocabulary.iterdir())
        / 2**20,
        "index": predictor.encoder._memory.load().nbytes / 2**20,
        "environment": describe_environment(),
    }


def markdown(lines: list[dict[str, Any]], num_tokens: int) -> str:
    setting = measured_with(lines[-1]["environment"])
    columns = {
        "backend": lambda x: x["backend"],
        "one row, p50 (ms)": lambda x: f"{x['p50']:.2f}",
        "one row, p99 (ms)": lambda x: f"{x['p99']:.2f}",
        f"{REQUESTS} rows (ms)": lambda x: f"{x['whole']:.1f}",
        "`from_preset` (s)": lambda x: f"{x['load']:.2f}",
        "`warm_up` (s)": lambda x: f"{x['warm_up']:.2f}",
        "memory (MiB)": lambda x: f"{x['memory']:.0f}",
        "weights (MiB)": lambda x: f"{x['tables']:.0f}",
        "vocabulary in memory (MiB)": lambda x: f"{x['index']:.1f}",
        "on disk (MiB)": lambda x: f"{x['vocabulary']:.1f}",
    }
    table = [list(columns), ["---"] * len(columns)]
    table += [[column(x) for column in columns.values()] for x in lines]
    return "\n".join(
        [
            "# Small requests",
            "",
            f"`python benchmarks/small_requests.py`: Criteo's 39 columns, "
            f"{num_tokens:,} tokens, a DeepFM as large as the paper's, "
            f"{REQUESTS} different rows, seed {SEED}.",
            "",
            *(f"| {' | '.join(row)} |" for row in table),
            "",
            f"{setting['date']}, {setting['hardware']}, {setting['versions']}.",
            "",
        ]
    )


def _tokens(numbers: np.ndarray) -> list[str]:
    return [f"{number * _ODD % 2**32:08x}" for number in numbers.tolist()]


def _rows(sizes: list[int]) -> list[dict[str, Any]]:
    random = np.random.default_rng(SEED)
    columns: dict[str, list] = {
        name: random.integers(0, 1000, REQUESTS).tolist()
        for name in CRITEO.dense
    }
    for name, size in zip(CRITEO.categorical, sizes, strict=True):
        # Numbers from `size` on are tokens that no vocabulary has.
        numbers = random.integers(0, int(size * (1 + _GAP_SHARE)) + 1, REQUESTS)
        columns[name] = _tokens(numbers)
    for values in columns.values():
        for i in np.flatnonzero(random.random(REQUESTS) < _GAP_SHARE):
            values[i] = None
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    ]


def _seconds(predictor: zoo.CTRPredictor, rows: list[dict]) -> float:
    start = time.perf_counter()
    predictor.predict(rows)
    return time.perf_counter() - start


def _resident_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    line = next(x for x in status.splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
