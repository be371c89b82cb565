"""Explains models of a log in which one column determines the label."""

import json

import huggingface_hub
import keras
import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss
from sklearn.metrics import roc_auc_score

import zoo
from tests.zoo import networks
from tests.zoo import own_networks
from zoo.cli import app as cli
from zoo.data.row_sample import sample_rows
from zoo.data.split import Split
from zoo.datasets import synthetic
from zoo.evaluation import explanation
from zoo.metrics import auc_standard_error
from zoo.metrics import calibration_bins

ROWS = 3_000
SCHEMA = zoo.FeatureSchema(
    dense=["noise"], categorical={"constant": 3, "signal": 10, "other": 10}
)
# As the schema has them, which decides the order of the shuffles.
COLUMNS = {
    "noise": ("dense", 0),
    "constant": ("ids", 0),
    "signal": ("ids", 1),
    "other": ("ids", 2),
}
FILES = {"explanation.json", "explanation.png"}


def make_split(seed, rows=ROWS):
    random = np.random.default_rng(seed)
    ids = random.integers(0, 10, (rows, 3)).astype("int32")
    ids[:, 0] = 2
    clicks = random.random(rows) < 0.05 + 0.09 * ids[:, 1]
    dense = random.normal(size=(rows, 1)).astype("float32")
    return Split({"dense": dense, "ids": ids}, clicks.astype("int8"))


@pytest.fixture(scope="module")
def log():
    splits = {"train": make_split(1), "test": make_split(2)}
    return zoo.EncodedLog(SCHEMA, splits, "hand-made")


@pytest.fixture(scope="module")
def preset(log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("explanation") / "model"
    keras.utils.set_random_seed(0)
    model = zoo.DeepFM(
        SCHEMA, embedding_dim=4, hidden_units=(8,), embedding_deviation=0.1
    )
    model.compile(keras.optimizers.Adam(0.02), loss="binary_crossentropy")
    batches = zoo.ClickBatches(log.split("train"), 250, shuffle=True)
    model.fit(batches, epochs=2, shuffle=False, verbose=0)
    zoo.save_to_preset(model, folder)
    return folder


@pytest.fixture(scope="module")
def report(log, preset):
    return zoo.explain(preset, log, show_progress=False)


def by_column(report):
    return {found["column"]: found for found in report["importance"]}


def test_the_column_that_tells_of_clicks_is_first(report):
    names = [found["column"] for found in report["importance"]]
    assert names[0] == "signal"
    assert set(names) == set(COLUMNS)
    columns = by_column(report)
    assert columns["signal"]["auc_drop"] > 0.15
    assert columns["signal"]["log_loss_rise"] > 0.05
    assert columns["signal"]["kind"] == "categorical"
    assert columns["noise"]["kind"] == "dense"
    drops = [found["auc_drop"] for found in report["importance"]]
    assert drops == sorted(drops, reverse=True)


def test_columns_of_noise_are_within_it(report):
    columns = by_column(report)
    assert not columns["signal"]["within_noise"]
    for name in ("noise", "other"):
        drop, deviation = (
            columns[name][key] for key in ("auc_drop", "auc_drop_deviation")
        )
        assert 0 < deviation < 0.01
        assert drop <= 2 * deviation
        assert columns[name]["within_noise"]


def test_a_constant_column_loses_nothing(report):
    constant = by_column(report)["constant"]
    assert constant["auc_drops"] == [0.0] * 5
    assert constant["log_loss_rises"] == [0.0] * 5
    assert constant["within_noise"]


# The last batch is small and padded; a batch of 700 splits a shuffle.
@pytest.mark.parametrize(
    "batch_size", [pytest.param(16_384, marks=pytest.mark.large), 700]
)
def test_a_drop_is_that_of_a_direct_calculation(
    log, preset, monkeypatch, batch_size
):
    monkeypatch.setattr(explanation, "PREDICTED_ROWS", batch_size)
    found = by_column(
        zoo.explain(preset, log, repeats=2, seed=7, show_progress=False)
    )
    inputs, labels = log.split("test").read(0, ROWS)
    model = zoo.from_preset(preset)
    whole = model.predict(inputs, verbose=0)
    for number, (name, (key, place)) in enumerate(COLUMNS.items()):
        drops, rises = [], []
        for repeat in range(2):
            order = np.random.default_rng([7, number, repeat]).permutation(ROWS)
            shuffled = {key: array.copy() for key, array in inputs.items()}
            shuffled[key][:, place] = inputs[key][order, place]
            scores = model.predict(shuffled, verbose=0)
            drops.append(
                roc_auc_score(labels, whole) - roc_auc_score(labels, scores)
            )
            rises.append(log_loss(labels, scores) - log_loss(labels, whole))
        column = found[name]
        # Another batch rounds otherwise, which may swap two near equal scores.
        assert column["auc_drops"] == pytest.approx(drops, abs=1e-5)
        assert column["auc_drop"] == pytest.approx(np.mean(drops), abs=1e-5)
        assert column["auc_drop_deviation"] == pytest.approx(
            np.std(drops, ddof=1), abs=1e-5
        )
        assert column["log_loss_rises"] == pytest.approx(rises, abs=1e-6)
        assert column["log_loss_rise"] == pytest.approx(
            np.mean(rises), abs=1e-6
        )


def test_the_metrics_are_those_of_evaluation(log, preset, report):
    for name, value in zoo.evaluate(preset, log).items():
        assert report[name] == pytest.approx(value, rel=1e-6)
    assert report["rows"] == report["split_rows"] == ROWS
    assert report["backend"] == keras.backend.backend()


def test_the_same_seed_gives_the_same_numbers(log, preset):
    arguments = {"rows": 1_000, "repeats": 2, "show_progress": False}
    first, again, other = (
        zoo.explain(preset, log, seed=seed, **arguments) for seed in (3, 3, 4)
    )
    assert first == again
    assert first["rows"] == 1_000
    assert first["split_rows"] == ROWS
    assert first["auc"] != other["auc"]


def test_all_of_it_is_written(log, preset, tmp_path):
    output = tmp_path / "explained"
    for seed in (0, 1):
        # The second replaces the first.
        report = zoo.explain(
            preset, log, output, rows=500, repeats=2, seed=seed, overwrite=True
        )
        assert json.loads((output / "explanation.json").read_text()) == report
    with pytest.raises(ValueError, match="`overwrite=True`.*Received: output="):
        zoo.explain(preset, log, output)
    assert {path.name for path in output.iterdir()} == FILES
    assert (output / "explanation.png").read_bytes()[:4] == b"\x89PNG"
    assert sum(report["scores"]["clicks"]) == round(500 * report["click_rate"])
    assert sum(report["scores"]["non_clicks"]) == 500 - sum(
        report["scores"]["clicks"]
    )


def test_calibration_is_that_of_a_direct_calculation(report, log, preset):
    inputs, labels = log.split("test").read(0, ROWS)
    scores = zoo.from_preset(preset).predict(inputs, verbose=0)[:, 0]
    # Rounding decides on which side of an edge a score lies; not which edge.
    rate, predicted = calibration_curve(
        labels, scores.astype("float64"), n_bins=20, strategy="quantile"
    )
    found = calibration_bins(labels, scores)
    bins = found["bins"]
    assert [bin["click_rate"] for bin in bins] == pytest.approx(rate)
    assert [bin["mean_prediction"] for bin in bins] == pytest.approx(predicted)
    assert sum(bin["rows"] for bin in bins) == ROWS
    assert sum(bin["clicks"] for bin in bins) == labels.sum()
    error = sum(
        bin["rows"] * abs(p - r)
        for bin, p, r in zip(bins, predicted, rate, strict=True)
    )
    assert found["expected_calibration_error"] == pytest.approx(error / ROWS)
    assert report["expected_calibration_error"] == pytest.approx(
        found["expected_calibration_error"], abs=1e-3
    )
    assert report["calibration"] == pytest.approx(
        report["mean_prediction"] / report["click_rate"]
    )


def test_the_interval_of_a_click_rate_is_wilsons():
    labels = np.repeat([1, 0], [3, 17])
    (bin,) = calibration_bins(labels, np.full(20, 0.2), bins=1)["bins"]
    # Its ends are the rates p at which the 3 of 20 are 1.96 deviations off.
    for end in (bin["low"], bin["high"]):
        off = abs(0.15 - end) / np.sqrt(end * (1 - end) / 20)
        assert off == pytest.approx(1.959964, rel=1e-6)
    assert bin["low"] < 0.15 < bin["high"]


@pytest.mark.parametrize("label", [0, 1])
def test_the_interval_of_no_or_all_clicks_reaches_the_end(label):
    # With 10 rows, among others, rounding puts the end a little off.
    for rows in range(1, 30):
        labels, scores = np.full(rows, label), np.full(rows, 0.5)
        (bin,) = calibration_bins(labels, scores, bins=1)["bins"]
        assert 0 <= bin["low"] <= label <= bin["high"] <= 1
        assert bin["low"] < bin["high"]


def test_the_standard_error_is_the_spread_of_the_auc():
    random = np.random.default_rng(0)
    aucs, errors = [], []
    for _ in range(400):
        labels = (random.random(300) < 0.2).astype("int8")
        # Rare and widely spread clicks: each class has a spread of its own.
        spread = random.normal(size=300) * (1 + 4 * labels)
        scores = np.round(spread + labels, 1)
        aucs.append(roc_auc_score(labels, scores))
        errors.append(auc_standard_error(labels, scores))
    assert np.mean(errors) == pytest.approx(np.std(aucs), rel=0.12)


def test_one_click_has_no_standard_error(log, preset, tmp_path):
    split = make_split(5, rows=100)
    labels = np.zeros(100, "int8")
    labels[3] = 1
    rare = zoo.EncodedLog(
        SCHEMA, {"test": Split(split.inputs, labels)}, "one click"
    )
    report = zoo.explain(preset, rare, tmp_path / "out", repeats=2)
    assert report["auc_standard_error"] is None
    assert (tmp_path / "out" / "explanation.png").is_file()


def test_a_sample_has_rows_of_the_whole_split(monkeypatch):
    monkeypatch.setattr("zoo.data.row_sample.CHUNK_ROWS", 64)
    ids = np.arange(1_000, dtype="int32")[:, None]
    labels = (ids[:, 0] % 3 == 0).astype("int8")
    dense = ids.astype("float32")
    split = Split({"dense": dense, "ids": ids}, labels)
    sample = sample_rows(split, 300, seed=0)
    inputs, sampled = sample.read(0, len(sample))
    chosen = inputs["ids"][:, 0]
    assert len(np.unique(chosen)) == len(sample) == 300
    assert (np.diff(chosen) > 0).all()
    assert chosen.mean() == pytest.approx(500, abs=60)
    np.testing.assert_array_equal(inputs["dense"][:, 0], chosen)
    np.testing.assert_array_equal(sampled, chosen % 3 == 0)
    assert sample_rows(split, 1_000, seed=0) is split


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"split": "dev"}, "`split` must be one of.*Received: split='dev'"),
        ({"split": "train", "rows": 1}, "clicks and non-clicks.*'train'"),
        ({"rows": 0}, "`rows` must be an integer.*Received: rows=0"),
        ({"rows": 1e3}, "Received: rows=1000.0"),
        ({"repeats": 1}, "`repeats` must be .* at least 2.*repeats=1"),
        ({"repeats": True}, "Received: repeats=True"),
        ({"repeats": "5"}, "Received: repeats='5'"),
        ({"seed": -1}, "Received: seed=-1"),
        ({"revision": "main"}, "`revision` is for presets on the Hub"),
    ],
)
def test_bad_arguments_leave_nothing_behind(
    log, preset, tmp_path, arguments, message
):
    with pytest.raises(ValueError, match=message):
        zoo.explain(preset, log, tmp_path / "deep" / "out", **arguments)
    assert not list(tmp_path.iterdir())


def test_integers_of_numpy_are_written(log, preset, tmp_path):
    two, rows = np.int64(2), np.int64(300)
    zoo.explain(preset, log, tmp_path / "out", rows=rows, repeats=two, seed=two)
    report = json.loads((tmp_path / "out" / "explanation.json").read_text())
    assert (report["rows"], report["repeats"], report["seed"]) == (300, 2, 2)


def test_a_model_of_another_schema_is_refused(preset, tmp_path):
    other = synthetic.make_log(rows=1000, max_vocabulary=40)
    with pytest.raises(ValueError, match="another schema than .* synthetic"):
        zoo.explain(preset, other, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_folder_of_something_else_is_not_replaced(log, preset, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="not empty"):
        zoo.explain(preset, log, tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_failure_leaves_nothing_behind(log, preset, tmp_path, monkeypatch):
    def fail(report, path):
        path.write_bytes(b"half")
        raise OSError("no space")

    monkeypatch.setattr(explanation, "plot_explanation", fail)
    with pytest.raises(OSError, match="no space"):
        zoo.explain(preset, log, tmp_path / "out", rows=500, repeats=2)
    assert not list(tmp_path.iterdir())


def test_evaluation_hands_on_what_is_for_the_hub(log, preset, monkeypatch):
    asked = []

    def snapshot_download(repository, **options):
        asked.append((repository, options["revision"], options["token"]))
        return str(preset)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    zoo.evaluate("hf://someone/model", log, revision="v1")
    zoo.explain("hf://someone/model", log, rows=500, repeats=2, token="t")
    assert asked == [
        ("someone/model", "v1", None),
        ("someone/model", None, "t"),
    ]


def test_a_model_of_a_user_is_measured_as_its_preset_is(log, tmp_path):
    model = networks.set_weights(own_networks.functional(SCHEMA))
    zoo.save_to_preset(model, tmp_path / "own", schema=SCHEMA)
    options = {"rows": 500, "repeats": 2, "show_progress": False}
    reports = [
        zoo.explain(m, log, **options) for m in (model, tmp_path / "own")
    ]
    assert reports[0].pop("preset") == model.name
    assert reports[1].pop("preset") == str(tmp_path / "own")
    assert reports[0] == reports[1]
    assert set(by_column(reports[0])) == set(COLUMNS)
    assert zoo.evaluate(model, log) == zoo.evaluate(tmp_path / "own", log)


@pytest.mark.one_backend(reason="They are refused before they predict.")
def test_models_that_do_not_fit_the_log_are_refused(log):
    other = zoo.FeatureSchema(["price"], {"site": 10})
    with pytest.raises(ValueError, match="dict of inputs|shape.*Received"):
        zoo.evaluate(own_networks.functional(other), log)
    with pytest.raises(ValueError, match="made for the schema of the log"):
        zoo.explain(zoo.LR(other), log)
    with pytest.raises(ValueError, match="left out beside a model.*revision"):
        zoo.evaluate(own_networks.functional(SCHEMA), log, revision="main")


def test_the_command_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    random = np.random.default_rng(0)
    lines = [
        f"{int(random.random() < 0.1 + 0.2 * site)}\t{price}\ts{site}"
        for site, price in zip(
            random.integers(0, 4, 600), random.integers(0, 9, 600), strict=True
        )
    ]
    (tmp_path / "log.tsv").write_text("\n".join(lines) + "\n")
    shop = zoo.LogFormat(
        name="shop",
        columns=("click", "price", "site"),
        label="click",
        dense=("price",),
        categorical=("site",),
        delimiter="\t",
    )
    zoo.prepare(
        shop, tmp_path / "log.tsv", tmp_path / "encoded", show_progress=False
    )
    log = zoo.EncodedLog.load(tmp_path / "encoded")
    zoo.save_to_preset(
        zoo.DeepFM(log.schema, embedding_dim=4, hidden_units=(4,)),
        tmp_path / "model",
    )
    output = tmp_path / "explained"
    with pytest.raises(SystemExit) as exit:
        cli.main(
            ["explain", str(tmp_path / "model"), "--data",
             str(tmp_path / "encoded"), "--output", str(output),
             "--repeats", "2", "--split", "train", "--rows", "200"]
        )  # fmt: skip
    assert exit.value.code == 0
    assert {path.name for path in output.iterdir()} == FILES
    report = json.loads((output / "explanation.json").read_text())
    printed = capsys.readouterr().out
    assert f"{report['auc']:.5f}" in printed
    assert "AUC drop" in printed
    for found in report["importance"]:
        assert found["column"] in printed
        assert f"{found['auc_drop']:.5f}" in printed
    assert report["rows"] == 200
    assert report["split"] == "train"
