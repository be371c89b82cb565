"""A log whose truth is in how the item relates to the history."""

import csv
import time

import numpy as np
import pytest

from zoo.datasets import synthetic
from zoo.datasets.history_log import draw_history_log
from zoo.metrics import exact_metrics

HISTORY = 12


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(
        rows=30_000, max_vocabulary=200, seed=1, history=HISTORY, purchase=True
    )


@pytest.fixture(scope="module")
def drawn():
    """What the log is made of, with its true probabilities."""
    return draw_history_log(30_000, 200, 1, HISTORY, purchase=True)


def test_the_log_fits_its_schema(log):
    schema = log.schema
    assert schema.labels == ("click", "purchase")
    assert schema.dense == ["price"]
    assert list(schema.categorical) == ["user", "item", "category", "hour"]
    assert list(schema.sequences) == ["history", "history_category"]
    assert schema.vocabulary_of("history_category") == "category"
    assert schema.roles == {"user": ["user"], "item": ["item", "category"]}
    sizes = {name: len(split) for name, split in log.splits.items()}
    assert sizes == {"train": 24_000, "validation": 3_000, "test": 3_000}
    for split in log.splits.values():
        schema.check(split.inputs)
        for name, (_, dtype) in schema.inputs().items():
            assert split.inputs[name].dtype == dtype
        assert split.labels.dtype == "int8"
        assert (
            0 < split.inputs["dense"].min() < split.inputs["dense"].max() <= 1
        )


def test_histories_are_ragged_and_their_events_aligned(log):
    inputs = log.splits["train"].inputs
    items, categories = inputs["history"], inputs["history_category"]
    lengths = (items >= 0).sum(axis=1)
    assert set(lengths) == set(range(HISTORY + 1))
    # Padding is in front, and the events follow without a gap.
    is_event = np.arange(HISTORY) >= HISTORY - lengths[:, None]
    np.testing.assert_array_equal(items >= 0, is_event)
    np.testing.assert_array_equal(categories >= 0, is_event)
    assert items[is_event].min() == categories[is_event].min() == 2
    # An item is of one category, in histories and where it is offered.
    category_of = dict(zip(*inputs["ids"][:, 1:3].T, strict=True))
    pairs = set(zip(items[is_event], categories[is_event], strict=True))
    assert all(category_of[item] == category for item, category in pairs)


def test_frequent_ids_are_the_low_ones_and_none_is_unknown(log):
    ids = log.splits["train"].inputs["ids"]
    for place, size in enumerate(log.schema.vocabulary_sizes):
        counts = np.bincount(ids[:, place], minlength=size)
        assert counts[:2].tolist() == [0, 0]
        assert counts[2:].min() > 0
    users = np.bincount(ids[:, 0])
    assert users[2] == users.max() > 5 * users[-1]


def test_truth_is_the_number_of_events_of_the_item_s_category(drawn):
    inputs = drawn.inputs
    matches = (inputs["history_category"] == inputs["ids"][:, 2, None]).sum(
        axis=1
    )
    probability = drawn.probabilities["click"]
    means = [probability[matches == n].mean() for n in range(4)]
    assert means[0] < 0.15 < 0.4 < means[1] < means[2] < means[3]
    # The other effects are small: within a number, so is the spread.
    logits = np.log(probability / (1 - probability))
    assert logits[matches == 0].std() < 0.8
    assert np.log(means[1] / (1 - means[1])) - logits[matches == 0].mean() > 1.5
    assert drawn.labels[:, 0].mean() == pytest.approx(0.25, abs=0.01)


def test_a_user_s_id_tells_nothing_of_the_interest(drawn):
    """The interests of a user's rows have no more in common than others."""
    user, category = drawn.inputs["ids"][:, 0], drawn.inputs["ids"][:, 2]
    frequent = user == 2
    assert frequent.sum() > 500
    shares = np.bincount(category[frequent], minlength=42)[2:] / frequent.sum()
    assert shares.max() < 0.06  # Of 40, and rows differ.


def test_a_purchase_follows_from_a_click(drawn):
    clicks, purchases = drawn.labels.T
    assert not (purchases & ~clicks.astype(bool)).any()
    assert purchases.sum() / clicks.sum() == pytest.approx(0.4, abs=0.03)
    of_clicks = drawn.probabilities["purchase"] / drawn.probabilities["click"]
    assert 0 < of_clicks.min() < of_clicks.max() < 1
    cheap = drawn.prices < 25
    clicked = clicks == 1
    rates = [purchases[clicked & of].mean() for of in (cheap, ~cheap)]
    assert rates[0] > rates[1] + 0.2
    # Something else than what makes a click.
    correlation = np.corrcoef(of_clicks, drawn.probabilities["click"])[0, 1]
    assert abs(correlation) < 0.2


def test_bayes_metrics_are_those_of_the_true_probabilities(log, drawn):
    test = slice(27_000, 30_000)
    for place, label in enumerate(log.schema.labels):
        assert log.bayes["test"][label] == exact_metrics(
            drawn.labels[test, place], drawn.probabilities[label][test]
        )
        assert 0.78 < log.bayes["train"][label]["auc"] < 0.87


def test_one_label_has_metrics_without_a_name():
    log = synthetic.make_log(rows=5000, max_vocabulary=50, history=3)
    assert (log.schema.label, log.schema.labels) == ("click", ("click",))
    assert log.splits["train"].labels.shape == (4000,)
    assert list(log.bayes["test"]) == ["auc", "log_loss", "calibration"]


def test_same_seed_same_log(log):
    again = synthetic.make_log(
        rows=30_000, max_vocabulary=200, seed=1, history=HISTORY, purchase=True
    )
    other = synthetic.make_log(
        rows=30_000, max_vocabulary=200, seed=2, history=HISTORY, purchase=True
    )
    for name, split in log.splits.items():
        np.testing.assert_array_equal(split.labels, again.splits[name].labels)
        for key, x in split.inputs.items():
            np.testing.assert_array_equal(x, again.splits[name].inputs[key])
    assert not np.array_equal(
        log.splits["train"].labels, other.splits["train"].labels
    )


@pytest.mark.parametrize("max_vocabulary", [2, 39, 100])
def test_small_vocabularies_have_fewer_categories(max_vocabulary):
    log = synthetic.make_log(
        rows=2000, max_vocabulary=max_vocabulary, history=5
    )
    for split in log.splits.values():
        log.schema.check(split.inputs)
    sizes = np.array(log.schema.vocabulary_sizes) - 2
    assert sizes[:3].max() <= max_vocabulary
    assert sizes[2] == min(max_vocabulary, 40)


@pytest.mark.parametrize("purchase", [False, True])
def test_the_raw_log_has_the_same_rows(tmp_path, purchase):
    arguments = {
        "rows": 3000, "max_vocabulary": 90, "seed": 3, "history": 7,
        "purchase": purchase,
    }  # fmt: skip
    path = tmp_path / "clicks.csv"
    synthetic.write_raw_log(path, **arguments)
    assert list(tmp_path.iterdir()) == [path]
    log = synthetic.make_log(**arguments)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    labels = list(log.schema.labels)
    assert list(rows[0]) == [
        *labels,
        "price",
        *log.schema.categorical,
        "history",
        "history_category",
    ]
    assert len(rows) == 3000
    train, places = log.splits["train"], list(log.schema.categorical)
    for number in (0, 1, 2, 1000, 2399):
        row, inputs = rows[number], train.read(number, number + 1)[0]
        written = np.array([int(row[label]) for label in labels])
        np.testing.assert_array_equal(
            train.labels[number], written if purchase else written[0]
        )
        assert inputs["dense"][0, 0] == np.float32(int(row["price"]) / 100)
        for place, name in enumerate(places):
            assert row[name] == f"{name[0]}{inputs['ids'][0, place] - 2}"
        for name, letter in (("history", "i"), ("history_category", "c")):
            ids = inputs[name][0]
            expected = [f"{letter}{id - 2}" for id in ids[ids >= 0]]
            assert row[name] == "|".join(expected)
    assert any(row["history"] == "" for row in rows)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"history": 0}, "`history` must be a positive.*history=0"),
        ({"history": 2.0}, "`history` must be a positive.*history=2.0"),
        ({"history": 5, "purchase": 1}, "`purchase` must be a boolean"),
        ({"purchase": True}, "`purchase` needs a log with histories.*None"),
        ({"rows": 10, "history": 5}, "rows.*Received: rows=10"),
        ({"max_vocabulary": 1, "history": 5}, "max_vocabulary.*=1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        synthetic.make_log(**arguments)
    with pytest.raises(ValueError, match=message):
        synthetic.write_raw_log(tmp_path / "clicks.csv", **arguments)
    assert not list(tmp_path.iterdir())


def test_rows_are_drawn_fast():
    start = time.process_time()
    draw_history_log(100_000, 2_000, 0, history=50, purchase=True)
    # 0.7 seconds of one core; a loop over the rows takes minutes.
    assert time.process_time() - start < 6
