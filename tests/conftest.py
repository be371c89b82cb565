import gc
import os
from pathlib import Path

import pytest

from tests import numpy_draws

TESTS = Path(__file__).parent
# What trains or saves networks many times, or calls many small operations one
# by one, by code that is the same for all backends. At a merge PyTorch alone
# runs them, for it need not compile; `nox -s large` runs them with the others.
# Single tests have the mark.
TRAINED_OFTEN = [
    TESTS / name
    for name in (
        "keras_cowclip/test_frequency.py",
        "keras_cowclip/test_lazy_adam.py",
        "zoo/cli/test_interruption.py",
        "zoo/cli/test_json.py",
        "zoo/evaluation",
        "zoo/models/test_attention_by_hand.py",
        "zoo/models/test_domains.py",
        "zoo/models/test_dsin.py",
        "zoo/models/test_growth.py",
        "zoo/models/test_histories.py",
        "zoo/models/test_long_histories.py",
        "zoo/presets/test_save_and_load.py",
        "zoo/test_full_logs.py",
        "zoo/training/test_checkpoints.py",
        "zoo/training/test_clip_variant.py",
        "zoo/training/test_daily_growth.py",
        "zoo/training/test_plateau.py",
        "zoo/training/test_run.py",
    )
]
# What no backend changes. `nox` runs these with PyTorch alone, which starts and
# trains the quickest.
ONE_BACKEND = [
    TESTS / name
    for name in (
        "benchmarks",
        "keras_cowclip/test_arguments.py",
        "keras_cowclip/test_scaling.py",
        "tutorials",
        "zoo/data/test_arguments.py",
        "zoo/datasets",
        "zoo/encoding",
        "zoo/evaluation/test_arguments.py",
        "zoo/models/test_arguments.py",
        "zoo/serving/test_arguments.py",
        "zoo/training/test_arguments.py",
        "zoo/cli/test_tables.py",
        "zoo/scaling/test_figures.py",
        "zoo/scaling/test_verdict.py",
        "zoo/tuning/test_candidates.py",
        "zoo/tuning/test_figure.py",
        "zoo/tuning/test_recipe_check.py",
        "zoo/tuning/test_search_space.py",
        "zoo/data/test_description.py",
        "zoo/data/test_encoded_log.py",
        "test_floors.py",
        "test_install.py",
        "test_requirements.py",
        "zoo/runtime/test_elision.py",
        "zoo/runtime/test_environment.py",
        "zoo/runtime/test_figure_text.py",
        "zoo/runtime/test_memory.py",
        "zoo/files",
        "zoo/test_feature_schema.py",
        "zoo/test_registry.py",
        "zoo/metrics",
        "zoo/server/test_json_rows.py",
        "zoo/server/test_limits.py",
        "zoo/server/test_micro_batches.py",
    )
]


def pytest_addoption(parser):
    parser.addoption(
        "--accelerator",
        action="store_true",
        help="run tests/gpu in full size on a GPU, and fail without one",
    )
    parser.addoption(
        "--golden",
        type=Path,
        default=TESTS.parents[1] / "shared" / "golden",
        help="folder of golden numbers that tests/zoo/models/test_golden.py "
        "runs beside its own",
    )


# Keras takes 10 seconds to import, and the process that hands tests to others
# has no need of it: functions import it here.
def pytest_configure(config):
    if not config.getoption("--accelerator"):
        return
    # Child processes of the tests need a part of the GPU's memory.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    import keras

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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    import keras

    for path in (*ONE_BACKEND, *TRAINED_OFTEN):
        # Or its tests would run with every backend, and nobody would know.
        assert path.exists(), f"lists must name tests. Received: {path}"
    marks = {path: list(_marks(path)) for path in {item.path for item in items}}
    for item in items:
        for mark in marks[item.path]:
            item.add_marker(mark)
    if keras.backend.backend() != "torch":
        for item in items:
            if item.get_closest_marker("trained_often"):
                item.add_marker(pytest.mark.large)


def pytest_collection_finish():
    # A sixth of the time of tests on JAX went to looking for garbage among the
    # objects of modules, which stay.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _marks(path):
    places = {path, *path.parents}
    if not places.isdisjoint(ONE_BACKEND):
        yield pytest.mark.one_backend
    if not places.isdisjoint(TRAINED_OFTEN):
        yield pytest.mark.trained_often


@pytest.fixture(scope="session", autouse=True)
def drawn_by_numpy():
    import keras

    with pytest.MonkeyPatch.context() as monkeypatch:
        if keras.backend.backend() == "jax":
            numpy_draws.patch(monkeypatch)
        yield


@pytest.fixture(autouse=True)
def seeded():
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True)
def trained_on_every_backend(request, monkeypatch):
    """A model is trained and asked in tests that run with every backend."""
    marker = request.node.get_closest_marker("one_backend")
    if marker is None or "reason" in marker.kwargs:
        return

    import keras

    def refuse(*args, **kwargs):
        pytest.fail("a test that uses a model must run with every backend")

    for name in ("fit", "train_on_batch", "evaluate", "predict"):
        monkeypatch.setattr(keras.Model, name, refuse)
