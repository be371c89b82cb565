"""A run that diverges ends in an error that names the last good checkpoint."""

import re

import numpy as np
import pytest

import zoo
from tests.zoo.training.interruption import AfterSteps
from zoo.cli import app as cli
from zoo.cli import train_command
from zoo.datasets import synthetic
from zoo.metrics import TrainingDivergedError

STEPS_PER_EPOCH = 6
SETTINGS = {
    "batch_size": 256, "epochs": 4, "embedding_dim": 2, "hidden_units": (4,),
    "verbose": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=2000, max_vocabulary=20)


class Spoil(AfterSteps):
    """Makes a weight NaN, as a step that was too long does."""

    def act(self):
        bias = self.model.trainable_variables[-1]
        bias.assign(np.full(bias.shape, np.nan))


def diverge(log, output, steps, **options):
    with pytest.raises(TrainingDivergedError) as error:
        zoo.train(
            log, output, callbacks=[Spoil(steps)], **{**SETTINGS, **options}
        )
    message = str(error.value)
    assert re.search(
        r"diverged: lower the learning rates\. Received: ", message
    )
    return message


# The step that spoils weights, and that of the last good checkpoint.
@pytest.mark.parametrize(
    "steps, last",
    [
        # The checkpoint of step 8 has the spoilt ones.
        (8, 7),
        # The validation finds them before the checkpoint of its epoch.
        pytest.param(12, 11, marks=pytest.mark.trained_often),
        # The validation has found none.
        pytest.param(13, 12, marks=pytest.mark.trained_often),
    ],
)
def test_the_last_good_checkpoint_is_named(steps, last, log, tmp_path):
    output = tmp_path / "run"
    message = diverge(log, output, steps, checkpoint_steps=1)
    path = tmp_path / "run.checkpoints" / f"step-{last:08d}"
    assert f"diverged is {path}; " in message
    assert path.is_dir()
    assert not output.exists()


def test_without_a_checkpoint_none_is_named(log, tmp_path):
    message = diverge(log, tmp_path / "run", 3)
    assert "checkpoint" not in message
    assert not list(tmp_path.iterdir())


@pytest.mark.trained_often
def test_the_command_ends_in_one_line(log, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(train_command, "open_log", lambda data: log)
    options = "--batch-size 32 --learning-rate 1e30 --warmup-epochs 0"
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", "--output", str(tmp_path / "run"), *options.split()])
    assert ended.value.code == 1
    assert re.fullmatch(
        r"error: .*has diverged.*Received: .*\n", capsys.readouterr().err
    )
