import numpy as np
import pytest

import zoo
from zoo.encoded_log import Split


def split(rows=10):
    return Split(
        {
            "dense": np.arange(rows, dtype="float32")[:, None],
            "ids": np.arange(rows, dtype="int32")[:, None],
        },
        (np.arange(rows) % 2).astype("int8"),
    )


def rows_of(batches):
    return [batches[i][0]["ids"][:, 0].tolist() for i in range(len(batches))]


def test_batches_keep_the_order_and_the_partial_last_one():
    batches = zoo.ClickBatches(split(), 4)
    assert rows_of(batches) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    inputs, labels = batches[1]
    assert inputs["dense"].shape == (4, 1) and labels.shape == (4, 1)
    assert labels.dtype == "float32"
    assert labels[:, 0].tolist() == [0, 1, 0, 1]


def test_shuffling_mixes_all_rows_anew_each_epoch_and_repeats_by_seed():
    one, two = (zoo.ClickBatches(split(1000), 64, True, seed=3) for _ in "ab")
    first = rows_of(one)
    assert sorted(np.concatenate(first)) == list(range(1000))
    assert np.mean(np.array(first[0]) > 500) > 0.2
    assert rows_of(two) == first
    one.on_epoch_end()
    assert rows_of(one) != first
    two.on_epoch_end()
    assert rows_of(two) == rows_of(one)
    assert rows_of(zoo.ClickBatches(split(1000), 64, True, seed=4)) != first


def test_rows_stay_together_when_shuffled():
    batches = zoo.ClickBatches(split(100), 32, shuffle=True)
    for i in range(len(batches)):
        inputs, labels = batches[i]
        ids = inputs["ids"][:, 0]
        np.testing.assert_array_equal(inputs["dense"][:, 0], ids)
        np.testing.assert_array_equal(labels[:, 0], ids % 2)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, True])
def test_a_bad_batch_size_is_refused(batch_size):
    with pytest.raises(ValueError, match="batch_size.*Received"):
        zoo.ClickBatches(split(), batch_size)


def test_an_empty_split_is_refused():
    with pytest.raises(ValueError, match="must have rows"):
        zoo.ClickBatches(split(0), 4)
