"""Checks, each in an environment of its own: `nox` runs the usual ones.

`nox -l` lists the others as well, which take long or need more than a CPU.
"""

import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.4"
# pip, not uv: uv does not see wheels that a machine offers by `find-links`.
nox.options.default_venv_backend = "venv"

CONSTRAINTS = ("-c", "constraints.txt")
# A file at a time, for the tests of one share what takes long to make.
PARALLEL = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")
# What to install for a backend on a machine without an accelerator.
BACKENDS = {
    "tensorflow": (
        "tensorflow" if sys.platform == "darwin" else "tensorflow-cpu"
    ),
    "jax": "jax",
    "torch": "torch",
}


@nox.session
def lint(session):
    """Check format, style and types."""
    session.install(*CONSTRAINTS, "ruff", "mypy")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")


@nox.session
@nox.parametrize("backend", [nox.param(b, id=b, tags=[b]) for b in BACKENDS])
def tests(session, backend):
    """Run the tests with one backend, and no other one installed."""
    session.install(*CONSTRAINTS, "-e", ".[zoo,test]", BACKENDS[backend])
    for other in set(BACKENDS) - {backend}:
        session.run(
            "python",
            "-c",
            "import importlib.util, sys; "
            f"sys.exit(importlib.util.find_spec('{other}') is not None)",
        )
    session.run(
        "pytest",
        # The sessions `docs` and `interop` run those.
        "--ignore=tests/documentation",
        "--ignore=tests/zoo/interop",
        *PARALLEL,
        *session.posargs,
        env={"KERAS_BACKEND": backend},
    )


@nox.session
def docs(session):
    """Build the reference into `site/`, and run what documents show."""
    session.install(*CONSTRAINTS, "-e", ".[zoo,docs,test]", "jax")
    jax = {"KERAS_BACKEND": "jax"}
    session.run("mkdocs", "build", "--strict", env=jax)
    session.run(
        "pytest",
        "tests/documentation",
        *("-n", "2", "--dist", "worksteal"),
        *session.posargs,
        env=jax,
    )


@nox.session(default=False)
@nox.parametrize(
    "backend", [nox.param(b, id=b, tags=["gpu"]) for b in BACKENDS]
)
def gpu(session, backend):
    """Run the GPU tests on this machine's card; fail without one.

    `nox --no-venv -s "gpu(jax)"` takes the environment as it is.
    """
    if session.virtualenv.venv_backend != "none":
        session.install(*CONSTRAINTS, "-e", f".[zoo,test,{backend}-cuda]")
    session.run(
        "python",
        "-m",
        "pytest",
        "tests/gpu",
        "--accelerator",
        *session.posargs,
        env={"KERAS_BACKEND": backend},
    )


@nox.session
def parity(session):
    """Compare what the three backends make of the same weights and batches."""
    session.install(*CONSTRAINTS, "-e", ".[zoo,test]", *BACKENDS.values())
    session.run("python", "benchmarks/parity.py", *session.posargs)


@nox.session(default=False)
def bench(session):
    """Measure training steps, with `--peers` those of other libraries too.

    `nox -s bench -- --help` and `nox -s bench -- --peers --help` list options.
    """
    session.install(*CONSTRAINTS, "-e", ".[zoo]", *BACKENDS.values())
    options = list(session.posargs)
    script = "run.py"
    if "--peers" in options:
        options.remove("--peers")
        script = "peers.py"
    session.run("python", f"benchmarks/speed/{script}", *options)


@nox.session(default=False)
def matrix(session):
    """Compare exactness, speed and memory of the backends, with any GPU."""
    session.install(*CONSTRAINTS, "-e", ".[zoo]", *BACKENDS.values())
    session.run("python", "benchmarks/matrix.py", *session.posargs)


@nox.session(default=False)
@nox.parametrize("backend", [nox.param(b, id=b, tags=[b]) for b in BACKENDS])
def tutorials(session, backend):
    """Run the tutorials; one of them needs all three backends."""
    session.install(
        *CONSTRAINTS, "-e", ".[zoo,export,tutorials]", *BACKENDS.values()
    )
    session.run(
        "python",
        "tutorials/notebooks.py",
        *(session.posargs or ["run"]),
        env={"KERAS_BACKEND": backend},
    )


@nox.session
def spark(session):
    """Run the tests of the Spark engine, which no backend changes."""
    session.install(*CONSTRAINTS, "-e", ".[zoo,spark,test]", "jax")
    session.run(
        "pytest",
        "tests/zoo/encoding/test_spark.py",
        *session.posargs,
        env={"KERAS_BACKEND": "jax"},
    )


@nox.session(default=False)
def interop(session):
    """Compare imported models with the originals, on each backend."""
    session.install(
        *CONSTRAINTS,
        "-e",
        ".[zoo,test]",
        *BACKENDS.values(),
        *("fuxictr", "deepctr-torch"),
        # DeepCTR-Torch imports it, and does not say so.
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


@nox.session(default=False)
def export(session):
    """Open exported models in their own runtimes, from each backend."""
    session.install(
        *CONSTRAINTS, "-e", ".[zoo,export,test]", *BACKENDS.values()
    )
    for backend in BACKENDS:
        session.run(
            "pytest",
            "tests/zoo/serving/test_export.py",
            "-m",
            "export",
            *session.posargs,
            env={"KERAS_BACKEND": backend},
        )


@nox.session
def build(session):
    """Build the wheel, install it elsewhere and import it there."""
    session.install(*CONSTRAINTS, "build")
    folder = Path(session.create_tmp()).resolve()
    session.run("python", "-m", "build", "--outdir", str(folder / "dist"))
    wheel = max(
        (folder / "dist").glob("*.whl"), key=lambda p: p.stat().st_mtime
    )
    session.install(*CONSTRAINTS, f"{wheel}[zoo]", "jax")
    with session.chdir(folder):
        session.run(
            "python",
            "-c",
            "import keras_cowclip, zoo; print(keras_cowclip.__file__); "
            "assert 'site-packages' in keras_cowclip.__file__; "
            "[zoo.CTRPredictor.from_preset(p) for p in zoo.built_in_presets()];"
            "[zoo.RecipeFile.load(r) for r in zoo.built_in_recipes()]; "
            "assert len(zoo.built_in_presets()) == 4; "
            "assert zoo.built_in_recipes()",
            env={"KERAS_BACKEND": "jax"},
        )
        session.run(
            "python", "-m", "zoo", "--help", env={"KERAS_BACKEND": "jax"}
        )
