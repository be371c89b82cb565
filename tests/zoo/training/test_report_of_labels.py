"""Metrics by label and by group, in every place that a report is shown."""

import csv
import io
import json

import pytest
from matplotlib import image
from rich.console import Console

import zoo
from zoo.cli.tables import metrics_table
from zoo.cli.tables import report_table
from zoo.datasets import synthetic
from zoo.files.csv_table import write_table
from zoo.training import learning_curves
from zoo.training.learning_curves import plot_learning_curves
from zoo.training.report import Report
from zoo.training.report import attributes_of
from zoo.training.validation_metrics import logged_metrics

GROUPS = {"user": {"gauc": 0.6125, "groups": 1234, "left_out_share": 0.25}}
ONE = {"auc": 0.7, "log_loss": 0.5, "calibration": 1.0, "groups": GROUPS}
TWO = {
    "click": {**ONE, "missing_rows": 0},
    "purchase": {
        "auc": 0.8,
        "log_loss": 0.3,
        "calibration": 0.9,
        "groups": {"user": {"gauc": None, "groups": 0, "left_out_share": 1.0}},
        "missing_rows": 1234,
    },
}
BAYES = {
    "click": {"auc": 0.75, "log_loss": 0.45},
    "purchase": {"auc": 0.88, "log_loss": 0.2},
}
HISTORY = {
    "loss": [0.6, 0.5],
    "clipped_share": [0.5, 0.25],
    "val_auc": [0.65, 0.69],
    "val_log_loss": [0.55, 0.52],
    "val_gauc_user": [0.6, 0.61],
}
HISTORY_OF_TWO = {
    **HISTORY,
    "val_click_auc": [0.65, 0.69],
    "val_click_log_loss": [0.55, 0.52],
    "val_click_gauc_user": [0.6, 0.61],
    "val_purchase_auc": [0.79, 0.77],
    "val_purchase_log_loss": [0.35, 0.32],
    "best_epoch_auc": [0.66, 0.68],
    "best_epoch_log_loss": [0.5, 0.48],
    "best_epoch_purchase_auc": [0.78, 0.76],
    "best_epoch_purchase_log_loss": [0.36, 0.33],
}


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=2000, max_vocabulary=20)


def report_of(log, metrics, history, bayes=None):
    return Report.of(
        log,
        zoo.Recipe(learning_rate=1e-3),
        **attributes_of(metrics),
        seconds=2.0,
        samples_per_second=400.0,
        bayes=bayes,
        history=history,
        clipped_curve=[0.5],
    )


@pytest.fixture(scope="module")
def by_group(log):
    return report_of(log, ONE, HISTORY, BAYES["click"])


@pytest.fixture(scope="module")
def by_label(log):
    return report_of(log, TWO, HISTORY_OF_TWO, BAYES)


def shown(table):
    text = io.StringIO()
    Console(file=text, width=150).print(table)
    return [line.split("│")[1:-1] for line in text.getvalue().splitlines()]


def cells(table, name):
    """The cells of the line with a name."""
    (line,) = (c for c in shown(table) if c and c[0].strip() == name)
    return [cell.strip() for cell in line[1:]]


def test_a_report_has_them_as_json(by_group, by_label):
    for report in (by_group, by_label):
        content = json.loads(json.dumps(report.to_json()))
        again = Report.from_json(content)
        assert again == report
        assert again.metrics() == report.metrics()
    content = by_group.to_json()
    assert content["groups"] == GROUPS
    assert "labels" not in content
    content = by_label.to_json()
    # The first label's metrics stand where those of a single label do.
    assert (content["auc"], content["log_loss"]) == (0.7, 0.5)
    assert content["groups"] == GROUPS
    assert content["labels"] == TWO
    assert by_label.metadata("log")["metrics"] == TWO


def test_an_epoch_logs_each_label_and_the_first_without_its_name():
    assert logged_metrics(ONE) == {
        "auc": 0.7,
        "log_loss": 0.5,
        "gauc_user": 0.6125,
    }
    assert logged_metrics(TWO) == {
        **logged_metrics(ONE),
        "click_auc": 0.7,
        "click_log_loss": 0.5,
        "click_gauc_user": 0.6125,
        "purchase_auc": 0.8,
        # Groups without both classes have no AUC, in no epoch.
        "purchase_log_loss": 0.3,
    }


def test_a_line_of_results_compares_the_first_label(by_label, by_group):
    row = by_label.row()
    assert (row["auc"], row["best_epoch"], row["best_epoch_auc"]) == (
        *(0.7, 2),
        0.68,
    )
    assert row["bayes_auc"] == 0.75
    assert row["auc_regret"] == pytest.approx(0.75 - 0.68)
    assert row["click.auc"] == 0.7
    assert row["click.gauc.user"] == 0.6125
    assert row["purchase.auc"] == 0.8
    assert row["purchase.best_epoch_auc"] == 0.76
    assert row["purchase.bayes_log_loss"] == 0.2
    assert row["purchase.gauc.user"] is None
    assert by_group.row()["gauc.user"] == 0.6125


def test_results_have_every_column_though_a_run_diverged(
    log, by_label, tmp_path
):
    diverged = Report.diverged(log, zoo.Recipe(learning_rate=1e-3))
    path = tmp_path / "results.csv"
    write_table([diverged.row(), by_label.row()], path)
    with path.open() as file:
        first, second = csv.DictReader(file)
    assert (first["purchase.auc"], second["purchase.auc"]) == ("", "0.8")


def test_tables_have_a_column_for_each_label(by_label, by_group):
    table = report_table(by_label)
    assert cells(table, "auc") == ["0.70000", "0.75000", "0.80000", "0.88000"]
    assert cells(table, "gauc by user") == ["0.61250", "", "none", ""]
    assert cells(table, "groups by user") == ["1,234", "", "0", ""]
    assert cells(table, "rows without the label") == ["0", "", "1,234", ""]
    table = report_table(by_group)
    assert cells(table, "log_loss") == ["0.50000", "0.45000"]
    assert cells(table, "rows left out by user") == ["0.25000", ""]
    table = metrics_table(TWO, "test", "runs/first")
    assert [str(column.header) for column in table.columns] == [
        "metric, test",
        "click",
        "purchase",
    ]
    assert cells(table, "auc") == ["0.70000", "0.80000"]
    table = metrics_table(ONE, "test", "runs/first")
    assert cells(table, "gauc by user") == ["0.61250"]


def test_learning_curves_name_labels_and_groups(
    by_label, by_group, tmp_path, monkeypatch
):
    drawn = []
    draw = learning_curves._draw

    def watched(*arguments):
        drawn.append(draw(*arguments))
        return drawn[-1]

    monkeypatch.setattr(learning_curves, "_draw", watched)
    for report in (by_group, by_label):
        plot_learning_curves(report, tmp_path / "curves.png")
        picture = image.imread(tmp_path / "curves.png")
        assert picture[..., :3].std() > 0.05
    auc_of_one, auc_of_two = (figure.axes[1] for figure in drawn)
    lines = {line.get_label(): line for line in auc_of_one.lines}
    assert set(lines) == {"validation", "by user", "test", "best possible"}
    assert list(lines["by user"].get_ydata()) == [0.6, 0.61]
    lines = {line.get_label(): line for line in auc_of_two.lines}
    assert set(lines) == {
        *("validation, click", "validation, purchase", "by user, click"),
        *("test, click", "test, purchase"),
        *("best possible, click", "best possible, purchase"),
    }
    assert list(lines["validation, purchase"].get_ydata()) == [0.79, 0.77]
    assert set(lines["best possible, purchase"].get_ydata()) == {0.88}


def test_a_model_card_has_a_column_for_each_label(by_label, log, tmp_path):
    network = zoo.DeepFM(log.schema, embedding_dim=2, hidden_units=(4,))
    network.save_to_preset(tmp_path / "m", metadata=by_label.metadata("shop"))
    card = zoo.model_card(tmp_path / "m")
    assert (
        "| test split, 200 rows | click | best possible | purchase "
        "| best possible |\n|---|---|---|---|---|\n"
        "| auc | 0.70000 | 0.75000 | 0.80000 | 0.88000 |\n"
    ) in card.text
    assert "| gauc by user | 0.61250 |  | none |  |" in card.text
    results = {r.metric_name: r.metric_value for r in card.data.eval_results}
    assert results == {
        "AUC, click": 0.7,
        "log-loss, click": 0.5,
        "AUC, purchase": 0.8,
        "log-loss, purchase": 0.3,
    }


@pytest.mark.trained_often
def test_a_run_measures_groups_after_every_epoch(log, tmp_path):
    settings = {
        "batch_size": 256, "epochs": 2, "embedding_dim": 2,
        "hidden_units": (4,), "verbose": 0,
    }  # fmt: skip
    report = zoo.train(log, tmp_path / "run", group_by="C9", **settings)
    measured = zoo.evaluate(tmp_path / "run", log, group_by="C9")
    found, expected = report["groups"]["C9"], measured["groups"]["C9"]
    assert found["gauc"] == pytest.approx(expected["gauc"], abs=1e-6)
    assert found["groups"] == expected["groups"] == 3
    last = zoo.evaluate(tmp_path / "run", log, "validation", "C9")
    history = report["history"]
    assert len(history["val_gauc_C9"]) == 2
    assert history["val_gauc_C9"][-1] == pytest.approx(
        last["groups"]["C9"]["gauc"], abs=1e-6
    )
    assert "| gauc by C9 |" in zoo.model_card(tmp_path / "run").text
    plain = zoo.train(log, tmp_path / "plain", **settings)
    assert "groups" not in plain
    assert set(history) - set(plain["history"]) == {"val_gauc_C9"}


def test_a_field_that_does_not_exist_is_refused_before_training(log, tmp_path):
    with pytest.raises(ValueError, match="group_by.*Received: group_by='user'"):
        zoo.train(log, tmp_path / "run", group_by=["user"], verbose=0)
    assert not list(tmp_path.iterdir())


def test_a_run_is_not_resumed_with_other_groups(log):
    settings = zoo.Recipe(embedding_dim=2, hidden_units=(4,))
    plain, grouped = (
        zoo.training.run.Run.begin(log, settings, group_by=group_by)
        for group_by in (None, ["C9"])
    )
    assert "group_by" not in plain.identity()
    assert grouped.identity() == {**plain.identity(), "group_by": ["C9"]}
