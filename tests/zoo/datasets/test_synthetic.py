import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import zoo
from zoo.datasets import synthetic
from zoo.metrics import exact_metrics


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=50_000, seed=1)


def test_log_is_criteo_shaped_and_fits_its_schema(log):
    assert (log.schema.num_dense, log.schema.num_fields) == (13, 26)
    sizes = {name: len(split) for name, split in log.splits.items()}
    assert sizes == {"train": 40_000, "validation": 5_000, "test": 5_000}
    for split in log.splits.values():
        log.schema.check(split.inputs)
        assert split.inputs["dense"].dtype == "float32"
        assert split.inputs["ids"].dtype == "int32"
        assert 0 <= split.inputs["dense"].min() <= 1
        assert split.labels.mean() == pytest.approx(0.25, abs=0.03)


def test_ids_fall_in_frequency_and_none_is_unknown(log):
    ids = log.splits["train"].inputs["ids"]
    for column in range(26):
        counts = np.bincount(ids[:, column], minlength=4)
        assert counts[1] == 0
        assert counts[2] == counts[2:].max()


def test_the_raw_log_has_the_same_rows(log, tmp_path):
    raw, output = tmp_path / "train.txt", tmp_path / "encoded"
    synthetic.write_raw_log(raw, rows=50_000, seed=1)
    zoo.prepare(
        zoo.datasets.SYNTHETIC,
        raw,
        output,
        split="sequential",
        test_fraction=0.1,
        validation_fraction=0.1,
        dense_transform="log",
        show_progress=False,
    )
    encoded = zoo.EncodedLog.load(output)
    for name, split in log.splits.items():
        other = encoded.split(name)
        np.testing.assert_array_equal(split.labels, other.labels)
        # Each column has a largest value of its own in the log in memory.
        scale = encoded.split("train").inputs["dense"].max(axis=0)
        np.testing.assert_allclose(
            other.inputs["dense"] / scale,
            split.inputs["dense"] / log.splits["train"].inputs["dense"].max(0),
            rtol=1e-6,
        )
        # Ids differ but stand for the same tokens: equal ids for equal ids.
        ids, others = split.inputs["ids"], other.inputs["ids"]
        np.testing.assert_array_equal(ids == 0, others == 0)
        for column in range(26):
            known = others[:, column] > 1
            pairs = np.unique(
                np.stack([ids[known, column], others[known, column]]), axis=1
            )
            assert len(np.unique(pairs[0])) == len(np.unique(pairs[1]))
            assert len(np.unique(pairs[0])) == pairs.shape[1]


@pytest.mark.parametrize("history", [None, 3])
def test_a_raw_log_that_fails_leaves_nothing(history, tmp_path, monkeypatch):
    write = pa.csv.write_csv

    def write_half(table, *args):
        write(table.slice(0, 500), *args)
        raise OSError(28, "No space left")

    monkeypatch.setattr(pa.csv, "write_csv", write_half)
    with pytest.raises(OSError, match="No space left"):
        synthetic.write_raw_log(
            tmp_path / "raw.txt", rows=1000, max_vocabulary=9, history=history
        )
    assert not list(tmp_path.iterdir())


def test_same_seed_same_log(log):
    again = synthetic.make_log(rows=50_000, seed=1)
    other = synthetic.make_log(rows=50_000, seed=2)
    for name, split in log.splits.items():
        np.testing.assert_array_equal(split.labels, again.splits[name].labels)
        for key, x in split.inputs.items():
            np.testing.assert_array_equal(x, again.splits[name].inputs[key])
    assert not np.array_equal(
        log.splits["train"].labels, other.splits["train"].labels
    )


def test_bayes_metrics_are_those_of_the_true_probabilities(log):
    for name in log.splits:
        bayes = log.bayes[name]
        assert 0.72 < bayes["auc"] < 0.85
        assert bayes["calibration"] == pytest.approx(1, abs=0.05)
    # A guess at the click rate is worse, and so is any other prediction.
    labels = log.splits["test"].labels
    guess = exact_metrics(labels, np.full(len(labels), labels.mean()))
    assert log.bayes["test"]["log_loss"] < guess["log_loss"] - 0.05


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"rows": 10}, "rows.*Received: rows=10"),
        ({"max_vocabulary": 1}, "max_vocabulary.*Received: max_vocabulary=1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        synthetic.make_log(**arguments)
