"""`python -m zoo tune` reads what to vary, and ends in a recipe file."""

import json
import sys

import pytest

import zoo
from zoo.cli import app as cli
from zoo.cli import train_command
from zoo.cli import tune_command
from zoo.datasets import synthetic

pytestmark = pytest.mark.one_backend(reason="the command, not what it calls")
OPTIONS = (
    *("--model", "dnn", "--epochs", "1", "--batch-size", "512"),
    *("--embedding-dim", "2", "--trials", "2", "--dropout", "0"),
    *("--param", "hidden_units=[4],[4,2]"),
    *("--param", "embedding_l2=1e-6:1e-4:log"),
)


@pytest.fixture
def made_log(monkeypatch):
    """The log that the commands make without `--data`, but smaller."""
    log = synthetic.make_log(rows=2000, max_vocabulary=20)
    for module in (tune_command, train_command):
        monkeypatch.setattr(module, "open_log", lambda data: log)
    return log


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")

    def run(*arguments):
        try:
            cli.main([*map(str, arguments)])
        except SystemExit as exit:
            assert not exit.code, capsys.readouterr().err
        return capsys.readouterr().out

    return run


@pytest.fixture
def error_of(capsys):
    def error_of(*arguments):
        with pytest.raises(SystemExit) as exit:
            cli.main([*map(str, arguments)])
        assert exit.value.code
        lines = capsys.readouterr().err.strip().splitlines()
        return lines[-1]

    return error_of


def test_a_search_ends_in_a_recipe_that_train_takes(made_log, run, tmp_path):
    tuned, trained = tmp_path / "tuned", tmp_path / "run"
    printed = run("tune", "--output", tuned, *OPTIONS)
    assert "trial 2 of 2" in printed
    assert "dnn, 2 trials, 2 complete" in printed
    assert f"Best recipe: {tuned / 'best_recipe.json'}" in printed
    recipe = json.loads((tuned / "best_recipe.json").read_text())["recipe"]
    assert recipe["model"] == "dnn"
    assert recipe["hidden_units"] in ([4], [4, 2])
    run(
        *("train", "--recipe", tuned / "best_recipe.json"),
        *("--output", trained),
    )
    report = json.loads((trained / "report.json").read_text())
    settings = report["hyperparameters"]
    for name in ("learning_rate", "embedding_learning_rate", "embedding_l2"):
        scaled = zoo.Recipe(**recipe).scaled()[name]
        assert settings[name] == scaled
    study = (tuned / "study.csv").read_text()
    assert str(report["history"]["val_auc"][-1]) in study
    assert settings["hidden_units"] == recipe["hidden_units"]


def test_a_recipe_for_another_log_needs_that_log(
    made_log, run, error_of, tmp_path
):
    run("tune", "--output", tmp_path / "tuned", *OPTIONS, "--trials", "1")
    path = tmp_path / "tuned" / "best_recipe.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "data": "shop"}))
    message = error_of("train", "--recipe", path, "--output", tmp_path / "run")
    assert "needs the log that it is for, shop: give its folder" in message
    assert not (tmp_path / "run").exists()


@pytest.fixture
def params_of(monkeypatch):
    """Runs the command up to its call of the library."""
    received = {}

    def stop(log, output, **arguments):
        received.update(arguments)
        raise ValueError("stop")

    monkeypatch.setattr("zoo.tuning.study.tune", stop)
    monkeypatch.setattr(tune_command, "open_log", lambda data: None)

    def params_of(*texts):
        options = [word for text in texts for word in ("--param", text)]
        with pytest.raises(SystemExit):
            cli.main(["tune", "--output", "tuned", *options])
        return received["params"]

    return params_of


@pytest.mark.parametrize(
    "text, expected",
    [
        ("num_cross_layers=1:6", (1, 6)),
        ("dropout=0.0:0.5", (0.0, 0.5)),
        ("learning_rate=1e-4:1e-2:log", (1e-4, 1e-2, "log")),
        ("embedding_dim=8:64:log", (8, 64, "log")),
        ("batch_size=512,1024", [512, 1024]),
        ("rule=cowclip,none", ["cowclip", "none"]),
        ("residual=true,false", [True, False]),
        ("clip_ratio=1.0,null", [1.0, None]),
        ("gate_units=null,none,8", [None, "none", 8]),
        ("hidden_units=[64],[64,32]", [[64], [64, 32]]),
    ],
)
def test_params_are_read(params_of, text, expected):
    name = text.partition("=")[0]
    read = params_of(text)
    assert read == {name: expected}
    assert type(read[name]) is type(expected)
    assert [*map(type, read[name])] == [*map(type, expected)]


def test_params_may_be_given_several_times(params_of):
    assert params_of() == {}
    assert [*params_of("dropout=0.0:0.1", "epochs=1:3")] == [
        "dropout",
        "epochs",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "dropout", "dropout=", "=1:2", "dropout=0.1", "dropout=0.1:",
        "dropout=a:b", "dropout=1:2:3", "dropout=1:2:log:4",
    ],
)  # fmt: skip
def test_other_texts_are_refused(text, tmp_path, read_stderr):
    with pytest.raises(SystemExit):
        cli.main(["tune", "--output", str(tmp_path / "t"), "--param", text])
    shown = read_stderr()
    assert "`--param` must be a setting with a range or choices" in shown
    assert f"Received: {text}" in shown
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options, message",
    [
        (("--param", "depth=1:3"), "Received: depth=(1, 3)"),
        (("--param", "dropout=0.5:0.1"), "Received: dropout=(0.5, 0.1)"),
        (
            ("--param", "dropout=0.0:0.1", "--dropout", "0.2"),
            "Received: dropout=(0.0, 0.1), fixed at 0.2",
        ),
        # What is given is fixed, also at its default.
        (
            ("--param", "dropout=0.0:0.1", "--dropout", "0"),
            "Received: dropout=(0.0, 0.1), fixed at 0.0",
        ),
        (
            (
                *("--model", "dcn", "--network", "num_cross_layers=2"),
                *("--param", "num_cross_layers=1:3"),
            ),
            "Received: num_cross_layers=(1, 3), fixed at 2",
        ),
    ],
    ids=str,
)
def test_wrong_params_end_in_a_line(
    made_log, error_of, options, message, tmp_path
):
    line = error_of("tune", "--output", tmp_path / "tuned", *options)
    assert line.startswith("error: `params`")
    assert line.endswith(message)
    assert not list(tmp_path.iterdir())


def test_without_optuna_no_log_is_made(monkeypatch, error_of, tmp_path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.setattr(tune_command, "open_log", None)
    line = error_of("tune", "--output", tmp_path / "tuned")
    assert "pip install 'keras-cowclip[tune]'" in line
