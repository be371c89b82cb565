"""Each setting of `Recipe` is an option of `train`, `scale` and `tune`."""

from dataclasses import fields

import pytest
import typer

from zoo.cli import app as cli
from zoo.cli import scale_command
from zoo.cli import train_command
from zoo.cli import tune_command
from zoo.training.recipe import Recipe

DEFAULTS = {
    field.name: getattr(Recipe(), field.name) for field in fields(Recipe)
}
# `scale` has options of its own for what a study varies.
VARIED = {
    "model", "rule", "batch_size", "embedding_batch_size", "seed",
    "clip_variant", "clip_ratio", "clip_threshold",
}  # fmt: skip
# The options that users' scripts have, by command.
EARLIER = {
    "train": (
        "--output --data --recipe --model --initial-model --batch-size "
        "--epochs --rule --learning-rate --embedding-learning-rate "
        "--embedding-l2 --clip-ratio --clip-floor --warmup-epochs --decay "
        "--embedding-dim --hidden-units --dropout --dtype --lazy --seed "
        "--resume --checkpoint-steps --keep-checkpoints"
    ),
    "scale": (
        "--output --data --model --batch-size --rule --clip --seeds --epochs "
        "--learning-rate --embedding-learning-rate --embedding-l2 "
        "--warmup-epochs --decay --embedding-dim --hidden-units"
    ),
}
OTHER_VALUES = {
    "model": (["dcn_v2"], "dcn_v2"),
    "batch_size": (["64"], 64),
    "embedding_batch_size": (["4096"], 4096),
    "epochs": (["3"], 3),
    "rule": (["linear"], "linear"),
    "learning_rate": (["0.01"], 0.01),
    "embedding_learning_rate": (["2e-3"], 2e-3),
    "embedding_l2": (["1e-3"], 1e-3),
    "clip_ratio": (["inf"], None),
    "clip_floor": (["1e-2"], 1e-2),
    "warmup_epochs": (["0"], 0.0),
    "decay": (["plateau"], "plateau"),
    "clip_variant": (["column"], "column"),
    "clip_threshold": (["0.5"], 0.5),
    "embedding_dim": (["4"], 4),
    "embedding_deviation": (["0.1"], 0.1),
    "hidden_units": (["8,4"], [8, 4]),
    "dropout": (["0.5"], 0.5),
    "network": (["activation=prelu"], {"activation": "prelu"}),
    "dtype": (["mixed_bfloat16"], "mixed_bfloat16"),
    "lazy": ([], True),
    "average": (["ema"], "ema"),
    "average_epochs": (["2"], 2.0),
    "patience": (["3"], 3),
    "seed": (["7"], 7),
}


def options_of(command):
    params = typer.main.get_command(cli.app).commands[command].params
    return {param.name: param for param in params}


@pytest.fixture
def settings_of(monkeypatch):
    """Runs a command up to its call of the library; nothing is trained."""
    received = {}

    def stop(log, output, **arguments):
        received.update(arguments)
        raise ValueError("stop")

    monkeypatch.setattr("zoo.training.training.train", stop)
    monkeypatch.setattr("zoo.scaling.study.scaling_study", stop)
    monkeypatch.setattr("zoo.tuning.study.tune", stop)
    for module in (train_command, scale_command, tune_command):
        monkeypatch.setattr(module, "open_log", lambda data: None)

    def run(command, *options):
        received.clear()
        with pytest.raises(SystemExit):
            cli.main([command, "--output", "run", *options])
        return {n: v for n, v in received.items() if n in DEFAULTS}

    return run


def test_without_options_the_settings_are_the_defaults(settings_of):
    expected = {**DEFAULTS, "hidden_units": [400, 400, 400]}
    assert settings_of("train") == expected
    assert settings_of("tune") == {}
    assert settings_of("scale") == {
        n: v for n, v in expected.items() if n not in VARIED
    }


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_value_reaches_the_library(settings_of, name):
    _, expected = OTHER_VALUES[name]
    # The one has no meaning without the other.
    pair = ("clip_variant", "clip_threshold")
    options = [
        word
        for each in (pair if name in pair else (name,))
        for word in ("--" + each.replace("_", "-"), *OTHER_VALUES[each][0])
    ]
    # Only what is given is fixed in a search.
    given = settings_of("tune", *options)
    assert given[name] == expected
    assert len(given) == (2 if name in pair else 1)
    for command in ("train", "scale"):
        if command == "train" or name not in VARIED:
            assert settings_of(command, *options)[name] == expected


@pytest.mark.parametrize("command", EARLIER)
def test_earlier_options_are_still_there(command):
    there = {o for option in options_of(command).values() for o in option.opts}
    assert set(EARLIER[command].split()) <= there


@pytest.mark.parametrize("command", ["train", "scale", "tune"])
def test_the_help_is_that_of_the_recipe(command):
    for name, option in options_of(command).items():
        if name in DEFAULTS:
            assert option.help, name
            assert "Defaults to" not in option.help
    options = options_of(command)
    assert options["epochs"].help == (
        "Passes over the training rows, in whole batches. The rows that are "
        "left at the end of an epoch begin the next one, as with "
        "`zoo.ClickBatches(carry_remainder=True)`. With a single epoch they "
        "are left out, and the report counts them as `unseen_rows`."
    )
    assert options["learning_rate"].help == (
        "Learning rate of the dense weights at batch 1024. Default: the "
        "paper's: 1e-4 for Avazu, else 8e-4."
    )


@pytest.mark.parametrize(
    "options",
    [
        ("--hidden-units", "8,4,2"),
        ("--hidden-units", "8", "--hidden-units", "4", "--hidden-units", "2"),
        ("--hidden-units", "8,4", "--hidden-units", "2"),
    ],
)
@pytest.mark.parametrize("command", ["train", "scale"])
def test_units_are_given_with_commas_or_one_by_one(
    settings_of, command, options
):
    assert settings_of(command, *options)["hidden_units"] == [8, 4, 2]


@pytest.mark.parametrize("units", ["0", "8,", "8,-4", "8;4", "4.5", ""])
def test_other_units_are_refused(settings_of, read_stderr, units):
    assert not settings_of("train", "--hidden-units", units)
    stderr = read_stderr()
    assert "must be positive integers" in stderr
    assert f"Received: {units}".strip() in stderr


@pytest.mark.parametrize("name", ["model", "rule", "decay", "clip_variant"])
def test_other_choices_are_refused(settings_of, capsys, name):
    assert not settings_of("train", "--" + name.replace("_", "-"), "cube")
    assert "'cube' is not one of" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name, typed, meant",
    [
        ("model", "DeepFMM", "deepfm"),
        ("rule", "frequence", "frequency"),
        ("decay", "cosin", "cosine"),
    ],
)
def test_a_choice_that_is_close_is_proposed(
    settings_of, read_stderr, name, typed, meant
):
    assert not settings_of("train", f"--{name}", typed)
    assert read_stderr().count(f"Did you mean '{meant}'?") == 1


def test_dense_batches_are_variants_of_a_study(monkeypatch, settings_of):
    received = {}

    def stop(log, output, **arguments):
        received.update(arguments)
        raise ValueError("stop")

    # `settings_of` has replaced what would read a log.
    monkeypatch.setattr("zoo.scaling.study.scaling_study", stop)
    command = "scale --output run --clip off --clip r=1"
    dense = "--dense-batch-size 4096 --dense-batch-size 8192"
    with pytest.raises(SystemExit):
        cli.main(f"{command} {dense}".split())
    assert received["variants"] == {
        "off, dense batch 4096": {"clip_ratio": None, "batch_size": 4096},
        "off, dense batch 8192": {"clip_ratio": None, "batch_size": 8192},
        "dense batch 4096": {"clip_ratio": 1.0, "batch_size": 4096},
        "dense batch 8192": {"clip_ratio": 1.0, "batch_size": 8192},
    }
