"""Measures models that take raw rows: to export, to open and to call.

    python benchmarks/raw_export.py

Makes DeepFM with one field of 3 million tokens, like those of Criteo, and
exports it with its vocabulary in each format that the backend can write. A
separate process opens the file, with the format's runtime alone. Each run adds
its lines to `benchmarks/results/raw_export.csv`.
"""

import argparse
import csv
import datetime
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet

import zoo
from zoo.encoding import vocabulary_file
from zoo.encoding.encoder_settings import EncoderSettings
from zoo.encoding.vocabularies import Vocabularies
from zoo.encoding.vocabulary_sql import FIRST_ID
from zoo.runtime.environment import describe_environment
from zoo.serving.export_formats import FORMATS
from zoo.serving.export_formats import raw_formats

RESULTS = Path(__file__).parent / "results" / "raw_export.csv"
LOG = zoo.LogFormat("one field", dense=("price",), categorical=("item",))
# Both print the seconds to open, and the median milliseconds of one row.
OPEN = """
import json, statistics, sys, time
import numpy as np
{imports}
path, token = sys.argv[1:]
start = time.perf_counter()
{open}
opened = time.perf_counter() - start
seconds = []
for _ in range(200):
    start = time.perf_counter()
    answer = {call}
    seconds.append(time.perf_counter() - start)
assert 0 < float(np.ravel(answer)[0]) < 1
print(json.dumps([opened, 1e3 * statistics.median(seconds)]))
"""
RUNTIMES = {
    "onnx": {
        "imports": "import onnxruntime",
        "open": "session = onnxruntime.InferenceSession(path)\n"
        "row = {'price': np.array([3.0]), 'item': np.array([token], object)}",
        "call": "session.run(None, row)[0]",
    },
    "tf_saved_model": {
        "imports": "import tensorflow as tf",
        "open": "serve = tf.saved_model.load(path).signatures['serve']\n"
        "row = {'price': tf.constant([3.0], tf.float64),"
        " 'item': tf.constant([token])}",
        "call": "serve(**row)['output_0']",
    },
}


def main() -> None:
    arguments = parse_arguments()
    lines = []
    with tempfile.TemporaryDirectory(prefix="raw_export-") as folder:
        encoder, token = make_encoder(Path(folder), arguments.tokens)
        model = zoo.DeepFM(encoder.schema, embedding_dim=10)
        zoo.save_to_preset(model, Path(folder) / "preset", encoder)
        for format in raw_formats():
            if keras.backend.backend() in FORMATS[format].writers:
                line = measure(Path(folder), format, token)
                lines.append({"tokens": arguments.tokens, **line})
                print(lines[-1])
    write(lines, arguments.output)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--tokens", type=int, default=3_000_000)
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser.parse_args()


def make_encoder(folder: Path, tokens: int) -> tuple[zoo.ClickEncoder, str]:
    """Returns an encoder, and its most frequent token."""
    random = np.random.default_rng(0)
    numbers = random.choice(2**32, tokens, replace=False, shuffle=False)
    texts = [f"{number:08x}" for number in numbers]
    path = vocabulary_file.path_of(folder, "item")
    path.parent.mkdir(parents=True)
    table = pa.table(
        [
            texts,
            np.arange(FIRST_ID, tokens + FIRST_ID, dtype="int32"),
            np.ones(tokens, "int64"),
        ],
        schema=vocabulary_file.SCHEMA,
    )
    pa.parquet.write_table(table, path)
    encoder = zoo.ClickEncoder(
        EncoderSettings(LOG),
        [(0, 100)],
        [tokens],
        Vocabularies.written(folder, ("item",)),
    )
    return encoder, texts[0]


def measure(folder: Path, format: str, token: str) -> dict[str, object]:
    output = folder / f"{format}{FORMATS[format].suffix}"
    start = time.perf_counter()
    zoo.export(folder / "preset", output, format, raw=True)
    seconds = time.perf_counter() - start
    done = subprocess.run(
        [sys.executable, "-c", OPEN.format(**RUNTIMES[format]), output, token],
        capture_output=True,
        text=True,
        check=True,
    )
    opened, call = json.loads(done.stdout)
    files = [output] if output.is_file() else output.rglob("*")
    return {
        "format": format,
        "export_seconds": round(seconds, 1),
        "megabytes": round(sum(f.stat().st_size for f in files) / 1e6),
        "open_seconds": round(opened, 2),
        "one_row_milliseconds": round(call, 3),
    }


def write(lines: list[dict[str, object]], output: Path) -> None:
    environment = describe_environment()
    about = {
        "date": datetime.date.today().isoformat(),
        "hardware": environment["hardware"],
        "versions": " ".join(
            f"{name} {version}"
            for name, version in environment["versions"].items()
        ),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    is_new = not output.exists()
    with output.open("a", newline="") as file:
        columns = [*lines[0], *about]
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerows({**line, **about} for line in lines)


if __name__ == "__main__":
    main()
