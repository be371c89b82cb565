"""Profiles `python -m zoo train`, from its start to its end.

    KERAS_BACKEND=jax python benchmarks/speed/train_profile.py

Writes a synthetic log in Criteo's layout once, encodes it, and trains on it in
this process as the command does. A part's seconds are those of the main thread
without the parts inside of it. "read batches" is the time that steps waited for
batches. `--output` appends a line to a CSV file.
"""

import argparse
import functools
import pkgutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

from result_lines import append
from result_lines import measured_with

# The functions that are timed, where the training looks them up.
PARTS = {
    "zoo.EncodedLog.load": "open the log",
    "zoo.training.recipe.Recipe.make_network": "build",
    "keras.Model.compile": "build",
    "keras.Model.fit": "steps",
    "zoo.ClickBatches.batch": "read batches",
    "zoo.training.validation_metrics.evaluate_split": "validation",
    "zoo.training.run.evaluate_split": "evaluation",
    "zoo.training.checkpoints.Checkpoints.save": "checkpoints",
    "zoo.training.training.write_preset_files": "write the preset",
    "zoo.training.training.plot_learning_curves": "draw the curves",
}


class Clock:
    """Measures the seconds of named parts; inner parts count once."""

    def __init__(self):
        self.seconds: Counter[str] = Counter()
        self._inside: list[float] = []

    def timed(self, name: str, function: Callable) -> Callable:
        @functools.wraps(function)
        def call(*arguments, **kwargs):
            if threading.current_thread() is not threading.main_thread():
                # Prefetching runs beside a step and delays nothing.
                return function(*arguments, **kwargs)
            self._inside.append(0.0)
            start = time.perf_counter()
            try:
                return function(*arguments, **kwargs)
            finally:
                took = time.perf_counter() - start
                self.seconds[name] += took - self._inside.pop()
                if self._inside:
                    self._inside[-1] += took

        return call


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--max-vocabulary", type=int, default=100_000)
    parser.add_argument("--model", default="deepfm")
    parser.add_argument("--batch-size", type=int, default=8192)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        parts = profile(arguments, Path(folder))
    total = sum(parts.values())
    for name, seconds in parts.items():
        print(f"{name:>18} {seconds:7.1f} s {100 * seconds / total:5.1f} %")
    from zoo.runtime.environment import describe_environment

    here = describe_environment()
    line = {
        "backend": here["backend"],
        **{name: getattr(arguments, name) for name in
           ("model", "rows", "batch_size", "epochs")},
        **{name: round(seconds, 2) for name, seconds in parts.items()},
        "training_share": round(
            (parts["steps"] + parts["read batches"]) / total, 3
        ),
        **measured_with(here),
    }  # fmt: skip
    if arguments.output:
        append(line, arguments.output)


def profile(arguments: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Seconds of each part, in the order of `PARTS`, and of all others."""
    start = time.perf_counter()
    import zoo

    imports = time.perf_counter() - start
    zoo.datasets.synthetic.write_raw_log(
        folder / "raw.txt",
        rows=arguments.rows,
        max_vocabulary=arguments.max_vocabulary,
    )
    zoo.prepare(
        zoo.datasets.SYNTHETIC, folder / "raw.txt", folder / "encoded",
        dense_transform="log",
    )  # fmt: skip
    zoo.keep_freed_memory()
    clock = Clock()
    with ExitStack() as patches:
        for place, name in PARTS.items():
            timed = clock.timed(name, pkgutil.resolve_name(place))
            patches.enter_context(mock.patch(place, timed))
        start = time.perf_counter()
        log = zoo.EncodedLog.load(folder / "encoded")
        zoo.train(
            log,
            folder / "run",
            model=arguments.model,
            batch_size=arguments.batch_size,
            epochs=arguments.epochs,
            verbose=0,
        )
        total = time.perf_counter() - start
    parts = {"import": imports}
    parts |= {name: clock.seconds[name] for name in PARTS.values()}
    return parts | {"all else": imports + total - sum(parts.values())}


if __name__ == "__main__":
    main()
