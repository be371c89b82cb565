"""Draws test AUC against the seconds of a training.

    python benchmarks/auc_against_time.py --backends jax torch

AUC is that of the study `gowalla_two_batches`, the mean over its seeds. Seconds
are those of its 8 epochs on gowalla, from windows of a few batches, on each
backend, with the tables as they are and padded to more ids. Each setting has a
process of its own, because a model of 10 million ids takes gigabytes. Writes
`auc_against_time.csv` and `auc_against_time.png` to
`benchmarks/results/scaling`, and replaces lines that are measured again.
"""

import argparse
import itertools
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean
from statistics import median
from typing import Any

sys.path.append(str(Path(__file__).parent / "speed"))

from child import measure_in_child
from figure_look import project_look
from result_lines import measured_with
from result_lines import merge
from result_lines import read

RESULTS = Path(__file__).parent / "results" / "scaling"
STUDY = RESULTS / "gowalla_two_batches" / "results.csv"
BACKENDS = ("tensorflow", "jax", "torch")
IDS = (70_000, 1_000_000, 10_000_000)
DECAY = "cosine of the same mean"
# Rule, rows per step of the tables, and the study's name of the variant.
SETTINGS = {
    "1K": ("cowclip", 1024, ""),
    "1K, averaged": ("cowclip", 1024, "average"),
    "1K, lazy": ("cowclip", 1024, "lazy"),
    "8K": ("frequency", 8192, ""),
    "8K, lazy": ("sqrt", 8192, "lazy"),
    "64K": ("frequency", 65_536, ""),
    "64K, dense weights 8K": ("frequency", 65_536, "dense 8K"),
    "64K, dense weights 8K, averaged": (
        "frequency",
        65_536,
        "dense 8K, average",
    ),
}
# Drawn, with their colours: the others are in the table of the results.
SHOWN = {
    "1K": "C0",
    "1K, averaged": "C5",
    "64K": "C6",
    "8K, lazy": "C2",
    "64K, dense weights 8K, averaged": "C1",
}
# Of a window, by the rows per step of the tables; fewer for large tables, whose
# steps are longer.
WINDOW_ROWS = {1024: 32_768, 8192: 65_536, 65_536: 131_072}
IDS_OF_A_WHOLE_WINDOW = 2_000_000
ROUNDS = 3

Line = dict[str, Any]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backends", nargs="+", default=BACKENDS)
    parser.add_argument("--ids", nargs="+", type=int, default=IDS)
    parser.add_argument("--gowalla", type=Path, help="see scaling.py")
    parser.add_argument("--settings", nargs="+", default=SETTINGS)
    # Of the process that measures one setting.
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        (name,) = arguments.settings
        line = measure(name, arguments.measure, arguments.gowalla)
        print(json.dumps(line))
        return
    path = RESULTS / "auc_against_time.csv"
    for backend, ids, name in itertools.product(
        arguments.backends, arguments.ids, arguments.settings
    ):
        options = ["--measure", str(ids), "--settings", name]
        if arguments.gowalla:
            options += ["--gowalla", str(arguments.gowalla)]
        new = measure_in_child(__file__, backend, *options)
        merge([new], path, ("backend", "ids", "setting"))
        print(f"{backend}, {ids:,} ids, {name}: {new['seconds']} s", flush=True)
    draw(read(path), RESULTS / "auc_against_time.png")


def measure(name: str, ids: int, folder: Path | None) -> Line:
    """Seconds of a training by one setting, in this process."""
    import zoo  # Before Keras, see `zoo.keep_freed_memory`.

    # isort: split
    import keras
    import scaling

    from keras_cowclip.averaging import steps_between
    from zoo.runtime.environment import describe_environment

    zoo.keep_freed_memory()
    with tempfile.TemporaryDirectory() as encoded:
        log = scaling.gowalla(
            folder or scaling.SAMPLES / "gowalla", Path(encoded)
        )
        rows = len(log.split("train"))
        inputs, labels = log.split("train").read(0, 2**18)
    sizes = log.schema.categorical
    padded = {n: s * ids // sum(sizes.values()) for n, s in sizes.items()}
    schema = zoo.FeatureSchema(
        dense=[], categorical=padded if ids > log.schema.num_ids else sizes
    )
    rule, batch_size, variant = SETTINGS[name]
    recipe = _recipe(scaling, rule, batch_size, variant)
    model = recipe.make_network(schema)
    optimizer = recipe.make_optimizer(rows // recipe.batch_size, schema)
    model.compile(optimizer, loss="binary_crossentropy")
    share = min(1.0, IDS_OF_A_WHOLE_WINDOW / ids)
    steps = max(1, round(share * WINDOW_ROWS[batch_size] / batch_size))
    window = steps * batch_size
    if optimizer.use_ema:
        # The averages of tables move once in a window.
        window = max(window, steps_between(optimizer) * recipe.batch_size)
    seconds = _seconds_of_a_row(model, inputs, labels, recipe, window)
    return {
        "backend": keras.backend.backend(),
        "ids": ids,
        "setting": name,
        "rule": rule,
        "batch_size": recipe.batch_size,
        "embedding_batch_size": batch_size,
        "seconds": round(seconds * rows * recipe.epochs, 2),
        **measured_with(describe_environment()),
    }


def _recipe(scaling: Any, rule: str, batch_size: int, variant: str) -> Any:
    """The recipe of a run in the study."""
    from zoo.training.recipe import make_recipe

    kinds = {**scaling.LARGE_BATCH, "lazy": scaling.LAZY}
    settings = {
        **scaling.GOWALLA,
        **scaling.DECAYS[DECAY],
        "batch_size": batch_size,
        **kinds[variant],
    }
    if settings["batch_size"] != batch_size:
        settings["embedding_batch_size"] = batch_size
    return make_recipe(rule=rule, **settings)


def _seconds_of_a_row(
    model: Any, inputs: Any, labels: Any, recipe: Any, window: int
) -> float:
    """Returns the median over windows of so many rows."""
    import keras

    class Seconds(keras.callbacks.Callback):
        """Of each epoch: at the end of `fit` averages replace the weights."""

        def __init__(self):
            super().__init__()
            self.found = []

        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            self.found.append(time.perf_counter() - self.start)

    seconds = Seconds()
    model.fit(
        {name: array[:window] for name, array in inputs.items()},
        labels[:window],
        batch_size=recipe.batch_size,
        epochs=ROUNDS + 1,
        callbacks=[seconds],
        verbose=0,
    )
    return median(seconds.found[1:]) / window


def aucs() -> dict[str, float]:
    """The mean test AUC of each setting over the seeds of the study."""
    found: dict[str, list[float]] = {}
    names = {setting: name for name, setting in SETTINGS.items()}
    for row in read(STUDY):
        decay, _, variant = row["variant"].partition(", ")
        setting = row["rule"], int(row["embedding_batch_size"]), variant
        if decay == DECAY and row["model"] == "deepfm" and setting in names:
            found.setdefault(names[setting], []).append(
                float(row["best_epoch_auc"])
            )
    return {name: mean(values) for name, values in found.items()}


@project_look()
def draw(lines: list[Line], path: Path) -> None:
    """A panel for each size, a colour for each setting, a mark per backend."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.ticker import LogLocator

    reached = aucs()
    figure = Figure(figsize=(13, 5.4), layout="constrained")
    panels = figure.subplots(1, len(IDS), sharey=True)
    marks = dict(zip(BACKENDS, "os^", strict=True))
    for axes, ids in zip(panels, IDS, strict=True):
        for line in lines:
            if int(line["ids"]) == ids and line["setting"] in SHOWN:
                axes.plot(
                    float(line["seconds"]),
                    reached[line["setting"]],
                    marks[line["backend"]],
                    color=SHOWN[line["setting"]],
                )
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axes.xaxis.set_major_formatter("{x:,g}")
        axes.xaxis.set_minor_formatter("")
        axes.set_xlabel("seconds to train")
        axes.set_title(f"tables of {ids:,} ids")
        low, high = axes.get_xlim()
        axes.set_xlim(low / 1.3, high * 1.3)
    panels[0].set_ylabel("test AUC")
    handles = [
        *(
            Line2D([], [], color=color, marker="o", ls="", label=name)
            for name, color in SHOWN.items()
        ),
        *(
            Line2D([], [], color="black", marker=mark, ls="", label=backend)
            for backend, mark in marks.items()
        ),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    figure.suptitle(
        "DeepFM on gowalla, 8 epochs, by the rows of a step; one core of "
        f"{lines[0]['hardware'].split(',')[0]}"
    )
    figure.savefig(path)


if __name__ == "__main__":
    main()
