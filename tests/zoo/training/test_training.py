import dataclasses
import json

import keras
import pytest

import zoo
from keras_cowclip import scale_hyperparameters
from zoo.datasets import synthetic
from zoo.metrics import UselessPredictionsWarning

SMALL = {"embedding_dim": 4, "hidden_units": (16,), "verbose": 0}


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=20_000, max_vocabulary=50)


@pytest.fixture(scope="module")
def trained(log, tmp_path_factory):
    output = tmp_path_factory.mktemp("training") / "run"
    report = zoo.train(
        log,
        output,
        batch_size=512,
        epochs=3,
        embedding_learning_rate=1e-2,
        learning_rate=3e-3,
        **SMALL,
    )
    return output, report


def test_report_holds_what_was_measured(log, trained):
    output, report = trained
    assert json.loads((output / "report.json").read_text()) == report
    assert 0.6 < report["auc"] < report["bayes"]["auc"]
    assert report["log_loss"] > report["bayes"]["log_loss"]
    assert report["calibration"] == pytest.approx(1, abs=0.2)
    # 16,000 rows are 31 batches of 512, and the rest begins the next epoch.
    assert report["samples_per_second"] == pytest.approx(
        3 * 31 * 512 / report["seconds"]
    )
    assert "unseen_rows" not in report
    assert report["batch_size"] == 512
    assert report["backend"] == keras.backend.backend()
    assert report["versions"]["keras"] == keras.__version__
    assert report["evaluated_on"] == "test"
    assert report["bayes"] == log.bayes["test"]
    for key in ("loss", "val_auc", "val_log_loss", "clipped_share"):
        assert len(report["history"][key]) == 3
    history = report["history"]
    assert history["loss"][-1] < history["loss"][0] - 0.02


def test_hyperparameters_are_scaled_by_the_rule(trained):
    hyperparameters = trained[1]["hyperparameters"]
    scaled = scale_hyperparameters(
        512, learning_rate=3e-3, embedding_learning_rate=1e-2
    )
    assert scaled.items() <= hyperparameters.items()
    assert hyperparameters["rule"] == "cowclip"


def test_saved_model_evaluates_to_the_report(log, trained):
    output, report = trained
    metrics = zoo.evaluate(output, log)
    for name, value in metrics.items():
        assert value == pytest.approx(report[name], rel=1e-6)
    assert (output / "learning_curves.png").read_bytes()[:4] == b"\x89PNG"


# It warns on some machines.
@pytest.mark.filterwarnings("ignore::zoo.runtime.bfloat16.SlowBFloat16Warning")
@pytest.mark.trained_often
def test_16_bits_and_lazy_rows_learn_as_well(log, tmp_path):
    settings = {
        **SMALL, "batch_size": 512, "epochs": 2,
        "learning_rate": 3e-3, "embedding_learning_rate": 1e-2,
    }  # fmt: skip
    exact = zoo.train(log, tmp_path / "exact", **settings)
    fast = zoo.train(
        log, tmp_path / "fast", dtype="mixed_bfloat16", lazy=True, **settings
    )
    assert fast["auc"] == pytest.approx(exact["auc"], abs=0.01)
    assert fast["auc"] != exact["auc"]
    assert fast["hyperparameters"]["lazy"]
    assert fast["hyperparameters"]["dtype"] == "mixed_bfloat16"
    model = zoo.from_preset(tmp_path / "fast")
    assert model.get_layer("hidden_1").compute_dtype == "bfloat16"


@pytest.mark.trained_often
def test_same_seed_gives_the_same_model(log, tmp_path):
    aucs = [
        zoo.train(log, tmp_path / name, batch_size=4096, epochs=1, seed=seed,
                  **SMALL)["auc"]
        for name, seed in (("a", 5), ("b", 5), ("c", 6))
    ]  # fmt: skip
    assert aucs[0] == pytest.approx(aucs[1], rel=1e-6)
    assert aucs[0] != pytest.approx(aucs[2], rel=1e-6)


@pytest.mark.trained_often
def test_a_batch_larger_than_the_log_is_refused(log, tmp_path):
    with pytest.raises(
        ValueError, match=r"exceed the rows.*batch_size=65536, "
    ):
        zoo.train(log, tmp_path / "run", batch_size=65_536, epochs=1, **SMALL)
    assert not (tmp_path / "run").exists()


def only(log, *names):
    splits = {name: log.splits[name] for name in names}
    return dataclasses.replace(log, splits=splits)


@pytest.mark.trained_often
def test_a_log_without_a_test_split_is_measured_on_validation(log, tmp_path):
    report = zoo.train(
        only(log, "train", "validation"), tmp_path / "run", epochs=1, **SMALL
    )
    assert report["evaluated_on"] == "validation"
    assert report["auc"] == pytest.approx(report["history"]["val_auc"][0])
    assert report["bayes"] == log.bayes["validation"]


@pytest.mark.trained_often
def test_a_log_without_a_validation_split_has_no_such_curves(log, tmp_path):
    output = tmp_path / "run"
    report = zoo.train(only(log, "train", "test"), output, epochs=1, **SMALL)
    assert report["evaluated_on"] == "test"
    assert not any(name.startswith("val_") for name in report["history"])
    assert (output / "learning_curves.png").is_file()


def test_a_log_of_training_rows_alone_is_refused(log, tmp_path):
    with pytest.raises(
        ValueError, match=r"test or a validation split.*Received: .*\['train'\]"
    ):
        zoo.train(only(log, "train"), tmp_path / "run", **SMALL)
    assert not list(tmp_path.iterdir())


def test_a_model_of_another_schema_is_refused(trained):
    other = synthetic.make_log(rows=1000, max_vocabulary=40)
    with pytest.raises(
        ValueError, match=r"another schema.*Received: categorical \['C1', 42\]"
    ):
        zoo.evaluate(trained[0], other)


def test_an_unknown_split_is_refused(log, trained):
    with pytest.raises(ValueError, match="split.*Received: split='dev'"):
        zoo.evaluate(trained[0], log, split="dev")


@pytest.mark.trained_often
def test_rows_that_one_epoch_leaves_out_are_counted(log, tmp_path):
    report = zoo.train(
        log, tmp_path / "run", batch_size=10_000, epochs=1, **SMALL
    )
    assert report["unseen_rows"] == 6_000


@pytest.mark.trained_often
def test_a_useless_model_is_kept_with_a_warning(log, tmp_path):
    with pytest.warns(UselessPredictionsWarning, match="log-loss .*Received"):
        report = zoo.train(
            log,
            tmp_path / "run",
            batch_size=4096,
            epochs=2,
            learning_rate=3.0,
            warmup_epochs=0,
            **SMALL,
        )
    assert report["log_loss"] > 1
    assert (tmp_path / "run" / "report.json").exists()
    with pytest.warns(UselessPredictionsWarning):
        zoo.evaluate(tmp_path / "run", log)


def test_training_that_diverges_says_so_and_leaves_nothing(log, tmp_path):
    # PyTorch's own loss refuses predictions that are not finite.
    with pytest.raises(ValueError, match="has diverged.*Received: "):
        zoo.train(
            log,
            tmp_path / "run",
            epochs=1,
            learning_rate=1e30,
            warmup_epochs=0,
            **SMALL,
        )
    assert not list(tmp_path.iterdir())


def test_a_folder_of_something_else_is_not_replaced(log, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="not empty"):
        zoo.train(log, tmp_path / "run", **SMALL)
    assert (tmp_path / "run" / "thesis.tex").read_text() == "years of work"
