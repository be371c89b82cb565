"""A run is begun, resumed, fitted and reported on, in that order."""

import pytest

import zoo
from tests.zoo.training.interruption import InterruptEpoch
from zoo.datasets import synthetic
from zoo.training.checkpoints import Checkpoints
from zoo.training.recipe import Recipe
from zoo.training.run import Run

SETTINGS = {
    "batch_size": 256, "epochs": 2, "embedding_dim": 2, "hidden_units": (4,),
}  # fmt: skip


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=2000, max_vocabulary=20)


def test_the_recipe_is_filled_in_once_and_then_read(log, tmp_path, monkeypatch):
    recipe = Recipe(**SETTINGS)
    run = Run.begin(log, recipe)
    assert recipe == Recipe(**SETTINGS)
    assert run.recipe.learning_rate == 8e-4
    assert run.recipe.dtype == "float32"
    for name in ("for_data", "for_network"):
        monkeypatch.setattr(Recipe, name, None)
    with Checkpoints(tmp_path / "one", run.identity()) as checkpoints:
        run.resume(checkpoints)
        assert run.state.resumed_at == []
        run.fit(checkpoints, verbose=0)
    report = run.report()
    assert report.hyperparameters == run.recipe.hyperparameters()
    assert report.model == "deepfm"
    assert len(report.history["loss"]) == 2


def test_a_run_reports_what_train_reports(log, tmp_path):
    expected = zoo.train(log, tmp_path / "run", verbose=0, **SETTINGS)
    run = Run.begin(log, Recipe(**SETTINGS))
    with Checkpoints(tmp_path / "one", run.identity()) as checkpoints:
        run.fit(checkpoints, verbose=0)
    report = run.report().to_json()
    for name in expected.keys() - {"seconds", "samples_per_second"}:
        assert report[name] == expected[name], name


def test_a_run_that_is_broken_off_resumes(log, tmp_path):
    reports = []
    for stops in (False, True):
        run = Run.begin(log, Recipe(**SETTINGS))
        folder = tmp_path / str(stops)
        with Checkpoints(folder, run.identity()) as checkpoints:
            if stops:
                stop = InterruptEpoch(1)
                with pytest.raises(KeyboardInterrupt):
                    run.fit(checkpoints, verbose=0, callbacks=[stop])
                run = Run.begin(log, Recipe(**SETTINGS))
                run.resume(checkpoints)
                assert run.state.epoch == 1
            run.fit(checkpoints, verbose=0)
        reports.append(run.report())
    whole, resumed = reports
    assert resumed.resumed_at == [[1, 0]]
    assert resumed.history == whole.history
    assert resumed.auc == whole.auc


@pytest.mark.trained_often
def test_the_averages_are_measured_and_saved(log, tmp_path):
    """With a window of a millionth of an epoch they are the weights."""
    trained = {
        epochs: zoo.train(
            log,
            tmp_path / str(epochs),
            verbose=0,
            **SETTINGS,
            average="ema",
            average_epochs=epochs,
        )
        for epochs in (1e-6, 10.0)
    }
    plain = zoo.train(log, tmp_path / "plain", verbose=0, **SETTINGS)
    for name in ("auc", "log_loss"):
        assert trained[1e-6][name] == pytest.approx(plain[name], rel=1e-5)
        assert trained[10.0][name] != pytest.approx(plain[name], rel=1e-5)
        curves = [
            r["history"][f"val_{name}"] for r in (*trained.values(), plain)
        ]
        assert curves[0] == pytest.approx(curves[2], rel=1e-5)
        assert curves[1] != pytest.approx(curves[2], rel=1e-5)
    # What is saved is what was measured.
    metrics = zoo.evaluate(tmp_path / "10.0", log)
    assert metrics["auc"] == pytest.approx(trained[10.0]["auc"], abs=1e-9)
    # Training goes on from the weights, so that its loss is the same.
    assert trained[10.0]["history"]["loss"] == pytest.approx(
        plain["history"]["loss"], rel=1e-5
    )


def test_tables_that_would_never_step_are_refused(log, tmp_path):
    with pytest.raises(
        ValueError, match="embedding_batch_size=2048, 1600 rows"
    ):
        zoo.train(log, tmp_path / "run", **SETTINGS, embedding_batch_size=2048)
    assert not list(tmp_path.iterdir())
