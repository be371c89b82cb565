"""A report's keys, in each of the places that it is written to."""

import json

import pytest

import zoo
from zoo.datasets import synthetic
from zoo.training.report import Report

KEYS = [
    "initial_model", "model", "data", "evaluated_on", "auc", "log_loss",
    "calibration", "seconds", "samples_per_second", "batch_size",
    "hyperparameters", "backend", "versions", "hardware", "rows", "bayes",
    "history", "clipped_curve", "resumed_at",
]  # fmt: skip
METADATA_KEYS = [
    "data", "rows", "evaluated_on", "bayes", "seconds", "backend", "versions",
    "hardware", "metrics", "recipe",
]  # fmt: skip


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=1000, max_vocabulary=20)


@pytest.fixture(scope="module")
def trained(log, tmp_path_factory):
    output = tmp_path_factory.mktemp("training") / "run"
    report = zoo.train(
        log, output, batch_size=512, epochs=1, embedding_dim=2,
        hidden_units=(4,), verbose=0,
    )  # fmt: skip
    return output, report


def test_the_keys_of_a_report_stay_as_they_are(trained):
    output, report = trained
    text = (output / "report.json").read_text()
    assert text == json.dumps(report, indent=2) + "\n"
    # One epoch leaves out the rows that fill no batch.
    assert list(report) == [*KEYS, "unseen_rows"]
    assert Report.from_json(report).to_json() == report


def test_a_preset_says_what_its_report_says(log, trained):
    output, report = trained
    metadata = json.loads((output / "metadata.json").read_text())
    ours = [name for name in metadata if name in METADATA_KEYS]
    assert ours == METADATA_KEYS
    for name in METADATA_KEYS[:-2]:
        assert metadata[name] == report[name]
    metrics = ["auc", "log_loss", "calibration"]
    assert metadata["metrics"] == {name: report[name] for name in metrics}
    assert list(metadata["recipe"]) == [
        "model", "batch_size", *report["hyperparameters"]
    ]  # fmt: skip
    assert metadata["recipe"]["batch_size"] == 512


def test_a_run_that_diverged_has_the_same_keys(log, trained):
    diverged = Report.diverged(log, zoo.Recipe().for_data(None))
    assert list(diverged.to_json()) == KEYS
    assert set(diverged.metrics().values()) == {None}
    row = diverged.row()
    assert list(row) == list(Report.from_json(trained[1]).row())
    assert (row["auc"], row["best_epoch"], row["auc_regret"]) == (None,) * 3
    assert row["learning_rate"] == 8e-4


def test_a_line_of_results_follows_from_the_report(log):
    report = Report.of(
        log,
        zoo.Recipe(batch_size=2048, learning_rate=1e-3, hidden_units=(8, 4)),
        auc=0.7,
        log_loss=0.5,
        calibration=1.0,
        seconds=2.0,
        samples_per_second=400.0,
        bayes={"auc": 0.8, "log_loss": 0.4},
        history={
            "clipped_share": [0.5, 0.25, 0.125],
            "val_auc": [0.6, 0.75, 0.75],
            "best_epoch_auc": [0.6, 0.72, 0.72],
            "best_epoch_log_loss": [0.6, 0.46, 0.46],
        },
        clipped_curve=[0.5],
        variant="slow",
        wall_seconds=3.0,
    )
    row = report.row()
    expected = {
        "variant": "slow",
        "batch_size": 2048,
        "auc": 0.7,
        "best_epoch": 2,
        "best_epoch_auc": 0.72,
        "bayes_auc": 0.8,
        "clipped_share": 0.125,
        "hidden_units": "8-4",
        "wall_seconds": 3.0,
        "auc_regret": pytest.approx(0.8 - 0.72),
        "log_loss_regret": pytest.approx(0.46 - 0.4),
    }
    assert {name: row[name] for name in expected} == expected
    assert list(report.to_json()) == [*KEYS, "variant", "wall_seconds"]


@pytest.mark.parametrize(
    "change",
    [
        lambda report: {**report, "area": 0.5},
        lambda report: {k: report[k] for k in report if k != "auc"},
        list,
    ],
    ids=["unknown", "missing", "a list"],
)
def test_what_is_no_report_is_refused(change, trained):
    with pytest.raises(ValueError, match=r"attributes of `Report`.*Received: "):
        Report.from_json(change(trained[1]))
