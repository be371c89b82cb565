import json
import math

import pytest

import zoo
from zoo.cli import app as cli
from zoo.cli import train_command
from zoo.datasets import RAW_LOGS

# The paper's table 4 of settings: dense learning rate, l2 and clip floor.
PUBLISHED = {
    "criteo_deepfm_1k": (1024, 8e-4, 1e-5, 1e-5, 0.8086),
    "criteo_deepfm_8k": (8192, 22.62e-4, 8e-5, 1e-5, 0.8097),
    "criteo_deepfm_128k": (131072, 90.5e-4, 128e-5, 1e-5, 0.8090),
    "avazu_deepfm_1k": (1024, 1e-4, 1e-5, 1e-3, 0.7883),
    "avazu_deepfm_8k": (8192, 2.83e-4, 8e-5, 1e-4, 0.7906),
    "avazu_deepfm_128k": (131072, 16e-4, 96e-5, 1e-4, 0.7880),
}


BARS = [name for name in zoo.built_in_recipes() if name not in PUBLISHED]


def test_every_recipe_is_of_a_publication_that_is_looked_at():
    assert set(PUBLISHED) < set(zoo.built_in_recipes())
    # Most networks have a run on each log.
    assert len(BARS) > 180
    assert {name.split("_x")[0] for name in BARS} == {"criteo", "avazu"}


@pytest.mark.one_backend(reason="a recipe's settings have no backend")
def test_recipes_of_bars_train_as_fuxictr_does():
    for name in BARS:
        loaded = zoo.RecipeFile.load(name)
        recipe = zoo.Recipe(**loaded.recipe)
        assert name.startswith(loaded.data), name
        assert loaded.data in RAW_LOGS
        assert f"prepare {loaded.data} " in loaded.prepare
        assert 0.74 < loaded.published["auc"] < 0.82, name
        assert 0.36 < loaded.published["log_loss"] < 0.47, name
        assert "not repeated" in loaded.published["source"]
        # Plain Adam at one rate, cut where the validation AUC rises no more.
        scaled = recipe.scaled()
        assert scaled["learning_rate"] == recipe.embedding_learning_rate
        assert scaled["embedding_l2"] == recipe.embedding_l2 <= 0.05
        assert recipe.clip_ratio is None
        assert (recipe.decay, recipe.warmup_epochs) == ("plateau", 0)


def test_settings_of_bars_are_those_of_its_log():
    # https://github.com/reczoo/BARS, ranking/ctr/FinalMLP/FinalMLP_criteo_x1.
    loaded = zoo.RecipeFile.load("criteo_x1_finalmlp")
    assert loaded.published["auc"] == 0.814902
    recipe = zoo.Recipe(**loaded.recipe)
    assert recipe == zoo.Recipe(
        model="finalmlp",
        batch_size=4096,
        epochs=12,
        rule="none",
        learning_rate=1e-3,
        embedding_learning_rate=1e-3,
        embedding_l2=1e-5 / 2,
        clip_ratio=None,
        warmup_epochs=0,
        decay="plateau",
        embedding_dim=10,
        embedding_deviation=1e-4,
        hidden_units=(400, 400, 400),
        dropout=0.2,
        network={
            "normalization": "batch",
            "second_units": (1000,),
            "second_normalization": "batch",
            "second_dropout": 0.3,
            "gate_units": (800,),
            "num_heads": 200,
            "first_context": [f"I{i}" for i in range(1, 14)],
            "second_context": ["C6"],
        },
    )


@pytest.mark.one_backend(reason="it lists files")
def test_the_command_lists_recipes(capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main(["recipes", *arguments])
        return ended.value.code, capsys.readouterr()

    code, printed = call("x1_deepfm", "--json")
    found = json.loads(printed.out)
    assert code == 0
    assert list(found) == ["avazu_x1_deepfm", "criteo_x1_deepfm"]
    assert found["criteo_x1_deepfm"]["published"]["auc"] == 0.813812
    _, printed = call("criteo_x1")
    # The best is on top.
    table = printed.out
    assert table.index("finalnet_2b") < table.index("criteo_x1_lr")
    code, printed = call("x9")
    assert code == 1
    assert "part of a recipe's name" in printed.err


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_scales_to_the_published_values(name):
    loaded = zoo.RecipeFile.load(name)
    recipe = zoo.Recipe(**loaded.recipe)
    batch_size, learning_rate, l2, floor, auc = PUBLISHED[name]
    assert recipe.batch_size == batch_size
    scaled = recipe.scaled()
    assert math.isclose(scaled["learning_rate"], learning_rate, rel_tol=1e-3)
    assert math.isclose(scaled["embedding_l2"], l2, rel_tol=1e-3)
    assert scaled["embedding_learning_rate"] == 1e-4
    assert recipe.clip_floor == floor
    assert loaded.published["auc"] == auc
    assert "not repeated" in loaded.published["source"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_command_to_prepare_names_the_log(name):
    loaded = zoo.RecipeFile.load(name)
    assert loaded.data in RAW_LOGS
    assert f"prepare {loaded.data} " in loaded.prepare
    assert "--validation-fraction 0" in loaded.prepare


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recipe": {"batchsize": 8}}, "batchsize"),
        ({"recipe": {"batch_size": 0}}, "`batch_size` must be"),
        ({"more": 1}, "more"),
    ],
)
def test_a_damaged_recipe_is_refused(tmp_path, change, message):
    content = {
        "description": "",
        "data": "criteo",
        "prepare": "",
        "recipe": {},
        "published": {},
    }
    path = tmp_path / "own.json"
    path.write_text(json.dumps({**content, **change}))
    with pytest.raises(ValueError, match=rf"own.json: must be.*{message}"):
        zoo.RecipeFile.load(path)


def test_an_unknown_recipe_is_refused():
    with pytest.raises(FileNotFoundError, match="zoo recipes.*mine"):
        zoo.RecipeFile.load("mine")


@pytest.fixture
def arguments_of_train(monkeypatch):
    """What the command would train with; nothing is trained."""
    received = {}

    def train_model(log, output, **arguments):
        received.update(arguments)
        raise ValueError("stop")

    monkeypatch.setattr("zoo.training.training.train", train_model)
    monkeypatch.setattr(train_command, "open_log", lambda data: None)
    return received


def test_the_command_takes_the_settings_of_a_recipe(arguments_of_train):
    recipe = ["--recipe", "avazu_deepfm_128k", "--data", "encoded"]
    with pytest.raises(SystemExit):
        cli.main(["train", *recipe, "--output", "run"])
    settings = zoo.RecipeFile.load("avazu_deepfm_128k").recipe
    received = {name: arguments_of_train[name] for name in settings}
    assert received == settings


def test_options_come_before_those_of_the_recipe(arguments_of_train):
    for options in (
        ["--recipe", "criteo_deepfm_128k", "--batch-size", "64"],
        ["--batch-size", "64", "--recipe", "criteo_deepfm_128k"],
    ):
        with pytest.raises(SystemExit):
            cli.main(["train", "--data", "d", "--output", "run", *options])
        assert arguments_of_train["batch_size"] == 64
        assert arguments_of_train["hidden_units"] == [400, 400, 400]


def test_a_recipe_is_not_run_on_the_synthetic_log(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "--recipe", "criteo_deepfm_1k", "--output", "run"])
    assert "prepare criteo --source" in capsys.readouterr().err


@pytest.fixture
def own_recipe(tmp_path):
    """A recipe that trains in a moment."""

    def write(**settings):
        path = tmp_path / "own.json"
        content = {
            "description": "",
            "data": "criteo",
            "prepare": "",
            "recipe": {
                "batch_size": 64,
                "epochs": 1,
                "hidden_units": [4],
                **settings,
            },
            "published": {"auc": 0.8097, "source": "Somebody, not repeated"},
        }
        path.write_text(json.dumps(content))
        return str(path)

    return write


@pytest.mark.one_backend(reason="what is printed beside a run")
@pytest.mark.parametrize(
    ("name", "options", "shown"),
    [
        ("criteo", [], True),
        ("criteo", ["--seed", "3"], True),
        ("criteo", ["--hidden-units", "5"], False),
        ("criteo", ["--learning-rate", "0.01"], False),
        ("criteo", ["--model", "dcn"], False),
        ("criteo", ["--initial-model", "{earlier}"], False),
        ("synthetic", [], False),
    ],
)
def test_the_published_metrics_are_shown_beside_the_same_run_only(
    own_recipe, tmp_path, capsys, name, options, shown
):
    raw = tmp_path / "train.txt"
    zoo.datasets.synthetic.write_raw_log(raw, rows=1000, max_vocabulary=5)
    data = zoo.datasets.CRITEO if name == "criteo" else zoo.datasets.SYNTHETIC
    zoo.prepare(data, raw, tmp_path / name, validation_fraction=0.0)
    log = zoo.EncodedLog.load(tmp_path / name)
    earlier = zoo.DeepFM(log.schema, hidden_units=(4,))
    earlier.save_to_preset(tmp_path / "earlier", log.encoder)
    options = [o.format(earlier=tmp_path / "earlier") for o in options]
    with pytest.raises(SystemExit, match="0"):
        cli.main(
            [
                *("train", "--recipe", own_recipe()),
                *("--data", str(tmp_path / name)),
                *("--output", str(tmp_path / "run"), *options),
            ]
        )
    printed = capsys.readouterr().out
    assert ("0.80970" in printed) == shown
    assert ("not repeated" in " ".join(printed.split())) == shown


def test_a_recipe_without_a_clip_trains_without_one(
    own_recipe, arguments_of_train
):
    recipe = own_recipe(clip_ratio=None)
    with pytest.raises(SystemExit):
        cli.main(["train", "--recipe", recipe, "--data", "d", "--output", "r"])
    assert arguments_of_train["clip_ratio"] is None


def test_the_command_takes_a_constant_clip_of_a_recipe(
    own_recipe, arguments_of_train
):
    recipe = own_recipe(
        clip_variant="global", clip_threshold=1.0, embedding_deviation=0.1
    )
    with pytest.raises(SystemExit):
        cli.main(["train", "--recipe", recipe, "--data", "d", "--output", "r"])
    assert arguments_of_train["clip_variant"] == "global"
    assert arguments_of_train["clip_threshold"] == 1.0
    assert arguments_of_train["embedding_deviation"] == 0.1
