"""Checks: `nox` runs those that guard a merge.

`nox -l` lists the others as well, which take long or need more than a CPU.
"""

import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.4"
# pip, not uv: uv does not see wheels that a machine offers by `find-links`.
nox.options.default_venv_backend = "venv"
# The wheel is tried with JAX alone, which installs the quickest. A package that
# `pyproject.toml` lacks is found by `tests/test_requirements.py`.
nox.options.sessions = ("lint", "tests", "docs", "build(jax)")

ROOT = Path(__file__).parent
# Python compiles only what it imports; pip would compile every file.
INSTALL = ("--no-compile", "-c", str(ROOT / "constraints.txt"))
# Container images often set this. Each process would then compile Keras and its
# backend again, which takes longer than to import them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# The tests of a file share fixtures that take long to make, so that they should
# stay in one process: only a process that has no more work takes over tests.
PARALLEL = ("-n", "auto", "--maxprocesses", "4", "--dist", "worksteal")
# The packages of the backends on a machine without an accelerator.
BACKENDS = {
    "tensorflow": (
        "tensorflow" if sys.platform == "darwin" else "tensorflow-cpu"
    ),
    "jax": "jax",
    "torch": "torch",
}
# Most sessions share one environment, which has all backends.
SHARED = ROOT / ".nox" / "shared"
# The networks of the tests are so small that more threads slow them down, those
# that compile included.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false "
    "--xla_cpu_parallel_codegen_split_count=1",
}
# A test runs a compiled program once or twice: it is not worth optimizing.
UNOPTIMIZED = {
    "XLA_FLAGS": ONE_THREAD["XLA_FLAGS"]
    + " --xla_backend_optimization_level=0"
    + " --xla_llvm_disable_expensive_passes=true"
    # Fewer passes, and twice as fast.
    + " --xla_cpu_use_fusion_emitters=false",
}
# Tests and their processes compile the same small programs again and again.
JAX_CACHE = {
    "JAX_COMPILATION_CACHE_DIR": str(ROOT / ".nox" / "jax_cache"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
# The shared environment and the wheel, once this run of nox has made them.
done = set()


def run_shared(session, *command, backend=None, **env):
    """Runs Python in the shared environment, and makes that if it is missing.

    With a `backend` the others are hidden, as if they were not installed. `env`
    are more environment variables.
    """
    python = SHARED / ("Scripts" if os.name == "nt" else "bin") / "python"
    if SHARED not in done:
        if not python.exists():
            session.run(sys.executable, "-m", "venv", SHARED, external=True)
        session.run(
            *(python, "-m", "pip", "install", *INSTALL),
            *("-e", ".[zoo,serve,spark,test,docs]", *BACKENDS.values()),
            external=True,
        )
        done.add(SHARED)
    env = {**ONE_THREAD, **JAX_CACHE, **env}
    if backend:
        env["KERAS_BACKEND"] = backend
        env["PYTHONPATH"] = str(ROOT / ".ci" / "one_backend")
    session.run(python, *command, env=env, external=True)


def run_tests(session, backend, *arguments):
    run_shared(
        session,
        *("-m", "pytest", "--durations=40", *arguments, *session.posargs),
        backend=backend,
        **UNOPTIMIZED,
    )


@nox.session
def lint(session):
    """Check format, style and types."""
    session.install(*INSTALL, "ruff", "mypy")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")


@nox.session(venv_backend="none")
@nox.parametrize("backend", [nox.param(b, id=b, tags=[b]) for b in BACKENDS])
def tests(session, backend):
    """Run the tests with one backend; with PyTorch also those of no backend.

    Those are also the examples of all documents, and Spark's.
    """
    marks = "not export and not large"
    # Its own session runs those.
    ignored = ["--ignore=tests/zoo/interop"]
    if backend != "torch":
        marks += " and not one_backend"
        ignored.append("--ignore=tests/documentation")
    run_tests(
        session,
        backend,
        *ignored,
        # A variant of each network; `large` runs a whole pack's.
        "--golden=tests/zoo/models/golden",
        *("-m", marks, *PARALLEL),
    )


@nox.session(venv_backend="none")
@nox.parametrize("backend", [nox.param(b, id=b, tags=[b]) for b in BACKENDS])
def large(session, backend):
    """Run the tests that guard a release, not a merge."""
    marks = "large and not export"
    if backend != "torch":
        marks += " and not one_backend"
    # No other session needs them, and they take long to install.
    trackers = ("-m", "pip", "install", *INSTALL, "-e", ".[trackers]")
    run_shared(session, *trackers)
    run_tests(session, backend, "-m", marks, *PARALLEL)
    run_tests(session, backend, "tests/zoo/models/test_golden.py", *PARALLEL)


@nox.session(venv_backend="none")
def docs(session):
    """Build guides and reference into `site/`; `tests(torch)` runs them."""
    run_shared(
        session,
        *("-m", "mkdocs", "build", "--strict"),
        backend="torch",
        # Material announces its successor at each build.
        NO_MKDOCS_2_WARNING="1",
    )


@nox.session
@nox.parametrize(
    "backend", [nox.param(b, id=b, tags=["gpu"]) for b in BACKENDS]
)
def gpu(session, backend):
    """Run the GPU tests on this machine's GPU; fail without one.

    `nox --no-venv -s "gpu(jax)"` takes the environment as it is.
    """
    if session.virtualenv.venv_backend != "none":
        session.install(*INSTALL, "-e", f".[zoo,test,{backend}-cuda]")
    session.run(
        "python",
        "-m",
        "pytest",
        "tests/gpu",
        "--accelerator",
        *("-m", "not export"),
        *session.posargs,
        env={"KERAS_BACKEND": backend},
    )


@nox.session(venv_backend="none")
def parity(session):
    """Compare what the three backends make of the same weights and batches.

    At a merge `tests` compares each of them with the same reference.
    """
    run_shared(session, "benchmarks/parity.py", *session.posargs)


@nox.session
def bench(session):
    """Measure training steps, with `--peers` those of other libraries too.

    `nox -s bench -- --help` and `nox -s bench -- --peers --help` list options.
    """
    session.install(*INSTALL, "-e", ".[zoo]", *BACKENDS.values())
    options = list(session.posargs)
    script = "run.py"
    if "--peers" in options:
        options.remove("--peers")
        script = "peers.py"
    session.run("python", f"benchmarks/speed/{script}", *options)


@nox.session
def matrix(session):
    """Compare exactness, speed and memory of the backends, with any GPU."""
    session.install(*INSTALL, "-e", ".[zoo]", *BACKENDS.values())
    session.run("python", "benchmarks/matrix.py", *session.posargs)


@nox.session
@nox.parametrize("backend", [nox.param(b, id=b, tags=[b]) for b in BACKENDS])
def tutorials(session, backend):
    """Run the tutorials; one of them needs all three backends."""
    session.install(
        *INSTALL, "-e", ".[zoo,export,tutorials]", *BACKENDS.values()
    )
    session.run(
        "python",
        "tutorials/notebooks.py",
        *(session.posargs or ["run"]),
        env={"KERAS_BACKEND": backend},
    )


@nox.session
def interop(session):
    """Compare imported models with the originals, on each backend."""
    session.install(
        *INSTALL,
        "-e",
        ".[zoo,test]",
        *BACKENDS.values(),
        *("fuxictr", "deepctr-torch"),
        # DeepCTR-Torch imports it, but does not require it.
        "requests",
    )
    for backend in BACKENDS:
        session.run(
            "pytest",
            *PARALLEL,
            "tests/zoo/interop",
            *session.posargs,
            env={"KERAS_BACKEND": backend},
        )


@nox.session
def export(session):
    """Open exported models in their own runtimes, from each backend.

    `nox -s export -- -m export` does so for all networks.
    """
    session.install(*INSTALL, "-e", ".[zoo,export,test]", *BACKENDS.values())
    for backend in BACKENDS:
        session.run(
            "pytest",
            "tests/zoo/serving/test_export.py",
            "tests/zoo/serving/test_raw_export.py",
            "-m",
            "export and not large",
            *PARALLEL,
            *session.posargs,
            env={"KERAS_BACKEND": backend},
        )


def make_wheel(session):
    """Returns the wheel, which the first call of this run of nox makes."""
    folder = ROOT / ".nox" / "wheel"
    if folder not in done:
        shutil.rmtree(folder, ignore_errors=True)
        session.install(*INSTALL, "build")
        session.run("python", "-m", "build", "--outdir", str(folder))
        done.add(folder)
    [wheel] = folder.glob("*.whl")
    return wheel


# A wheel must load the presets and recipes in it, train and predict.
TRY = """
import importlib.util, keras, keras_cowclip, zoo
backend, *others = {backends}
assert keras.backend.backend() == backend
assert not any(importlib.util.find_spec(other) for other in others), others
print(keras_cowclip.__file__)
assert "site-packages" in keras_cowclip.__file__
assert "site-packages" in zoo.__file__
[zoo.CTRPredictor.from_preset(p) for p in zoo.built_in_presets()]
[zoo.RecipeFile.load(r) for r in zoo.built_in_recipes()]
assert len(zoo.built_in_presets()) == 6
assert zoo.built_in_recipes()
"""
TRIED = [
    f"tests/{test}"
    for test in (
        "keras_cowclip/test_exactness.py::"
        "test_30_steps_of_fit_agree_with_float64_reference[lazy]",
        "keras_cowclip/test_exactness.py::"
        "test_30_steps_of_fit_agree_with_float64_reference[small ratio]",
        "zoo/models/test_models.py::test_golden_numbers_hold_on_every_backend",
        "zoo/serving/test_predictor.py::test_the_command_scores_a_file",
        "zoo/training/test_training.py::test_report_holds_what_was_measured",
        "zoo/training/test_training.py::test_saved_model_evaluates_to_the_report",
    )
]


@nox.session
@nox.parametrize("backend", [nox.param(b, id=b, tags=[b]) for b in BACKENDS])
def build(session, backend):
    """Build the wheel, install it with one backend alone and try it there."""
    wheel = make_wheel(session)
    session.install(*INSTALL, f"{wheel}[zoo,test]", BACKENDS[backend])
    folder = Path(session.create_tmp()).resolve()
    # Not in the root, where the sources would be imported instead of the wheel.
    shutil.rmtree(folder / "tests", ignore_errors=True)
    shutil.copytree(ROOT / "tests", folder / "tests")
    shutil.copy(ROOT / "pyproject.toml", folder)
    env = {**ONE_THREAD, **JAX_CACHE, "KERAS_BACKEND": backend}
    names = [backend, *(b for b in BACKENDS if b != backend)]
    with session.chdir(folder):
        session.run("python", "-c", TRY.format(backends=names), env=env)
        # Unset, the backend is the one that is installed.
        unset = {**env, "KERAS_BACKEND": ""}
        session.run("python", "-c", "import zoo", env=unset)
        session.run("cowclip", "--help", env=unset)
        session.run("python", "-m", "pytest", *TRIED, env=env)
