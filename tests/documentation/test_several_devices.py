"""The guide's scripts run on two devices of its backend."""

import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from tests.documentation.examples import NAMES
from tests.documentation.examples import fenced_blocks

BACKEND = keras.backend.backend()
GUIDE = (Path(__file__).parents[2] / "docs" / "several_devices.md").read_text()
_OWN_LOOP = re.compile(r"<!-- own loop: (\w+) -->\n```python\n(.*?)```", re.S)
TWO_DEVICES = {
    "jax": "import jax; jax.config.update('jax_num_cpu_devices', 2)\n",
    "tensorflow": "import tensorflow as tf; tf.config"
    ".set_logical_device_configuration(tf.config.list_physical_devices('CPU')"
    "[0], [tf.config.LogicalDeviceConfiguration()] * 2)\n",
    "torch": "",
}


def test_the_loop_of_the_backend_runs(tmp_path):
    loops = dict(_OWN_LOOP.findall(GUIDE))
    assert loops.keys() == TWO_DEVICES.keys()
    script = tmp_path / "own_loop.py"
    script.write_text(
        TWO_DEVICES[BACKEND]
        + loops[BACKEND]
        + "clipped = getattr(model, 'optimizer', None) or optimizer\n"
        + "assert clipped.clipped_share >= 0\n"
    )
    command = [sys.executable]
    if BACKEND == "torch":
        command += ["-m", "torch.distributed.run", "--standalone"]
        command += ["--nproc-per-node=2"]
    done = subprocess.run(
        [*command, script],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.trained_often
def test_training_in_python_runs(workplace):
    workplace(GUIDE)
    (code,) = fenced_blocks(_OWN_LOOP.sub("", GUIDE))
    exec(compile(code, "<guide>", "exec"), {**NAMES})
