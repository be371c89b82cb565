"""Several devices train what one device trains with the whole batch."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

BACKEND = keras.backend.backend()
SCRIPT = Path(__file__).with_name("several_devices.py")
KINDS = {
    "jax": [("data_parallel", 8), ("model_parallel", 8)],
    "tensorflow": [
        ("mirrored", 2),
        pytest.param("mirrored", 4, marks=pytest.mark.large),
    ],
    "torch": [("torch_ddp", 2)],
}[BACKEND]
PLAIN, LAZY = "", "lazy=true"
FLOAT16 = 'policy="mixed_float16"'
MORE = [
    "frequency_scale=8.0",
    "use_ema=true,ema_momentum=0.8",
    "padded=true",
    "padded=true,lazy=true",
]
if BACKEND != "tensorflow":  # There it is refused.
    MORE += [
        "gradient_accumulation_steps=2",
        "embedding_accumulation_steps=2",
        "embedding_accumulation_steps=2,lazy=true",
    ]
REFUSED = [
    "gradient_accumulation_steps=2", "embedding_accumulation_steps=2",
    "clipnorm=1.0", "global_clipnorm=1.0", "clipvalue=1.0",
    "use_ema=true,ema_overwrite_frequency=3",
]  # fmt: skip
# One process makes all trainings of a list: the first guards a merge, the
# second a release.
TRAININGS = [PLAIN, LAZY], [*MORE, FLOAT16]


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Trains in one process for each kind of devices; what it gives is kept."""
    folders = {}

    def train(kind, devices, options):
        trainings = next((t for t in TRAININGS if options in t), REFUSED)
        key = kind, devices, *trainings
        if key not in folders:
            folder = tmp_path_factory.mktemp(f"{kind}_{devices}")
            launcher = [sys.executable]
            if kind == "torch_ddp":
                launcher += [
                    "-m", "torch.distributed.run", "--standalone",
                    f"--nproc-per-node={devices}",
                ]  # fmt: skip
            done = subprocess.run(
                [*launcher, SCRIPT, kind, str(devices), folder, *trainings],
                capture_output=True,
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
            assert done.returncode == 0, done.stderr[-3000:]
            folders[key] = folder
        return f"{folders[key]}/{options}"

    return train


def arrays(path):
    return list(np.load(f"{path}.npz").values())


@pytest.mark.parametrize(
    "options",
    [PLAIN, LAZY, *(pytest.param(o, marks=pytest.mark.large) for o in MORE)],
)
@pytest.mark.parametrize(("kind", "devices"), KINDS)
def test_devices_equal_one(train, kind, devices, options):
    *expected, share = arrays(train("one", 1, options))
    *weights, parallel_share = arrays(train(kind, devices, options))
    # The clip is what goes wrong where the counts do.
    assert share > 0.5
    assert parallel_share == pytest.approx(share)
    for ours, theirs in zip(weights, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("kind", "devices"), KINDS)
def test_counts_are_those_of_the_whole_batch(train, kind, devices):
    *_, table, wide, _ = arrays(train(kind, devices, PLAIN))
    assert table.sum() == wide.sum() == 64 * 5


# Each device rounds its part of a gradient to 16 bits by itself: after 20 steps
# weights end up to 4e-3 apart, by their norms.
FLOAT16_TOLERANCE = 0.01


@pytest.mark.large
@pytest.mark.parametrize(("kind", "devices"), KINDS[:1])
def test_devices_follow_one_in_mixed_float16(train, kind, devices):
    *expected, share = arrays(train("one", 1, FLOAT16))
    *weights, parallel_share = arrays(train(kind, devices, FLOAT16))
    assert share > 0.5
    assert parallel_share == pytest.approx(share, abs=0.05)
    for ours, theirs in zip(weights[:-2], expected[:-2], strict=True):
        distance = np.linalg.norm(ours - theirs)
        assert distance < FLOAT16_TOLERANCE * np.linalg.norm(theirs)
    for ours, theirs in zip(weights[-2:], expected[-2:], strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.large
@pytest.mark.skipif(
    BACKEND != "tensorflow",
    reason="TensorFlow's replicas can't meet in a branch, and Keras clips "
    "their gradients apart; JAX has no replicas, and PyTorch's ranks have "
    "the same gradients",
)
@pytest.mark.parametrize("options", REFUSED)
def test_what_differs_over_replicas_is_refused(options, train):
    name = options.split(",")[-1].partition("=")[0]
    error = Path(f"{train('mirrored', 2, options)}.txt").read_text()
    assert f"NotImplementedError: `{name}` does not work under a" in error
