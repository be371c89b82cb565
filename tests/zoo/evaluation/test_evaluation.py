"""Metrics of a split by label and by group, against a pandas group-by."""

import re

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss
from sklearn.metrics import roc_auc_score

import zoo
from tests.wrong_values import check_refused
from zoo.datasets import synthetic
from zoo.devices import devices
from zoo.evaluation import evaluation
from zoo.evaluation.evaluation import evaluate_split
from zoo.metrics import TrainingDivergedError
from zoo.metrics import UselessPredictionsWarning
from zoo.metrics import warn_if_useless

METRICS = ["auc", "log_loss", "calibration"]


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=3000, max_vocabulary=40)


@pytest.fixture(scope="module")
def model(log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "deepfm"
    keras.utils.set_random_seed(0)
    zoo.DeepFM(log.schema, hidden_units=(4,)).save_to_preset(folder)
    return folder


def frame(log, model, split="test"):
    inputs, labels = log.splits[split].inputs, log.splits[split].labels
    predicted = zoo.from_preset(model).predict(inputs, verbose=0)
    return pd.DataFrame({"y": labels, "p": predicted.ravel()}), inputs["ids"]


def gauc(rows, groups):
    counted = [g for _, g in rows.groupby(groups) if g["y"].nunique() == 2]
    aucs = [roc_auc_score(g["y"], g["p"]) for g in counted]
    sizes = list(map(len, counted))
    return {
        "gauc": pytest.approx(np.average(aucs, weights=sizes), rel=1e-9),
        "groups": len(counted),
        "left_out_share": pytest.approx(1 - sum(sizes) / len(rows)),
    }


def test_groups_are_the_ids_of_any_field(log, model):
    metrics = zoo.evaluate(model, log, group_by=["C2", "C9"])
    rows, ids = frame(log, model)
    assert list(metrics) == [*METRICS, "groups"]
    assert metrics["auc"] == pytest.approx(roc_auc_score(rows.y, rows.p))
    assert metrics["groups"] == {
        # The missing ones, of id 0, are a group as any other.
        "C2": gauc(rows, ids[:, 1]),
        "C9": gauc(rows, ids[:, 8]),
    }
    assert metrics["groups"]["C2"] != metrics["groups"]["C9"]


def test_one_field_may_be_a_string_and_none_is_as_before(log, model):
    metrics = zoo.evaluate(model, log, "validation", group_by="C9")
    assert list(metrics["groups"]) == ["C9"]
    del metrics["groups"]
    assert metrics == zoo.evaluate(model, log, "validation")
    assert list(metrics) == METRICS


@pytest.mark.parametrize("value", ["user", 3, True])
def test_a_group_that_is_no_field_is_refused(log, model, value):
    check_refused(
        "group_by", value, lambda **wrong: zoo.evaluate(model, log, **wrong)
    )


@pytest.mark.parametrize("wrong", ["I1", None, ["C1"]])
def test_the_group_among_several_that_is_no_field_is_named(log, model, wrong):
    received = re.escape(f"Received: group_by={wrong!r}")
    with pytest.raises(ValueError, match=f"group_by.*'C26'.*{received}"):
        zoo.evaluate(model, log, group_by=["C1", wrong])


class TwoLabels:
    """Predicts what it was given, as a network with several labels does."""

    def __init__(self, schema, predicted):
        self.schema = schema
        self.predicted = predicted

    def predict(self, batches, verbose):
        return self.predicted


class Rows:
    """A split with several labels, in two blocks."""

    def __init__(self, ids, labels):
        self.ids, self.labels = ids, labels

    def blocks(self):
        for rows in (slice(0, 100), slice(100, None)):
            yield {"ids": self.ids[rows]}, self.labels[rows]


@pytest.fixture
def several(monkeypatch):
    """A network, a split and its rows as a frame: click, purchase, user."""
    random = np.random.default_rng(0)
    schema = zoo.FeatureSchema(
        [], {"item": 9, "user": 30}, labels=("click", "purchase")
    )
    rows = pd.DataFrame(
        {
            "click": random.integers(0, 2, 400),
            "purchase": random.integers(-1, 2, 400),
            "p_click": random.random(400, "float32"),
            "p_purchase": random.random(400, "float32"),
            "user": random.integers(0, 30, 400),
        }
    )

    class Batches:
        def __init__(self, split, batch_size):
            self.to_keras = lambda: split

    monkeypatch.setattr(devices, "ClickBatches", Batches)
    network = TwoLabels(
        schema,
        {
            # A dict may come in another order than the labels.
            "purchase": rows[["p_purchase"]].to_numpy(),
            "click": rows[["p_click"]].to_numpy(),
        },
    )
    ids = np.stack([np.zeros(400, "int32"), rows["user"]], axis=1)
    split = Rows(ids, rows[["click", "purchase"]].to_numpy("int8").copy())
    return network, split, rows


def test_several_labels_have_metrics_each_of_the_rows_that_have_it(several):
    network, split, rows = several
    metrics = evaluate_split(network, split, network.schema, ["user"])
    assert list(metrics) == ["click", "purchase"]
    missing = {"click": 0, "purchase": int((rows["purchase"] == -1).sum())}
    assert missing["purchase"] > 50
    for label in metrics:
        y, p = rows[label], rows[f"p_{label}"].astype("float64")
        kept = y >= 0
        assert metrics[label] == {
            "auc": pytest.approx(roc_auc_score(y[kept], p[kept])),
            "log_loss": pytest.approx(log_loss(y[kept], p[kept])),
            "calibration": pytest.approx(p[kept].mean() / y[kept].mean()),
            "groups": {
                "user": gauc(
                    pd.DataFrame({"y": y[kept], "p": p[kept]}),
                    rows["user"][kept],
                )
            },
            "missing_rows": missing[label],
        }
    assert (
        "groups" not in evaluate_split(network, split, network.schema)["click"]
    )


def test_a_network_with_several_labels_is_evaluated_on_a_log():
    log = synthetic.make_log(
        rows=4000, max_vocabulary=50, history=5, purchase=True
    )
    inputs = {
        name: keras.Input((width,), dtype=dtype, name=name)
        for name, (width, dtype) in log.schema.inputs().items()
    }
    network = keras.Model(
        inputs,
        {
            name: keras.layers.Dense(1, "sigmoid", name=name)(inputs["dense"])
            for name in log.schema.labels
        },
    )
    network.schema = log.schema
    split = log.split("test")
    metrics = evaluate_split(network, split, network.schema, ["user", "hour"])
    predicted = network.predict(split.inputs, verbose=0)
    for place, label in enumerate(log.schema.labels):
        y, p = split.labels[:, place], predicted[label].ravel()
        assert metrics[label]["auc"] == pytest.approx(roc_auc_score(y, p))
        assert metrics[label]["missing_rows"] == 0
        for field, column in (("user", 0), ("hour", 3)):
            assert metrics[label]["groups"][field] == gauc(
                pd.DataFrame({"y": y, "p": p}), split.inputs["ids"][:, column]
            )


def test_a_label_of_one_class_is_named(several):
    network, split, _ = several
    split.labels[:, 1] = np.minimum(split.labels[:, 1], 0)
    with pytest.raises(ValueError, match=r"label 'purchase'.*both.*=\[0\]"):
        evaluate_split(network, split, network.schema)
    split.labels[:, 1] = -1
    with pytest.raises(ValueError, match=r"'purchase'.*=\[\] in 0 rows"):
        evaluate_split(network, split, network.schema)


def test_a_label_whose_predictions_are_no_numbers_is_named(several):
    network, split, _ = several
    split.labels[0] = 1
    network.predicted["purchase"] = np.full((400, 1), np.nan)
    with pytest.raises(TrainingDivergedError, match="'purchase'.*diverged"):
        evaluate_split(network, split, network.schema)


def test_useless_predictions_of_one_label_are_warned_of(several):
    network, split, rows = several
    # Sure of the contrary, of the rows that have the label.
    wrong = (1 - rows["purchase"].clip(0)).to_numpy("float64")
    network.predicted["purchase"] = wrong.clip(1e-6, 1 - 1e-6)[:, None]
    metrics = evaluate_split(network, split, network.schema)
    with pytest.warns(UselessPredictionsWarning) as warned:
        warn_if_useless(split.labels, metrics)
    assert len(warned) == 1
    assert "of the label 'purchase' are useless" in str(warned[0].message)


@pytest.mark.parametrize(
    "changes, difference",
    [
        (
            {"sequences": {"history": zoo.Sequence("C1", max_length=5)}},
            "sequences None in the data, [['history'",
        ),
        ({"weight": "weight"}, "weight None in the data, weight in the model"),
        ({"labels": ["click", "buy"]}, "labels None in the data, ['click'"),
    ],
)
def test_the_difference_of_schemas_is_named(log, changes, difference):
    ours = {"dense": log.schema.dense, "categorical": log.schema.categorical}
    model_schema = zoo.FeatureSchema(**ours, **changes)
    text = evaluation._first_difference(model_schema, log.schema)
    assert text.startswith(f"Received: {difference}")
