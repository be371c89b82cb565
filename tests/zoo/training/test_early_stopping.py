"""A run with patience ends after its best epoch, and keeps that one's model."""

import json

import numpy as np
import pytest

import zoo
from tests.zoo.training.interruption import InterruptEpoch
from zoo.datasets import synthetic
from zoo.training.checkpoints import Checkpoints
from zoo.training.early_stopping import best_epoch
from zoo.training.recipe import Recipe
from zoo.training.report import Report
from zoo.training.run import Run

# The small log is learnt by heart: its validation AUC falls after a while.
SETTINGS = {
    "batch_size": 256, "epochs": 8, "embedding_dim": 4, "hidden_units": (16,),
    "learning_rate": 2e-2, "embedding_learning_rate": 2e-2, "warmup_epochs": 0,
    "verbose": 0,
}  # fmt: skip
PATIENCE = 2
AVERAGED = {"average": "ema", "average_epochs": 0.1}


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=2000, max_vocabulary=50)


@pytest.fixture(scope="module")
def stopped(log, tmp_path_factory):
    output = tmp_path_factory.mktemp("stopped") / "run"
    return output, zoo.train(log, output, patience=PATIENCE, **SETTINGS)


def assert_same_model(output, expected):
    for ours, theirs in zip(
        zoo.from_preset(output).get_weights(),
        zoo.from_preset(expected).get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def assert_stopped(report):
    aucs = report["history"]["val_auc"]
    best = report["best_epoch"]
    assert aucs[best - 1] == max(aucs)
    assert len(aucs) == best + PATIENCE < SETTINGS["epochs"]
    assert report["stopped_at"] == [len(aucs), 0]


def test_the_run_ends_after_so_many_epochs_without_a_better_auc(stopped):
    output, report = stopped
    assert_stopped(report)
    assert report["hyperparameters"]["patience"] == PATIENCE
    assert json.loads((output / "report.json").read_text()) == report
    assert not output.with_name("run.checkpoints").exists()


def test_the_model_is_that_of_the_best_epoch(log, stopped, tmp_path):
    output, report = stopped
    shorter = zoo.train(
        log, tmp_path / "best", **{**SETTINGS, "epochs": report["best_epoch"]}
    )
    assert "best_epoch" not in shorter
    assert_same_model(output, tmp_path / "best")
    for name in ("auc", "log_loss", "calibration"):
        assert report[name] == shorter[name]
    measured = zoo.evaluate(output, log, split="validation")
    assert measured["auc"] == pytest.approx(
        max(report["history"]["val_auc"]), abs=1e-6
    )


@pytest.mark.trained_often
def test_a_run_through_all_epochs_has_the_best_one_too(log, stopped, tmp_path):
    report = zoo.train(log, tmp_path / "run", patience=100, **SETTINGS)
    assert "stopped_at" not in report
    assert report["best_epoch"] == best_epoch(report["history"]["val_auc"])
    assert len(report["history"]["val_auc"]) == SETTINGS["epochs"]
    if report["best_epoch"] == stopped[1]["best_epoch"]:
        assert_same_model(tmp_path / "run", stopped[0])


@pytest.mark.trained_often
@pytest.mark.parametrize("options", [{}, AVERAGED], ids=["plain", "averaged"])
def test_a_run_killed_after_its_best_epoch_resumes(log, tmp_path, options):
    settings = {**SETTINGS, **options, "patience": PATIENCE}
    whole = zoo.train(log, tmp_path / "whole", **settings)
    assert_stopped(whole)
    with pytest.raises(KeyboardInterrupt):
        zoo.train(
            log, tmp_path / "run",
            callbacks=[InterruptEpoch(whole["best_epoch"] + 1)], **settings,
        )  # fmt: skip
    report = zoo.train(log, tmp_path / "run", resume=True, **settings)
    assert report["resumed_at"] == [[whole["best_epoch"] + 1, 0]]
    for name in whole.keys() - {"seconds", "samples_per_second", "resumed_at"}:
        assert report[name] == whole[name], name
    assert_same_model(tmp_path / "run", tmp_path / "whole")


@pytest.mark.trained_often
def test_the_best_averages_are_what_was_measured(log, tmp_path):
    report = zoo.train(
        log, tmp_path / "run", patience=PATIENCE, **SETTINGS, **AVERAGED
    )
    measured = zoo.evaluate(tmp_path / "run", log, split="validation")
    for name in ("auc", "log_loss"):
        assert measured[name] == pytest.approx(
            report["history"][f"val_{name}"][report["best_epoch"] - 1], abs=1e-6
        )


@pytest.mark.trained_often
def test_a_study_compares_the_same_model(log, tmp_path):
    """The run then reports the measurement of the best epoch."""
    settings = {n: v for n, v in SETTINGS.items() if n != "verbose"}
    run = Run.begin(log, Recipe(patience=PATIENCE, **settings))
    with Checkpoints(tmp_path / "one", run.identity()) as checkpoints:
        run.fit(checkpoints, evaluate_best_epoch=True, verbose=0)
    row = run.report().row()
    assert row["auc"] == pytest.approx(row["best_epoch_auc"], abs=1e-6)
    assert row["best_epoch"] == run.report().best_epoch


def test_without_a_validation_split_it_is_refused(log, tmp_path):
    splits = {name: log.split(name) for name in ("train", "test")}
    bare = zoo.EncodedLog(log.schema, splits, "bare")
    with pytest.raises(ValueError, match="`patience` needs a validation split"):
        zoo.train(bare, tmp_path / "run", patience=1, **SETTINGS)
    assert not list(tmp_path.iterdir())


def test_recipes_without_it_are_as_before(log):
    assert "patience" not in Recipe().hyperparameters()
    run = Run.begin(log, Recipe(batch_size=256))
    assert "patience" not in run.identity()


def test_a_damaged_best_epoch_is_passed_over(log, tmp_path):
    run = Run.begin(log, Recipe(batch_size=256))
    with Checkpoints(tmp_path / "one", run.identity()) as checkpoints:
        run.network.optimizer.build(run.network.trainable_variables)
        bias = run.network.trainable_variables[-1]
        for step in (1, 2):
            bias.assign(np.full(bias.shape, step))
            checkpoints.keep_best(run.network)
            checkpoints.save(run.network, run.state, step)
        newest = tmp_path / "one" / "step-00000002" / "best.weights.h5"
        newest.unlink()
        newest.write_bytes(b"damaged")
        with pytest.warns(UserWarning, match="damaged.*best.weights.h5"):
            assert checkpoints.restore(run.network) is not None
        # It is that of the older checkpoint.
        bias.assign(np.zeros(bias.shape))
        checkpoints.restore_best(run.network)
        assert (bias.numpy() == 1).all()
        checkpoints.remove()


def test_the_report_is_read_as_it_was_written(stopped):
    assert Report.from_json(stopped[1]).to_json() == stopped[1]
