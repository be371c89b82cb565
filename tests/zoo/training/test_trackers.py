"""MLflow and Weights & Biases get what the report has, as the guide shows."""

from pathlib import Path

import keras
import pytest

from tests.documentation.examples import fenced_blocks

GUIDE = (Path(__file__).parents[3] / "docs" / "training.md").read_text()
# Files take the place of servers.
OFFLINE = {
    "MLFLOW_TRACKING_URI": "mlruns",
    # MLflow's databases need more packages.
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
    "WANDB_CONSOLE": "off",
}


# What the trackers warn of is theirs.
@pytest.mark.filterwarnings("default")
@pytest.mark.large
def test_trackers_get_what_the_report_has(tmp_path, monkeypatch):
    for package in ("mlflow", "wandb"):
        pytest.importorskip(
            package, reason=f"needs {package}, of the extra `trackers`"
        )
    monkeypatch.chdir(tmp_path)
    for name, value in OFFLINE.items():
        monkeypatch.setenv(name, value)
    first, *blocks = fenced_blocks(GUIDE)
    names, seen = {}, []
    for code in [first, *filter(is_of_tracker, blocks)]:
        exec(compile(code, "<the guide to training>", "exec"), names)
        if "mlflow" in code:
            seen.append(check_mlflow(names))
        elif "wandb_run" in code:
            seen.append(check_wandb(names))
    assert len(seen) == 2


def is_of_tracker(block):
    if "WandbMetricsLogger" in block:
        return keras.backend.backend() == "tensorflow"
    return "mlflow" in block or "wandb" in block


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
    (path,) = Path("wandb").glob("offline-run-*/run-*.wandb")
    content = path.read_bytes()
    for name in (*names["report"]["history"], "test_auc"):
        assert name.encode() in content, name
