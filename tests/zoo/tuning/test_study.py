"""A study finds a recipe, ends what is hopeless, and survives a kill."""

import csv
import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
from matplotlib import image

import zoo
from tests.wrong_values import NO_BOOLEANS
from tests.wrong_values import NO_PATHS
from tests.wrong_values import NO_POSITIVE_INTEGERS
from tests.wrong_values import check_refused
from tests.wrong_values import each
from zoo.datasets import synthetic
from zoo.runtime.out_of_memory import OutOfMemoryError
from zoo.tuning import study
from zoo.tuning.trial_run import PruneTrial
from zoo.tuning.trial_store import TrialStore

pytestmark = pytest.mark.one_backend(
    reason="its runs are those of `zoo.train`, which every backend is tested by"
)
ROWS = 2000
SMALL = {
    "model": "fm", "epochs": 2, "batch_size": 512, "embedding_dim": 2,
    "warmup_epochs": 0,
}  # fmt: skip
# More than TPE draws at random, and than the pruner waits for.
TRIALS = 11
STUDY = {**SMALL, "trials": TRIALS, "params": {"embedding_dim": (2, 4)}}
del STUDY["embedding_dim"]


def make_log():
    return synthetic.make_log(rows=ROWS, max_vocabulary=50)


@pytest.fixture(scope="module")
def log():
    return make_log()


@pytest.fixture(scope="module")
def finished(log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "tuned"
    return folder, zoo.tune(log, folder, verbose=False, **STUDY)


def read_csv(folder):
    with (folder / "study.csv").open() as file:
        return list(csv.DictReader(file))


def without_seconds(result):
    return [{**row, "seconds": None} for row in result.trials]


def test_the_folder_holds_the_trials_and_the_best_recipe(finished):
    folder, result = finished
    files = {"best_recipe.json", "study.csv", "study.db", "study.png"}
    assert {path.name for path in folder.iterdir()} == files
    lines = read_csv(folder)
    assert [line["trial"] for line in lines] == [
        str(number) for number in range(1, TRIALS + 1)
    ]
    for line, row in zip(lines, result.trials, strict=True):
        assert float(line["auc"]) == row["auc"]
        assert float(line["learning_rate"]) == row["learning_rate"]
        assert row["outcome"] in ("complete", "pruned")
        assert 2 <= row["embedding_dim"] <= 4
    complete = [r["auc"] for r in result.trials if r["outcome"] == "complete"]
    assert result.auc == max(complete)
    assert len({row["learning_rate"] for row in result.trials}) == TRIALS
    picture = image.imread(folder / "study.png")
    assert min(picture.shape[:2]) > 300
    assert picture[..., :3].std() > 0.05


def test_the_first_trial_is_the_recipe_as_it_is(finished):
    usual = zoo.Recipe()
    first = finished[1].trials[0]
    for name in ("embedding_learning_rate", "embedding_l2"):
        assert first[name] == getattr(usual, name)
    assert first["learning_rate"] == 8e-4


def test_training_by_the_best_recipe_reaches_its_auc(finished, log, tmp_path):
    folder, result = finished
    read = zoo.RecipeFile.load(folder / "best_recipe.json")
    assert zoo.Recipe(**read.recipe) == result.recipe
    report = zoo.train(log, tmp_path / "run", verbose=0, **read.recipe)
    assert report["history"]["val_auc"][-1] == result.auc
    assert f"{result.auc:.6f}" in read.description


def test_with_patience_the_auc_is_that_of_the_best_epoch(log, tmp_path):
    # The small log is learnt by heart: its validation AUC falls after a while.
    result = zoo.tune(
        log, tmp_path / "s", trials=1, verbose=False, epochs=8, patience=2,
        batch_size=256, embedding_dim=4, hidden_units=(16,), warmup_epochs=0,
        learning_rate=2e-2, embedding_learning_rate=2e-2,
    )  # fmt: skip
    report = zoo.train(log, tmp_path / "r", verbose=0, **vars(result.recipe))
    aucs = report["history"]["val_auc"]
    assert len(aucs) == result.trials[0]["epochs"] < 8
    assert result.auc == max(aucs) > aucs[-1]


def reported(folder):
    """The AUC of each epoch of each trial, as the pruner knows it."""
    with TrialStore(folder, read_settings(folder), seed=0) as store:
        return [trial.intermediate_values for trial in store.ended()]


def read_settings(folder):
    query = "select value_json from study_user_attributes"
    with closing(sqlite3.connect(folder / "study.db")) as database:
        [(text,)] = database.execute(query)
    return json.loads(text)


class Broken(Exception):
    pass


def break_off(monkeypatch, number, epoch):
    """Ends the study in an epoch of a trial, as a killed process does."""
    begin, begun = PruneTrial.on_train_begin, []

    def on_train_begin(callback, logs=None):
        begun.append(callback)
        begin(callback, logs)

    def on_epoch_begin(callback, current, logs=None):
        if len(begun) == number and current == epoch:
            raise Broken

    monkeypatch.setattr(PruneTrial, "on_train_begin", on_train_begin)
    monkeypatch.setattr(PruneTrial, "on_epoch_begin", on_epoch_begin)


# The first one, in its first epoch, and the one that TPE draws.
@pytest.mark.parametrize("number, epoch", [(1, 0), (TRIALS, 1)])
def test_a_study_that_is_broken_off_has_the_same_trials(
    monkeypatch, finished, log, tmp_path, number, epoch
):
    folder = tmp_path / "tuned"
    settings = {**STUDY, "trials": max(number, 3), "verbose": False}
    with monkeypatch.context() as patch:
        break_off(patch, number, epoch)
        with pytest.raises(Broken):
            zoo.tune(log, folder, **settings)
    # Epochs before the last checkpoint are not trained again.
    epochs = []
    end = PruneTrial.on_epoch_end

    def on_epoch_end(callback, current, logs=None):
        epochs.append(current)
        end(callback, current, logs)

    monkeypatch.setattr(PruneTrial, "on_epoch_end", on_epoch_end)
    result = zoo.tune(log, folder, **settings)
    assert epochs[0] == epoch
    expected = without_seconds(finished[1])
    assert without_seconds(result) == expected[: settings["trials"]]
    assert reported(folder) == reported(finished[0])[: settings["trials"]]
    assert not (folder / "runs").exists()


def test_trials_are_added_by_a_later_call(log, tmp_path, finished):
    folder = tmp_path / "tuned"
    zoo.tune(log, folder, verbose=False, **{**STUDY, "trials": 2})
    result = zoo.tune(log, folder, verbose=False, **{**STUDY, "trials": 3})
    assert without_seconds(result) == without_seconds(finished[1])[:3]
    again = zoo.tune(log, folder, verbose=False, **{**STUDY, "trials": 1})
    assert again == result


KILLED = """
from tests.zoo.tuning.test_study import STUDY, make_log
import zoo
zoo.tune(make_log(), {folder!r}, **STUDY)
"""


@pytest.mark.large
@pytest.mark.parametrize("trials", [1, 5, TRIALS - 1])
def test_a_killed_process_leaves_a_study_that_resumes(
    finished, log, tmp_path, trials
):
    folder = tmp_path / "tuned"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED.format(folder=str(folder))],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    table = folder / "study.csv"
    while not table.exists() or len(read_csv(folder)) < trials:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    result = zoo.tune(log, folder, verbose=False, **STUDY)
    assert without_seconds(result) == without_seconds(finished[1])


def test_hopeless_trials_end_early(log, tmp_path):
    hopeless = 1e-9
    result = zoo.tune(
        log, tmp_path / "tuned", trials=9, verbose=False,
        params={"embedding_learning_rate": [5e-2, 3e-2, 2e-2, hopeless]},
        **{**SMALL, "learning_rate": 1e-9, "embedding_l2": 0.0, "epochs": 4},
    )  # fmt: skip
    pruned = [row for row in result.trials if row["outcome"] == "pruned"]
    assert pruned
    late = [row for row in result.trials[6:] if row["outcome"] == "complete"]
    for row in pruned:
        assert row["epochs"] < 4
    assert hopeless in {row["embedding_learning_rate"] for row in pruned}
    assert hopeless not in {row["embedding_learning_rate"] for row in late}
    assert result.recipe.embedding_learning_rate != hopeless


def test_a_trial_that_diverges_fails_alone(log, tmp_path):
    settings = {
        **SMALL, "verbose": False, "embedding_l2": 0.0,
        "embedding_learning_rate": 1e-3,
    }  # fmt: skip
    result = zoo.tune(
        log, tmp_path / "tuned", trials=4,
        params={"learning_rate": [1e-3, 1e30]}, **settings,
    )  # fmt: skip
    failed = [row for row in result.trials if row["outcome"] == "failed"]
    assert {row["learning_rate"] for row in failed} == {1e30}
    for row in failed:
        assert row["auc"] is None
        assert "diverged" in row["reason"]
    assert result.recipe.learning_rate == 1e-3
    with pytest.raises(ValueError, match="comes to its end.*diverged"):
        zoo.tune(
            log, tmp_path / "other", trials=2,
            params={"learning_rate": [1e29, 1e30]}, **settings,
        )  # fmt: skip
    assert len(read_csv(tmp_path / "other")) == 2


def test_settings_that_do_not_go_together_fail_alone(log, tmp_path):
    """One layer does not take two activations; each is right by itself."""
    result = zoo.tune(
        log, tmp_path / "tuned", model="dnn", trials=6, epochs=1,
        batch_size=512, dropout=0.0, verbose=False,
        params={
            "hidden_units": [(4, 4), (4,)],
            "activation": ["relu", ("relu", "tanh")],
        },
    )  # fmt: skip
    failed = [row for row in result.trials if row["outcome"] == "failed"]
    assert failed
    for row in failed:
        assert row["hidden_units"] == (4,)
        assert row["activation"] == ("relu", "tanh")
        assert "`activation` must be one name" in row["reason"]


def test_a_trial_that_is_too_large_fails_alone(monkeypatch, log, tmp_path):
    run_trial, calls = study.run_trial, []

    def run(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise OutOfMemoryError("does not fit")
        return run_trial(*arguments)

    monkeypatch.setattr(study, "run_trial", run)
    result = zoo.tune(log, tmp_path / "s", trials=3, verbose=False, **SMALL)
    outcomes = [row["outcome"] for row in result.trials]
    assert outcomes == ["complete", "failed", "complete"]
    assert result.trials[1]["reason"] == "does not fit"


class Unread:
    """A split of which the number of rows alone may be asked."""

    def __len__(self):
        return 200


def test_the_test_split_is_not_read(log, finished, tmp_path):
    blind = zoo.EncodedLog(
        log.schema, {**log.splits, "test": Unread()}, log.source
    )
    settings = {**STUDY, "trials": 2, "verbose": False}
    result = zoo.tune(blind, tmp_path / "tuned", **settings)
    assert without_seconds(result) == without_seconds(finished[1])[:2]


def test_a_line_for_each_trial_is_all_that_is_printed(
    log, tmp_path, capfd, caplog
):
    with caplog.at_level(logging.INFO, logger="optuna"):
        zoo.tune(log, tmp_path / "tuned", trials=2, **SMALL)
        zoo.tune(log, tmp_path / "tuned", trials=3, **SMALL)
    lines = capfd.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "trial 1 of 2", "trial 2 of 2", "resumes after 2 trials",
        "trial 3 of 3",
    ]  # fmt: skip
    assert lines[0].endswith("the best so far")
    assert not caplog.records


@pytest.mark.parametrize(
    "name, value",
    each(
        {
            "output": NO_PATHS,
            "trials": NO_POSITIVE_INTEGERS,
            "verbose": [*NO_BOOLEANS, None],
        }
    ),
)
def test_wrong_arguments_are_refused(name, value, log, tmp_path):
    def tune(**wrong):
        zoo.tune(**{"log": log, "output": tmp_path / "s", **SMALL, **wrong})

    check_refused(name, value, tune)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"model": "gpt"}, "`model` must be one of.*gpt"),
        ({"params": {"order": (1, 3)}}, "arguments of `FM`.*order="),
        # Below what the network takes, and above what the log has.
        (
            {"model": "dcn", "params": {"num_cross_layers": (-1, 3)}},
            "`num_cross_layers` must be.*Received: num_cross_layers=-1",
        ),
        (
            {"params": {"embedding_batch_size": [512, 4096]}},
            "embedding_batch_size=4096, 1600 rows",
        ),
        ({"params": {"epochs": (1, 3)}}, "Received: epochs=.*fixed at 2"),
        ({"depth": 3}, "Settings of a recipe.*depth=3"),
    ],
    ids=str,
)
def test_what_no_trial_could_have_is_refused(changed, message, log, tmp_path):
    with pytest.raises(ValueError, match=message):
        zoo.tune(log, tmp_path / "tuned", **{**SMALL, **changed})
    assert not list(tmp_path.iterdir())


def test_a_log_without_validation_is_refused(log, tmp_path):
    splits = {name: log.split(name) for name in ("train", "test")}
    bare = zoo.EncodedLog(log.schema, splits, "bare")
    with pytest.raises(ValueError, match=r"validation.*\['train', 'test'\]"):
        zoo.tune(bare, tmp_path / "tuned", **SMALL)
    with pytest.raises(ValueError, match="`log` must be a `EncodedLog`"):
        zoo.tune("log", tmp_path / "tuned", **SMALL)
    assert not list(tmp_path.iterdir())


def test_another_study_is_not_mixed_in(finished, log):
    folder, _ = finished
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for changed, message in (
        ({"epochs": 3}, "another study.*epochs=2, not 3"),
        ({"params": {"embedding_dim": (2, 5)}}, "another study.*params="),
        ({"seed": 1}, "another study.*seed=0, not 1"),
    ):
        with pytest.raises(ValueError, match=message):
            zoo.tune(log, folder, **{**STUDY, **changed})
    other = synthetic.make_log(rows=ROWS, max_vocabulary=50, seed=1)
    with pytest.raises(ValueError, match="another study.*first_batch="):
        zoo.tune(other, folder, **STUDY)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_file_that_is_no_database_is_kept(log, tmp_path):
    (tmp_path / "study.db").write_text("notes of mine, which are no database")
    with pytest.raises(ValueError, match=r"database of Optuna.*study\.db"):
        zoo.tune(log, tmp_path, **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["study.db"]
    assert "notes" in (tmp_path / "study.db").read_text()


def test_a_second_process_is_kept_out(log, tmp_path):
    with (
        TrialStore(tmp_path / "tuned", {}, seed=0),
        pytest.raises(ValueError, match="Another process.*Received: .*tuned"),
    ):
        zoo.tune(log, tmp_path / "tuned", **SMALL)


def test_a_folder_may_have_any_name(log, tmp_path):
    folder = tmp_path / "50% of it? #1 %41"
    zoo.tune(log, folder, trials=1, verbose=False, **SMALL)
    assert (folder / "study.db").exists()


def test_without_optuna_it_says_what_to_install(monkeypatch, log, tmp_path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"pip install .*\[tune\]"):
        zoo.tune(log, tmp_path / "tuned", **SMALL)
    assert not list(tmp_path.iterdir())
