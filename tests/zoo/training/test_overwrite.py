"""A finished run is replaced only where the caller says so."""

import keras
import pytest

import zoo
from tests.wrong_values import NO_BOOLEANS
from tests.wrong_values import check_refused
from tests.zoo.training.interruption import InterruptEpoch
from zoo.cli import app as cli
from zoo.cli import train_command
from zoo.datasets import synthetic
from zoo.training.run import Run

SETTINGS = {
    "batch_size": 256, "epochs": 2, "embedding_dim": 2, "hidden_units": (4,),
    "verbose": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=2000, max_vocabulary=20)


@pytest.fixture(scope="module")
def finished(log, tmp_path_factory):
    output = tmp_path_factory.mktemp("finished") / "run"
    zoo.train(log, output, **SETTINGS)
    return output


def content(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.fixture
def nothing_begins(monkeypatch):
    def begin(*arguments):
        pytest.fail("the run began")

    monkeypatch.setattr(Run, "begin", begin)


@pytest.mark.parametrize(
    "options, reason",
    [
        (
            {},
            r"earlier run made, which only `overwrite=True` \(`--overwrite`\)",
        ),
        ({"resume": True}, r"nothing to resume.* is finished.*`--overwrite`"),
    ],
)
def test_a_finished_run_stays(log, finished, nothing_begins, options, reason):
    before = content(finished)
    with pytest.raises(ValueError, match=f"{reason}.*Received: output="):
        zoo.train(log, finished, **options, **SETTINGS)
    assert content(finished) == before
    assert [p.name for p in finished.parent.iterdir()] == ["run"]


@pytest.mark.parametrize("options", [(), ("--resume",)])
def test_the_command_says_so_before_it_reads_a_log(
    finished, monkeypatch, capsys, options
):
    def read(data):
        pytest.fail("the log was read")

    monkeypatch.setattr(train_command, "open_log", read)
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", "--output", str(finished), *options])
    assert ended.value.code == 1
    assert "--overwrite" in capsys.readouterr().err


def test_with_overwrite_it_is_replaced_once_the_other_is_done(log, tmp_path):
    output = tmp_path / "run"
    first = zoo.train(log, output, **SETTINGS)
    before = content(output)

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            assert content(output) == before

    second = zoo.train(
        log, output, overwrite=True, callbacks=[Look()],
        **{**SETTINGS, "seed": 1},
    )  # fmt: skip
    assert second["auc"] != first["auc"]
    assert zoo.evaluate(output, log)["auc"] == pytest.approx(
        second["auc"], abs=1e-6
    )


@pytest.mark.trained_often
def test_a_replacement_that_was_broken_off_resumes(log, tmp_path):
    output, settings = tmp_path / "run", {**SETTINGS, "seed": 1}
    zoo.train(log, output, **SETTINGS)
    before = content(output)
    with pytest.raises(KeyboardInterrupt):
        zoo.train(
            log, output, overwrite=True, callbacks=[InterruptEpoch(1)],
            **settings,
        )  # fmt: skip
    assert content(output) == before
    with pytest.raises(ValueError, match="nothing to resume"):
        zoo.train(log, output, resume=True, **settings)
    report = zoo.train(log, output, resume=True, overwrite=True, **settings)
    assert report["resumed_at"] == [[1, 0]]
    assert content(output) != before


@pytest.mark.parametrize("value", NO_BOOLEANS)
def test_it_is_a_boolean(log, tmp_path, value):
    check_refused(
        "overwrite",
        value,
        lambda **wrong: zoo.train(log, tmp_path / "run", **wrong),
    )
    assert not list(tmp_path.iterdir())
