import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

import zoo
from tests.zoo.data import full_log
from zoo.data import shuffled_rows
from zoo.data.split import Split


def split(rows=10):
    return Split(
        {
            "dense": np.arange(rows, dtype="float32")[:, None],
            "ids": np.arange(rows, dtype="int32")[:, None],
        },
        (np.arange(rows) % 2).astype("int8"),
    )


def mapped_split(folder, rows):
    """The rows of `split(rows)` in a file, in record batches of 100."""
    schema = zoo.FeatureSchema(dense=["x"], categorical={"a": rows})
    inputs, labels = split(rows).read(0, rows)
    columns = {"label": labels, **inputs}
    full_log.write_part(folder / "part-00000.arrow", columns, schema)
    return Split.open(folder, schema)


@pytest.fixture
def small_windows(monkeypatch):
    """Windows of 128 rows, made of chunks of 8."""
    monkeypatch.setattr(shuffled_rows, "CHUNK_ROWS", 8)
    monkeypatch.setattr(shuffled_rows, "WINDOW_ROWS", 128)


def rows_of(batches):
    return [batches[i][0]["ids"][:, 0].tolist() for i in range(len(batches))]


def rows_of_epoch(batches, epoch):
    batches.start_at(epoch)
    return rows_of(batches)


def test_batches_keep_the_order_and_the_partial_last_one():
    batches = zoo.ClickBatches(split(), 4)
    assert rows_of(batches) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    inputs, labels = batches[1]
    assert inputs["dense"].shape == (4, 1) and labels.shape == (4, 1)
    assert labels.dtype == "float32"
    assert labels[:, 0].tolist() == [0, 1, 0, 1]
    with pytest.raises(IndexError, match="3 batches. Received: index=3"):
        batches[3]


def test_the_remainder_can_be_dropped():
    batches = zoo.ClickBatches(split(), 4, drop_remainder=True)
    assert rows_of(batches) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    with pytest.raises(ValueError, match="one whole batch.*10 rows.*size=11"):
        zoo.ClickBatches(split(), 11, drop_remainder=True)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [1, 64, 128, 300, 999, 1000, 2000])
def test_the_remainder_can_be_carried_into_the_next_epoch(
    small_windows, shuffle, batch_size
):
    batches = zoo.ClickBatches(
        split(1000), batch_size, shuffle, carry_remainder=True
    )
    plain = zoo.ClickBatches(split(1000), 1000, shuffle)
    rows = []
    for epoch in range(7):
        order = rows_of_epoch(batches, epoch)
        assert len(order) == max(1000 // batch_size, 1)
        assert {len(batch) for batch in order} == {min(batch_size, 1000)}
        rows += np.concatenate(order).tolist()
    whole = [rows_of_epoch(plain, epoch)[0] for epoch in range(7)]
    assert rows == np.concatenate(whole)[: len(rows)].tolist()
    batches.start_at(5)
    assert rows_of(pickle.loads(pickle.dumps(batches))) == rows_of(batches)
    with pytest.raises(ValueError, match="not both be True. Received: drop"):
        zoo.ClickBatches(split(), 4, drop_remainder=True, carry_remainder=True)


def test_batches_in_order_are_views_of_the_file(tmp_path):
    rows = mapped_split(tmp_path, 300)
    inputs, _ = zoo.ClickBatches(rows, 50)[3]
    for name, array in rows.read(150, 200)[0].items():
        assert np.shares_memory(inputs[name], array)


def test_shuffling_mixes_all_rows_anew_each_epoch_and_repeats_by_seed():
    one, two = (zoo.ClickBatches(split(1000), 64, True, seed=3) for _ in "ab")
    first = rows_of(one)
    assert sorted(np.concatenate(first)) == list(range(1000))
    assert np.mean(np.array(first[0]) > 500) > 0.2
    assert rows_of(two) == first
    assert rows_of_epoch(one, 1) != first
    assert rows_of_epoch(two, 1) == rows_of(one)
    assert rows_of_epoch(one, 0) == first
    assert rows_of(zoo.ClickBatches(split(1000), 64, True, seed=4)) != first


@pytest.mark.parametrize("rows", [1, 8, 127, 128, 129, 1000, 1024, 1031])
@pytest.mark.parametrize("batch_size", [32, 50, 300])
def test_every_row_comes_once_per_epoch(
    small_windows, tmp_path, rows, batch_size
):
    memory = zoo.ClickBatches(split(rows), batch_size, shuffle=True)
    mapped = zoo.ClickBatches(mapped_split(tmp_path, rows), batch_size, True)
    for epoch in (0, 1):
        order = rows_of_epoch(memory, epoch)
        assert sorted(np.concatenate(order)) == list(range(rows))
        assert [len(batch) for batch in order[:-1]] == [batch_size] * (
            len(order) - 1
        )
        assert rows_of_epoch(mapped, epoch) == order


def test_rows_stay_together_when_shuffled(small_windows, tmp_path):
    for rows in (split(1000), mapped_split(tmp_path, 1000)):
        batches = zoo.ClickBatches(rows, 100, shuffle=True)
        for inputs, labels in batches:
            ids = inputs["ids"][:, 0]
            np.testing.assert_array_equal(inputs["dense"][:, 0], ids)
            np.testing.assert_array_equal(labels[:, 0], ids % 2)


def test_a_split_of_one_window_is_permuted_uniformly(small_windows):
    batches = zoo.ClickBatches(split(120), 120, shuffle=True)
    places = np.array(
        [np.argsort(rows_of_epoch(batches, epoch)[0]) for epoch in range(600)]
    )
    # Neither where a row comes nor how far from the next one tells anything.
    assert np.all(np.abs(places.mean(axis=0) - 59.5) < 7)
    distance = np.abs(np.diff(places, axis=1)).mean()
    assert distance == pytest.approx(121 / 3, rel=0.02)


def test_every_batch_draws_from_all_over_a_larger_split(small_windows):
    batches = zoo.ClickBatches(split(128 * 40), 128, shuffle=True)
    order = np.array(rows_of(batches))
    # Of 16 chunks per window, those of the first half of the split.
    halves = (order < 64 * 40).mean(axis=1)
    assert halves.min() > 0.1 and halves.max() < 0.9
    assert np.all(np.ptp(order, axis=1) > 0.5 * 128 * 40)
    assert abs(np.corrcoef(order.ravel(), np.arange(order.size))[0, 1]) < 0.1
    # Within a window rows of a chunk are not neighbours more than by chance.
    neighbours = np.mean(np.abs(np.diff(order, axis=1)) == 1)
    assert neighbours < 3 * 2 / 128
    # Rows that share a batch in one epoch do not in the next.
    following = np.array(rows_of_epoch(batches, 1))
    common = len(set(order[0]) & {*following[0], *following[1]})
    assert common < 64


def test_the_order_of_the_windows_is_not_that_of_the_chunks(small_windows):
    """Each kind of order has a seed of its own."""
    batches = zoo.ClickBatches(split(128 * 3), 128, shuffle=True)
    orders = [
        np.argsort(np.argsort(window)).tolist() for window in rows_of(batches)
    ]
    assert orders[0] != orders[1] != orders[2]


@pytest.mark.parametrize("step", [0, 1, 5, 9])
@pytest.mark.parametrize("shuffle", [False, True])
def test_resuming_gives_the_batches_that_were_left(
    small_windows, step, shuffle
):
    whole = zoo.ClickBatches(split(1000), 100, shuffle, seed=1)
    expected = rows_of_epoch(whole, 2)
    resumed = zoo.ClickBatches(split(1000), 100, shuffle, seed=1)
    resumed.start_at(2, step)
    assert len(resumed) == 10 - step
    assert rows_of(resumed) == expected[step:]


def test_any_batch_can_be_read_at_any_time(small_windows):
    batches = zoo.ClickBatches(split(1000), 70, shuffle=True)
    expected = rows_of(batches)
    places = np.random.default_rng(0).permutation(np.repeat(range(15), 4))
    with ThreadPoolExecutor(4) as threads:
        received = list(threads.map(lambda i: batches[int(i)], places))
    for place, (inputs, _) in zip(places, received, strict=True):
        assert inputs["ids"][:, 0].tolist() == expected[place]


def test_batches_travel_to_another_process(tmp_path):
    batches = zoo.ClickBatches(mapped_split(tmp_path, 300), 64, True)
    batches.start_at(1, 2)
    copy = pickle.loads(pickle.dumps(batches))
    assert rows_of(copy) == rows_of(batches)


def test_an_empty_split_is_refused():
    with pytest.raises(ValueError, match="must have rows"):
        zoo.ClickBatches(split(0), 4)


def small_model():
    inputs = {
        "dense": keras.Input((1,), name="dense"),
        "ids": keras.Input((1,), name="ids", dtype="int32"),
    }
    vectors = keras.layers.Embedding(1000, 2, embeddings_initializer="ones")
    features = keras.layers.Concatenate()(
        [
            keras.layers.Flatten()(vectors(inputs["ids"])),
            keras.layers.Rescaling(1e-3)(inputs["dense"]),
        ]
    )
    output = keras.layers.Dense(
        1, activation="sigmoid", kernel_initializer="ones", name="click"
    )(features)
    model = keras.Model(inputs, output)
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy")
    return model


def built_model(batches):
    # With several workers Keras (3.15, on JAX and PyTorch) would run some
    # batches of the first epoch twice, and leave others out: those that were
    # read ahead while it builds the model stay in its queue.
    model = small_model()
    model.test_on_batch(*batches[0])
    return model


def weights_after(places, batches):
    """Returns the weights after training on the batches one by one."""
    model = small_model()
    for epoch, step in places:
        inputs, labels = batches.batch(epoch, step)
        model.train_on_batch(inputs, labels)
    return model.get_weights()


def assert_same(weights, expected):
    for one, other in zip(weights, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("workers", [1, 2])
def test_fit_runs_epoch_after_epoch_from_the_first(small_windows, workers):
    batches = zoo.ClickBatches(split(1000), 128, True, seed=2, workers=workers)
    places = [(epoch, step) for epoch in range(3) for step in range(8)]
    expected = weights_after(places, batches)
    model = small_model() if workers == 1 else built_model(batches)
    model.fit(batches, epochs=2, shuffle=False, verbose=0)
    model.fit(batches, initial_epoch=2, epochs=3, shuffle=False, verbose=0)
    assert_same(model.get_weights(), expected)
    # The comparison can tell orders apart.
    other = weights_after(places[8:] + places[:8], batches)
    with pytest.raises(AssertionError):
        assert_same(model.get_weights(), other)


@pytest.mark.parametrize("workers", [1, 2])
def test_fit_resumes_in_the_middle_of_an_epoch(small_windows, workers):
    batches = zoo.ClickBatches(split(1000), 128, True, seed=2, workers=workers)
    places = [(1, step) for step in range(5, 8)]
    places += [(epoch, step) for epoch in (2, 3) for step in range(8)]
    expected = weights_after(places, batches)
    model = small_model() if workers == 1 else built_model(batches)
    batches.start_at(1, 5)
    model.fit(batches, initial_epoch=1, epochs=2, shuffle=False, verbose=0)
    model.fit(batches, initial_epoch=2, epochs=4, shuffle=False, verbose=0)
    assert_same(model.get_weights(), expected)


def test_fit_never_cuts_the_epochs_after_a_resumed_one():
    batches = zoo.ClickBatches(split(100), 10, shuffle=True)
    batches.start_at(1, 5)
    with pytest.raises(ValueError, match=r"only one of its `fit`.*start_at\(2"):
        small_model().fit(batches, initial_epoch=1, epochs=3, shuffle=False)
    batches.start_at(2)
    assert len(batches) == 10


def test_an_epoch_that_was_broken_off_is_over():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 3

    batches = zoo.ClickBatches(split(100), 10, shuffle=True)
    model = small_model()
    model.fit(batches, shuffle=False, verbose=0, callbacks=[Stop()])
    model.fit(batches, shuffle=False, verbose=0)
    assert batches.position == (2, 0)


def test_evaluate_and_predict_read_every_row(small_windows, tmp_path):
    rows = mapped_split(tmp_path, 1000)
    model = small_model()
    batches = zoo.ClickBatches(rows, 300)
    predictions = model.predict(batches, verbose=0)
    np.testing.assert_allclose(
        predictions, model.predict(rows.inputs, verbose=0), rtol=1e-6
    )
    loss = model.evaluate(zoo.ClickBatches(rows, 300, True), verbose=0)
    expected = model.evaluate(
        rows.inputs, rows.labels.astype("float32")[:, None], verbose=0
    )
    assert loss == pytest.approx(expected, rel=1e-5)


def test_keras_reads_epoch_after_epoch(small_windows):
    batches = zoo.ClickBatches(split(1000), 128, True, seed=2)
    places = [(1, 6), (1, 7)]
    places += [(epoch, step) for epoch in (2, 3) for step in range(8)]
    expected = weights_after(places, batches)
    model = small_model()
    batches.start_at(1, 6)
    model.fit(
        batches.to_keras(), initial_epoch=1, epochs=2, shuffle=False, verbose=0
    )
    batches.start_at(2)
    model.fit(
        batches.to_keras(), initial_epoch=2, epochs=4, shuffle=False, verbose=0
    )
    assert_same(model.get_weights(), expected)
    batches = zoo.ClickBatches(split(1000), 300)
    np.testing.assert_allclose(
        model.predict(batches.to_keras(), verbose=0),
        model.predict(split(1000).inputs, verbose=0),
        rtol=1e-6,
    )


def test_keras_never_reads_on_after_the_rest_of_an_epoch():
    batches = zoo.ClickBatches(split(100), 10, shuffle=True)
    batches.start_at(1, 5)
    with pytest.raises(Exception, match="only one of its `fit`"):
        small_model().fit(batches.to_keras(), epochs=2, shuffle=False)


def test_what_keras_reads_has_no_tuner_to_wait_for():
    batches = zoo.ClickBatches(split(100), 10)
    if keras.backend.backend() != "tensorflow":
        assert batches.to_keras() is batches
        return
    assert batches.to_keras().options().autotune.enabled is False
    # A pipeline that is built on the other one keeps its tuner.
    assert batches.to_tf().options().autotune.enabled is None


def test_a_damaged_log_is_told_of_alike_on_every_backend(monkeypatch):
    def read(self, start, stop):
        raise ValueError("row 3 is damaged")

    batches = zoo.ClickBatches(split(100), 10)
    monkeypatch.setattr(Split, "read", read)
    with pytest.raises(ValueError, match="^row 3 is damaged"):
        small_model().predict(batches.to_keras(), verbose=0)


# Whatever other backend is loaded warns about the workers' fork.
@pytest.mark.filterwarnings("ignore:.*fork:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("num_workers", [0, 2])
def test_torch_loader_reads_epoch_after_epoch(
    small_windows, tmp_path, num_workers
):
    torch = pytest.importorskip("torch")
    batches = zoo.ClickBatches(mapped_split(tmp_path, 500), 64, shuffle=True)
    expected = [rows_of_epoch(batches, epoch) for epoch in (1, 2)]
    batches.start_at(1, 3)
    loader = batches.to_torch(num_workers=num_workers)
    assert len(loader) == 5
    received = [[x["ids"][:, 0].tolist() for x, _ in loader] for _ in range(2)]
    assert received == [expected[0][3:], expected[1]]
    assert len(loader) == 8
    inputs, labels = next(iter(loader))
    assert inputs["dense"].dtype == labels.dtype == torch.float32
    assert inputs["ids"].dtype == torch.int32
    assert labels.shape == (64, 1)


def test_torch_tensors_are_the_pages_of_the_file(tmp_path):
    pytest.importorskip("torch")
    rows = mapped_split(tmp_path, 100)
    inputs, _ = next(iter(zoo.ClickBatches(rows, 50).to_torch()))
    assert np.shares_memory(inputs["ids"].numpy(), rows.inputs["ids"])


@pytest.mark.parametrize("drop_remainder", [False, True])
def test_tf_dataset_reads_epoch_after_epoch(small_windows, drop_remainder):
    tf = pytest.importorskip("tensorflow")
    batches = zoo.ClickBatches(
        split(500), 64, True, drop_remainder=drop_remainder
    )
    expected = [rows_of_epoch(batches, epoch) for epoch in (1, 2)]
    batches.start_at(1)
    dataset = batches.to_tf()
    count = 7 if drop_remainder else 8
    assert dataset.cardinality() == count
    received = [
        [x["ids"][:, 0].numpy().tolist() for x, _ in dataset] for _ in range(2)
    ]
    assert received == expected
    inputs, labels = dataset.element_spec
    assert inputs["dense"].dtype == labels.dtype == tf.float32
    assert inputs["ids"].dtype == tf.int32
    assert inputs["ids"].shape == (64 if drop_remainder else None, 1)
    batches.start_at(1, 5)
    resumed = batches.to_tf()
    received = [x["ids"][:, 0].numpy().tolist() for x, _ in resumed]
    assert received == expected[0][5:]


@pytest.mark.parametrize(
    "module, method, command",
    [
        ("torch", "to_torch", "pip install torch"),
        ("tensorflow", "to_tf", "pip install tensorflow"),
    ],
)
def test_a_view_says_what_to_install(monkeypatch, module, method, command):
    for name in list(sys.modules):
        if name == module or name.startswith(f"{module}."):
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=command):
        getattr(zoo.ClickBatches(split(), 4), method)()
