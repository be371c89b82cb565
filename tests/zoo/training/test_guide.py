"""The guide to training runs, its trackers offline."""

import re
from pathlib import Path

import keras
import pytest

from tests.documentation.examples import fenced_blocks

GUIDE = (Path(__file__).parents[3] / "docs" / "training.md").read_text()
_NEEDS_TENSORFLOW = re.compile(
    r"<!-- needs tensorflow -->\n(```python\n.*?^```$)", re.M | re.S
)
FILES = {
    "MLFLOW_TRACKING_URI": "mlruns",
    # MLflow's databases need more packages.
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
    "WANDB_CONSOLE": "off",
}


@pytest.fixture
def run_blocks(tmp_path, monkeypatch):
    """Runs the guide's blocks in an empty folder, in which nothing is sent."""
    monkeypatch.chdir(tmp_path)
    for name, value in FILES.items():
        monkeypatch.setenv(name, value)

    def run_blocks(blocks):
        names = {}
        for number, code in enumerate(blocks):
            exec(compile(code, f"<guide, block {number}>", "exec"), names)
            yield code, names

    return run_blocks


def is_of_tracker(block):
    return "mlflow" in block or "wandb" in block


@pytest.mark.trained_often
def test_the_guide_runs(run_blocks):
    blocks = [b for b in fenced_blocks(GUIDE) if not is_of_tracker(b)]
    *_, (_, names) = run_blocks(blocks)
    assert names["report"]["best_epoch"] <= 4
    assert list(Path("events/first").iterdir())


# What the trackers warn of is theirs.
@pytest.mark.filterwarnings("default")
@pytest.mark.large
def test_trackers_get_what_the_report_has(run_blocks):
    for package in ("mlflow", "wandb"):
        pytest.importorskip(
            package, reason=f"needs {package}, of the extra `trackers`"
        )
    text = GUIDE
    if keras.backend.backend() != "tensorflow":
        text = _NEEDS_TENSORFLOW.sub("", GUIDE)
    first, *blocks = fenced_blocks(text)
    for code, names in run_blocks([first, *filter(is_of_tracker, blocks)]):
        if "mlflow" in code:
            check_mlflow(names)
        elif "wandb_run" in code:
            check_wandb(names)


def check_mlflow(names):
    mlflow, report = names["mlflow"], names["report"]
    found = mlflow.get_run(names["mlflow_run"].info.run_id)
    assert found.info.status == "FINISHED"
    assert found.data.params["optimizer_clip_ratio"] == "1.0"
    metrics = found.data.metrics
    assert metrics["test_auc"] == pytest.approx(report["auc"])
    for name, values in report["history"].items():
        assert metrics[name] == pytest.approx(values[-1]), name


def check_wandb(names):
    names["wandb"].teardown()  # Its process writes what is left.
    report = names["report"]
    (path,) = Path("wandb").glob("offline-run-*/run-*.wandb")
    content = path.read_bytes()
    for name in (*report["history"], "test_auc"):
        assert name.encode() in content, name


def test_one_block_is_of_one_backend():
    assert len(_NEEDS_TENSORFLOW.findall(GUIDE)) == 1
