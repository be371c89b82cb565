"""A scaling study of minutes in seconds: its table, its resume, its figures."""

import csv

import keras
import pytest
from matplotlib import image

import zoo
from tests.wrong_values import NO_BOOLEANS
from tests.wrong_values import NO_PATHS
from tests.wrong_values import check_refused
from tests.wrong_values import each
from zoo.datasets import synthetic
from zoo.evaluation import evaluation
from zoo.scaling import study
from zoo.scaling.results import PACKED_FILE
from zoo.scaling.results import read_runs
from zoo.scaling.results import write_run
from zoo.training.run import Run

pytestmark = pytest.mark.one_backend(
    reason="its runs are those of `zoo.train`, which every backend is tested by"
)
SMALL = {"epochs": 2, "embedding_dim": 4, "hidden_units": (8,)}
GRID = {
    "batch_sizes": (1024, 4096),
    "rules": ("cowclip", "linear"),
    "seeds": (0, 1),
    "verbose": False,
    **SMALL,
}


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=12_000, max_vocabulary=50)


@pytest.fixture(scope="module")
def finished(log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "study"
    return folder, zoo.scaling_study(log, folder, **GRID)


def read_csv(folder):
    with (folder / "results.csv").open() as file:
        return list(csv.DictReader(file))


def test_results_have_a_line_for_every_run(finished):
    folder, rows = finished
    lines = read_csv(folder)
    assert [
        (line["rule"], int(line["batch_size"]), int(line["seed"]))
        for line in lines
    ] == [
        (rule, batch_size, seed)
        for seed in (0, 1)
        for rule in ("cowclip", "linear")
        for batch_size in (1024, 4096)
    ]
    for line, row in zip(lines, rows, strict=True):
        assert float(line["auc"]) == row["auc"]
        assert float(line["auc_regret"]) == pytest.approx(
            float(line["bayes_auc"]) - row["best_epoch_auc"]
        )
        assert float(line["log_loss_regret"]) > 0
        assert line["versions"].startswith("keras ")
        assert line["hardware"].endswith("cores")
    assert len(read_runs(folder)) == len(rows)
    # No row was clipped.
    figures = {"auc.png", "seconds.png"}
    files = {path.name for path in folder.iterdir()}
    assert files == {PACKED_FILE, "results.csv", *figures}


def test_a_run_is_what_train_gives(finished, log, tmp_path):
    _, rows = finished
    report = zoo.train(
        log, tmp_path / "run", batch_size=4096, rule="linear", seed=1,
        verbose=0, **SMALL,
    )  # fmt: skip
    assert rows[-1]["auc"] == pytest.approx(report["auc"], rel=1e-6)
    assert rows[-1]["best_epoch"] == 2
    assert rows[-1]["best_epoch_auc"] == rows[-1]["auc"]


def test_metrics_of_the_best_epoch_are_kept(log, tmp_path, monkeypatch):
    metrics = iter(
        [
            # Validation and test of each epoch, and the test in the end; the
            # second epoch's validation is no better, so its test is not asked.
            {"auc": 0.7, "log_loss": 0.5, "calibration": 1.0},
            {"auc": 0.6, "log_loss": 0.4, "calibration": 1.0},
            {"auc": 0.7, "log_loss": 0.3, "calibration": 1.0},
            {"auc": 0.5, "log_loss": 0.2, "calibration": 1.0},
        ]
    )
    monkeypatch.setattr(evaluation, "exact_metrics", lambda *_: next(metrics))
    [row] = zoo.scaling_study(
        log, tmp_path / "study", rules=("cowclip",), batch_sizes=(4096,),
        verbose=False, **SMALL,
    )  # fmt: skip
    assert (row["best_epoch"], row["best_epoch_auc"]) == (1, 0.6)
    assert (row["best_epoch_log_loss"], row["auc"]) == (0.4, 0.5)


def test_rules_that_agree_are_run_once(finished):
    _, rows = finished
    at_base = [
        row for row in rows if row["batch_size"] == 1024 and row["seed"] == 0
    ]
    assert [row["rule"] for row in at_base] == ["cowclip", "linear"]
    assert at_base[0]["seconds"] == at_base[1]["seconds"]
    others = [
        row for row in rows if row["batch_size"] == 4096 and row["seed"] == 0
    ]
    assert others[0]["auc"] != others[1]["auc"]
    assert others[1]["embedding_learning_rate"] == pytest.approx(4e-4)


@pytest.mark.parametrize("name", ["auc", "seconds"])
def test_figures_are_drawn(name, finished):
    picture = image.imread(finished[0] / f"{name}.png")
    assert min(picture.shape[:2]) > 300
    # Not a blank page.
    assert picture[..., :3].std() > 0.05


class Broken(Exception):
    pass


def fail_at(monkeypatch, number, error):
    """Lets the run of this number end in an error in its second epoch."""
    calls = iter(range(100))
    fit_run, fit_model = Run.fit, keras.Model.fit

    class Fail(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise error

    def stopping(model, *args, callbacks, **kwargs):
        callbacks = [*callbacks, Fail()]
        return fit_model(model, *args, callbacks=callbacks, **kwargs)

    def failing(run, *args, **kwargs):
        with pytest.MonkeyPatch.context() as patch:
            if next(calls) == number:
                patch.setattr(keras.Model, "fit", stopping)
            fit_run(run, *args, **kwargs)

    monkeypatch.setattr(Run, "fit", failing)


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(Broken(), id="broken off"),
        pytest.param(
            OSError(28, "No space left on device"),
            id="disk full",
            marks=pytest.mark.large,
        ),
    ],
)
def test_a_study_that_is_broken_off_resumes(
    error, monkeypatch, finished, log, tmp_path
):
    folder = tmp_path / "study"
    with monkeypatch.context() as patch:
        fail_at(patch, 2, error)
        with pytest.raises(type(error)):
            zoo.scaling_study(log, folder, **GRID)
    # Three lines of two runs, for the rules agree at the smallest batch.
    before = read_csv(folder)
    assert len(before) == 3
    done = read_runs(folder)
    assert len(done) == 3
    rows = zoo.scaling_study(log, folder, **GRID)
    assert read_csv(folder)[:3] == before
    reports = read_runs(folder)
    assert {name: reports[name] for name in done} == done
    for ours, theirs in zip(rows, finished[1], strict=True):
        for name in (
            "auc",
            "best_epoch",
            "best_epoch_auc",
            "best_epoch_log_loss",
        ):
            assert ours[name] == theirs[name]
    # The run that was under way began where its first epoch had ended.
    resumed = [name for name in reports if reports[name].resumed_at]
    assert resumed == ["deepfm-linear-batch_4096-seed_0"]
    assert not (folder / "runs").exists()


def test_a_study_that_has_a_file_for_each_run_is_not_repeated(
    monkeypatch, finished, log, tmp_path
):
    """Studies were kept so before they were packed."""
    folder = tmp_path / "study"
    for report in read_runs(finished[0]).values():
        write_run(folder, report)
    monkeypatch.setattr(study, "_train", None)
    assert zoo.scaling_study(log, folder, **GRID) == finished[1]
    for name in (PACKED_FILE, "results.csv"):
        ours, theirs = folder / name, finished[0] / name
        assert ours.read_bytes() == theirs.read_bytes()
    assert not (folder / "runs").exists()


VARIANTS = {
    "": {},
    "no clip": {"clip_ratio": None},
    "global": {"clip_variant": "global", "clip_threshold": 1e-3},
    "dev. 1e-4": {"embedding_deviation": 1e-4},
    "field": {"clip_variant": "field", "clip_threshold": 1e-4},
}


@pytest.mark.large
def test_a_study_can_grow_by_variants_of_the_recipe(finished, log, tmp_path):
    folder = tmp_path / "study"
    small = {**GRID, "seeds": (0,), "rules": ("cowclip",)}
    zoo.scaling_study(log, folder, **small)
    before = read_runs(folder)
    rows = zoo.scaling_study(log, folder, variants=VARIANTS, **small)
    assert before.items() <= read_runs(folder).items()
    # The results of a later call have the runs of earlier calls.
    again = zoo.scaling_study(log, folder, **small)
    assert sorted(map(str, again)) == sorted(map(str, rows))
    assert len(read_csv(folder)) == len(rows)
    assert [row["variant"] for row in rows] == [
        v for v in VARIANTS for _ in "ab"
    ]
    assert rows[0]["auc"] == finished[1][0]["auc"]
    # The adaptive clip is seldom active here; the others change every step.
    assert len({row["auc"] for row in rows}) >= 8
    for row, (name, arguments) in zip(rows[::2], VARIANTS.items(), strict=True):
        for argument, value in arguments.items():
            assert row[argument] == value, name


def test_a_variant_has_a_batch_of_its_own_for_the_dense_weights(log, tmp_path):
    rows = zoo.scaling_study(
        log,
        tmp_path / "study",
        batch_sizes=(1024, 4096),
        rules=("frequency",),
        variants={"": {}, "two": {"batch_size": 1024}},
        verbose=False,
        **SMALL,
    )
    batches = [
        (row["variant"], row["embedding_batch_size"], row["batch_size"])
        for row in rows
    ]
    assert batches == [
        ("", 1024, 1024), ("", 4096, 4096), ("two", 1024, 1024),
        ("two", 4096, 1024),
    ]  # fmt: skip
    small, large, same, both = (row["auc"] for row in rows)
    assert same == small
    [again] = zoo.scaling_study(
        log, tmp_path / "other", batch_sizes=(4096,), rules=("frequency",),
        batch_size=1024, verbose=False, **SMALL,
    )  # fmt: skip
    assert (again["batch_size"], again["auc"]) == (1024, both)
    assert both not in (small, large)


def test_without_a_test_split_the_last_epoch_counts(log, tmp_path):
    # The best epoch of the split it was chosen by would flatter it.
    splits = {name: log.split(name) for name in ("train", "validation")}
    bare = zoo.EncodedLog(log.schema, splits, "bare")
    [row] = zoo.scaling_study(
        bare, tmp_path / "study", rules=("cowclip",), batch_sizes=(4096,),
        verbose=False, **SMALL,
    )  # fmt: skip
    assert row["evaluated_on"] == "validation"
    assert row["best_epoch_auc"] is None
    assert row["best_epoch"] in (1, 2)


def test_plateaus_need_a_validation_before_anything_is_trained(log, tmp_path):
    splits = {name: log.split(name) for name in ("train", "test")}
    bare = zoo.EncodedLog(log.schema, splits, "bare")
    variants = {"": {}, "plateau": {"decay": "plateau"}}
    with pytest.raises(ValueError, match="needs a validation split"):
        zoo.scaling_study(bare, tmp_path / "s", variants=variants, **GRID)
    assert not list(tmp_path.iterdir())


def test_a_run_that_diverges_has_a_line_without_metrics(log, tmp_path):
    rows = zoo.scaling_study(
        log, tmp_path / "study", batch_sizes=(1024, 4096), rules=("linear",),
        learning_rate=1e30, warmup_epochs=0, verbose=False, **SMALL,
    )  # fmt: skip
    assert [row["auc"] for row in rows] == [None, None]
    assert read_csv(tmp_path / "study")[0]["auc"] == ""


@pytest.mark.parametrize(
    "name, value",
    each(
        {
            "log": ["encoded", None],
            "output": NO_PATHS,
            "verbose": NO_BOOLEANS,
        }
    ),
)
def test_values_of_a_wrong_type_are_refused(name, value, log, tmp_path):
    def study(**wrong):
        zoo.scaling_study(
            **{"log": log, "output": tmp_path / "study", **GRID, **wrong}
        )

    check_refused(name, value, study)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"batch_sizes": (1024, 16_384)}, "training split.*16384, with 9600"),
        ({"models": ("gpt",)}, "`model` must be one of.*gpt"),
        ({"rules": ("cube",)}, "`rule` must be one of.*cube"),
        ({"seeds": ()}, "must each have a value"),
        ({"variants": {"a, b": {}, "A b": {}}}, "Received: 'a, b' and 'A b'"),
        (
            {"variants": {"slow": {"seed": 3}}},
            r"Received: \['seed'\] in 'slow'",
        ),
        ({"variants": {"": {"clip_ratio": -1}}}, "Received: clip_ratio=-1"),
        ({"variants": {"": {"batch_size": 0}}}, "Received: batch_size=0"),
        ({"variants": {"": {"batch_size": 1000}}}, "multiple of `batch_size`"),
        ({"embedding_batch_size": 4096}, "Received: embedding_batch_size=4096"),
    ],
    ids=str,
)
def test_wrong_arguments_are_refused(changed, message, log, tmp_path):
    with pytest.raises(ValueError, match=message):
        zoo.scaling_study(log, tmp_path / "study", **{**GRID, **changed})
    assert not list(tmp_path.iterdir())


def test_another_study_is_not_mixed_in(finished, log):
    folder, _ = finished
    before = (folder / "results.csv").read_bytes()
    with pytest.raises(ValueError, match="another study.*Received: .*epochs"):
        zoo.scaling_study(log, folder, **{**GRID, "epochs": 3})
    other = synthetic.make_log(rows=13_000, max_vocabulary=50)
    for rules in (GRID["rules"], ("sqrt",)):
        with pytest.raises(ValueError, match="other data.*Received: .*rows"):
            zoo.scaling_study(other, folder, **{**GRID, "rules": rules})
    assert (folder / "results.csv").read_bytes() == before
