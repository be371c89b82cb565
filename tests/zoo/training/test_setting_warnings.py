"""Settings that rarely train well are warned of, and others are not."""

import dataclasses
import warnings

import pytest

import zoo
from zoo.cli import app as cli
from zoo.cli import train_command
from zoo.datasets import CRITEO
from zoo.datasets import synthetic
from zoo.training.recipe import Recipe
from zoo.training.setting_warnings import FewStepsWarning
from zoo.training.setting_warnings import UntunedRatesWarning
from zoo.training.setting_warnings import warn_of_few_steps
from zoo.training.setting_warnings import warn_of_untuned_rates

WARNINGS = (FewStepsWarning, UntunedRatesWarning)
SMALL = {"epochs": 1, "embedding_dim": 2, "hidden_units": (4,), "verbose": 0}


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A log of a user's own."""
    folder = tmp_path_factory.mktemp("log")
    synthetic.write_raw_log(folder / "raw.txt", rows=6000, max_vocabulary=20)
    shop = dataclasses.replace(synthetic.SYNTHETIC, name="shop")
    zoo.prepare(shop, folder / "raw.txt", folder / "encoded")
    return zoo.EncodedLog.load(folder / "encoded")


def quiet(warn, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn(*arguments)


def test_fewer_than_50_steps_an_epoch():
    recipe = Recipe(batch_size=65_536)
    with pytest.warns(
        FewStepsWarning,
        match=r"leaves 33 steps an epoch.*at most 43253\..*"
        r"Received: batch_size=65536, 2162688 rows",
    ):
        warn_of_few_steps(recipe, 33, 2_162_688)
    quiet(warn_of_few_steps, recipe, 50, 3_276_800)


def test_rates_of_another_log_scaled_far(log):
    recipe = Recipe(batch_size=4096)
    with pytest.warns(UntunedRatesWarning, match=r"Received: a batch of 4096"):
        warn_of_untuned_rates(recipe, log)
    tables = Recipe(embedding_batch_size=8192)
    with pytest.warns(UntunedRatesWarning, match=r"Received: a batch of 8192"):
        warn_of_untuned_rates(tables, log)


@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": 2048},
        {"learning_rate": 1e-3},
        {"embedding_learning_rate": 1e-3},
        {"embedding_l2": 0.0},
    ],
)
def test_tuned_rates_and_small_batches_are_not_warned_of(settings, log):
    quiet(
        warn_of_untuned_rates, Recipe(**{"batch_size": 4096, **settings}), log
    )


@pytest.mark.parametrize("name", ["criteo", "criteo_x4"])
def test_the_logs_of_the_paper_are_not_warned_of(name, log):
    class Encoder:
        log_format = dataclasses.replace(CRITEO, name=name)

    criteo = dataclasses.replace(log, encoder=Encoder())
    quiet(warn_of_untuned_rates, Recipe(batch_size=131_072), criteo)


def test_the_synthetic_log_is_not_warned_of():
    log = synthetic.make_log(rows=1000, max_vocabulary=20)
    quiet(warn_of_untuned_rates, Recipe(batch_size=131_072), log)


def test_training_warns_once_of_each(log, tmp_path):
    with pytest.warns(UserWarning) as caught:
        zoo.train(log, tmp_path / "run", batch_size=4096, **SMALL)
    ours = [w for w in caught if w.category in WARNINGS]
    assert [w.category for w in ours] == [*WARNINGS]
    # They point to the caller's line.
    assert {w.filename for w in ours} == {__file__}


def test_the_command_prints_a_line_each(log, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(train_command, "open_log", lambda data: log)
    options = "--batch-size 4096 --epochs 1 --hidden-units 4"
    with (
        warnings.catch_warnings(),
        pytest.raises(SystemExit) as ended,
    ):
        for category in WARNINGS:
            warnings.simplefilter("always", category)
        cli.main(["train", "--output", str(tmp_path / "run"), *options.split()])
    assert not ended.value.code
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" step ")[0] for line in lines[:1]] == [
        "warning: The batch leaves 1"
    ]
    assert len([line for line in lines if line.startswith("warning: ")]) == 2
