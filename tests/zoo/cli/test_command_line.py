"""The main job as a user runs it: raw file -> prepare -> train -> evaluate."""

import json
import os
import subprocess
import sys
import time
from typing import get_args

import numpy as np
import pytest

from keras_cowclip.scaling import RULES
from zoo.cli import app as cli
from zoo.cli import export_command as export
from zoo.cli import options
from zoo.cli import prepare_command as prepare
from zoo.cli import recipe_options
from zoo.datasets import AVAZU
from zoo.datasets import RAW_LOGS
from zoo.encoding.preparation import ENGINES
from zoo.encoding.preparation import FIT_ON
from zoo.raw.splits import SCHEMES
from zoo.raw.splits import SPLITS
from zoo.serving.export_formats import FORMATS

AVAZU_15K = {
    "name": "avazu_15k",
    "label": "click",
    "categorical": ["hour", *(c for c in AVAZU.categorical if c not in (
        "hour", "device_ip"))],
    "delimiter": ",",
    "header": True,
}  # fmt: skip
GOWALLA = {"name": "gowalla", "categorical": ["user", "item"]}
# Other tests run what these commands call with every backend.
COMMAND = pytest.mark.one_backend(reason="the command, not what it calls")
# A sample, what it is, and the AUC that three short epochs reach at least.
LOGS = {
    "criteo_kaggle_10k/train.txt": ("criteo", 0.55),
    "criteo_1tb_10k/day_0": ("criteo", 0.5),
    "avazu_10k/train": ("avazu", 0.55),
    "avazu_15k/train.csv": (AVAZU_15K, 0.55),
    "gowalla/valid.parquet": (GOWALLA, 0.6),
}


def run_process(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "zoo", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100", **environment},
    )


@pytest.fixture
def run_cli(capsys, monkeypatch):
    """Runs a command in this process: `run_process`, but quicker."""
    monkeypatch.setenv("COLUMNS", "100")

    def run_cli(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit:
            cli.main([*map(str, arguments)])
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, exit.value.code, out, err)

    return run_cli


@pytest.fixture(scope="module")
def raw_criteo(tmp_path_factory):
    """A small raw file in Criteo's layout, so that no sample is needed."""
    random = np.random.default_rng(0)
    lines = []
    for _ in range(3000):
        tokens = random.zipf(1.5, 26) % 50
        numbers = random.integers(-1, 20, 13)
        click = int(random.random() < 1 / (1 + np.exp(-(tokens[0] - 3.0))))
        lines.append(
            "\t".join(
                [str(click)]
                + ["" if n > 17 else str(n) for n in numbers]
                + ["" if t == 7 else f"{t:08x}" for t in tokens]
            )
        )
    path = tmp_path_factory.mktemp("raw") / "train.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def run_main_job(run, dataset, source, folder, batch_size=256, options=()):
    data, output = folder / "encoded", folder / "run"
    if isinstance(dataset, dict):
        path = folder / "format.json"
        path.write_text(json.dumps(dataset))
        dataset = path
    done = run("prepare", dataset, "--source", source, "--output", data)
    assert done.returncode == 0, done.stderr
    assert "validation" in done.stdout
    done = run("describe", data)
    assert done.returncode == 0, done.stderr
    assert "distinct ids" in " ".join(done.stdout.split())
    assert (data / "data_card.png").is_file()
    done = run(
        "train", "--data", data, "--model", "deepfm",
        "--batch-size", batch_size,
        "--epochs", 3, "--embedding-learning-rate", 1e-2, "--output", output,
        *options,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "samples per second" in done.stdout
    report = json.loads((output / "report.json").read_text())
    done = run("evaluate", output, "--data", data)
    assert done.returncode == 0, done.stderr
    assert f"{report['auc']:.5f}" in done.stdout
    return report


@COMMAND
def test_main_job_on_a_generated_log(raw_criteo, tmp_path):
    options = ("--lazy", "--patience", 2, "--tensorboard", tmp_path / "events")
    report = run_main_job(
        run_process, "criteo", raw_criteo, tmp_path, options=options
    )
    assert report["hyperparameters"]["lazy"]
    assert report["best_epoch"] <= len(report["history"]["val_auc"]) <= 3
    assert list((tmp_path / "events").glob("events.out.tfevents.*"))
    assert report["auc"] > 0.6
    assert sum(report["rows"].values()) == 3000


@pytest.mark.large
@pytest.mark.parametrize("name", LOGS)
def test_main_job_on_a_real_sample(name, tmp_path, run_cli, sample):
    dataset, auc = LOGS[name]
    batch_size = 4096 if "gowalla" in name else 256
    report = run_main_job(run_cli, dataset, sample(name), tmp_path, batch_size)
    assert report["auc"] > auc
    # The test split of the Terabyte sample has 27 clicks.
    assert 0.2 < report["calibration"] < 5


@pytest.mark.large
@COMMAND
def test_a_killed_training_is_resumed(raw_criteo, tmp_path, run_cli):
    data, run = tmp_path / "encoded", tmp_path / "run"
    checkpoints = tmp_path / "run.checkpoints"
    done = run_cli(
        "prepare", "criteo", "--source", raw_criteo, "--output", data
    )
    assert done.returncode == 0, done.stderr
    options = (
        "train", "--data", str(data), "--output", str(run), "--epochs", "4",
        "--batch-size", "32", "--checkpoint-steps", "2",
        "--keep-checkpoints", "3",
    )  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "zoo", *options], stdout=subprocess.DEVNULL
    )
    while not list(checkpoints.glob("step-*[0-9]")):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not run.exists()
    done = run_cli(*options)
    assert done.returncode == 1
    assert "resume it with" in done.stderr
    done = run_cli(*options, "--resume")
    assert done.returncode == 0, done.stderr
    report = json.loads((run / "report.json").read_text())
    assert len(report["resumed_at"]) == 1
    assert len(report["history"]["loss"]) == 4
    assert not checkpoints.exists()


@COMMAND
def test_a_scaling_study_ends_in_a_table(raw_criteo, tmp_path, run_cli):
    data, study = tmp_path / "encoded", tmp_path / "study"
    done = run_cli(
        "prepare", "criteo", "--source", raw_criteo, "--output", data
    )
    assert done.returncode == 0, done.stderr
    done = run_cli(
        "scale", "--data", data, "--output", study, "--epochs", 1,
        "--batch-size", 256, "--batch-size", 512, "--rule", "sqrt",
        "--clip", "off", "--clip", "global=1e-3",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "AUC to reach" in done.stdout
    assert "sqrt, off" in done.stdout
    assert "sqrt, global=1e-3" in done.stdout
    assert len((study / "results.csv").read_text().splitlines()) == 1 + 4


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--model", "gpt"), "'gpt' is not one of"),
        (("--rule", "cube"), "'cube' is not one of"),
        (("--batch-size", "0"), "should be greater than or equal to 1"),
        (("--learning-rate", "-1"), "Received: learning_rate=-1.0"),
        (("--clip-ratio", "-1"), "Received: clip_ratio=-1.0"),
        (("--data", "/no/such/folder"), "Received: /no/such/folder"),
    ],
)
def test_bad_options_end_in_a_message_and_no_folder(
    tmp_path, read_stderr, arguments, message
):
    arguments = ["train", *arguments, "--output", str(tmp_path / "run")]
    with pytest.raises(SystemExit) as exit:
        cli.main(arguments)
    assert exit.value.code != 0
    assert message in read_stderr()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("clip", ["rows=1", "global", "column=x", "r"])
def test_an_unknown_clip_ends_the_study_before_it_begins(
    tmp_path, read_stderr, clip
):
    with pytest.raises(SystemExit) as exit:
        cli.main(["scale", "--clip", clip, "--output", str(tmp_path / "study")])
    assert exit.value.code != 0
    assert f"Received: {clip}" in read_stderr()
    assert not list(tmp_path.iterdir())


def test_a_missing_source_is_named(tmp_path, run_cli):
    done = run_cli(
        "prepare", "criteo", "--source", "/no/such/file", "--output",
        tmp_path / "out",
    )  # fmt: skip
    assert done.returncode == 1
    assert "/no/such/file" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gpt", "--source", "x"), "Received: gpt"),
        (("criteo",), "`--source` must be given"),
        (("criteo_x4",), "Get Criteo_x4.zip from"),
        (("avazu", "--source", "reczoo/avazu_x1"), "Get Avazu_x1.zip from"),
        (("format.json", "--source", "x"), "must hold the arguments"),
        (("--encoder", "no/encoder", "--source", "x"), "no/encoder"),
    ],
)
def test_bad_arguments_of_prepare(
    tmp_path, monkeypatch, read_stderr, arguments, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(
        "huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache")
    )
    (tmp_path / "format.json").write_text('{"nam": 1}')
    with pytest.raises(SystemExit) as exit:
        cli.main(["prepare", *arguments, "--output", "out"])
    assert exit.value.code == 1
    assert message in read_stderr()
    assert not (tmp_path / "out").exists()


def test_an_unknown_backend_is_named():
    done = run_process("describe", "encoded", KERAS_BACKEND="numpyro")
    assert done.returncode != 0
    assert "tensorflow, jax, torch" in done.stderr
    assert "Received: KERAS_BACKEND=numpyro" in done.stderr


def test_choices_are_those_of_the_library():
    assert tuple(RAW_LOGS) == prepare.DATASETS
    assert recipe_options.RULES == RULES
    assert get_args(prepare.SplitScheme) == SCHEMES
    assert get_args(prepare.FitOn) == FIT_ON
    assert get_args(prepare.EngineName) == ENGINES
    assert get_args(options.SplitName) == SPLITS
    assert get_args(export.FormatName) == tuple(FORMATS)
