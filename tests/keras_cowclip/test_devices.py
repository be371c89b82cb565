"""Several devices train what one device trains with the whole batch."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

SCRIPT = Path(__file__).with_name("several_devices.py")
KINDS = {
    "jax": [("data_parallel", 8), ("model_parallel", 8)],
    "tensorflow": [("mirrored", 2), ("mirrored", 4)],
    "torch": [("torch_ddp", 2)],
}[keras.backend.backend()]


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Trains in a process of its own; what one device gives is kept."""
    folder = tmp_path_factory.mktemp("devices")

    def train(kind, devices, *options):
        output = folder / f"{'-'.join([kind, str(devices), *options])}.npz"
        if not output.exists():
            launcher = [sys.executable]
            if kind == "torch_ddp":
                launcher += [
                    "-m", "torch.distributed.run", "--standalone",
                    f"--nproc-per-node={devices}",
                ]  # fmt: skip
            done = subprocess.run(
                [*launcher, SCRIPT, kind, str(devices), output, *options],
                capture_output=True,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            assert done.returncode == 0, done.stderr[-3000:]
        return list(np.load(output).values())

    return train


OPTIONS = [(), ("lazy=true",)]
if keras.backend.backend() == "jax":
    OPTIONS.append(("gradient_accumulation_steps=2",))


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(("kind", "devices"), KINDS)
def test_devices_equal_one(train, kind, devices, options):
    *expected, share = train("one", 1, *options)
    *weights, parallel_share = train(kind, devices, *options)
    # The clip is what goes wrong where the counts do.
    assert share > 0.6
    assert parallel_share == pytest.approx(share)
    for ours, theirs in zip(weights, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("kind", "devices"), KINDS)
def test_counts_are_those_of_the_whole_batch(train, kind, devices):
    *_, table, wide, _ = train(kind, devices)
    assert table.sum() == wide.sum() == 64 * 5


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="TensorFlow's replicas can't meet in a branch; JAX has none",
)
def test_accumulation_over_replicas_is_refused(train):
    with pytest.raises(AssertionError, match="does not work under a"):
        train("mirrored", 2, "gradient_accumulation_steps=2")
