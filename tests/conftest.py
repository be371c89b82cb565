import os

import keras
import pytest


def pytest_addoption(parser):
    parser.addoption(
        "--accelerator",
        action="store_true",
        help="run tests/gpu in full size on a GPU, and fail without one",
    )


def pytest_configure(config):
    if not config.getoption("--accelerator"):
        return
    # Child processes of the tests need a part of the GPU's memory.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    from zoo.runtime.accelerator import accelerator_name

    if accelerator_name() is None:
        raise pytest.UsageError(
            "The GPU tests need an accelerator that Keras' backend can use: "
            "install its CUDA build, for example with `pip install -e "
            f'".[{keras.backend.backend()}-cuda]"`, and look at `nvidia-smi`. '
            f"Received: KERAS_BACKEND={keras.backend.backend()} on a CPU"
        )


def pytest_report_header(config):
    if config.getoption("--accelerator"):
        from zoo.runtime.environment import describe_environment

        return f"on: {describe_environment()}"


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(0)
