"""Trains the presets of a real log that are part of the package.

    KERAS_BACKEND=jax python benchmarks/gowalla_presets.py

Of the networks for one label, `NETWORKS` lead `docs/networks/gowalla.md` at a
batch of 64K. Each is trained as there: log, recipe, seed and batch are those of
its line in `networks.csv`, and the preset has the weights of the best epoch.
The script prints both AUCs. It saves the presets to `zoo/presets/built_in`, in
about seven minutes on one core, with encoder, learning curves and model card.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import built_in_presets
import networks

import zoo

sys.path.append(str(Path(__file__).parent / "speed"))

from result_lines import read

LOG = "gowalla"
NETWORKS = ("finalmlp", "finalnet")
BATCH = "64K"
SEED = 0
NOTE = (
    "Does a user check in at a place? 2.2 million check-ins of gowalla "
    "(SNAP's `loc-gowalla`) and random places, two for each check-in. An id "
    "is the number of a user or place in the published file. One seed; the "
    "other networks' results are in `docs/networks/gowalla.md` of the "
    "repository."
)


def recipe(line: dict[str, str]) -> dict[str, Any]:
    """Returns the recipe that a line of `networks.csv` was measured with."""
    settings = networks.settings_of(
        LOG, BATCH, float(line["embedding_l2"]), SEED
    )
    # All epochs, and the weights of the best one.
    return {**settings, "patience": settings["epochs"]}


def line_of(network: str) -> dict[str, str]:
    """Returns the line of `networks.csv` that a preset repeats."""
    [line] = [
        line
        for line in read(networks.RESULTS / "networks.csv")
        if (line["log"], line["network"]) == (LOG, network)
        and (line["batch"], int(line["seed"])) == (BATCH, SEED)
    ]
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=built_in_presets.FOLDER)
    arguments = parser.parse_args()
    zoo.keep_freed_memory()
    make_log, _, group_by = networks.LOGS[LOG]
    with tempfile.TemporaryDirectory() as folder:
        log = make_log(Path(folder))
        for network in NETWORKS:
            line = line_of(network)
            output = arguments.output / f"{network}_{LOG}"
            shutil.rmtree(output, ignore_errors=True)
            report = built_in_presets.make_preset(
                log, network, output, recipe(line), NOTE, group_by=group_by
            )
            print(
                f"{output.name}: AUC {report['auc']:.5f}, "
                f"in networks.csv {float(line['auc']):.5f}"
            )


if __name__ == "__main__":
    main()
