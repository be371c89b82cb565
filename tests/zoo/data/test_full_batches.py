"""Batches with sequences, several labels and weights, for every backend."""

import pickle

import keras
import numpy as np
import pytest

import zoo
from tests.zoo.data import full_log
from zoo.data import shuffled_rows

ROWS = 400
BATCH = 64
KINDS = {
    "everything": full_log.SCHEMA,
    "weights": full_log.schema_with(labels=1),
    "labels": full_log.schema_with(weight=False),
}


@pytest.fixture(params=KINDS)
def schema(request):
    return KINDS[request.param]


@pytest.fixture
def columns(schema):
    return full_log.columns_of(ROWS, schema)


@pytest.fixture
def split(tmp_path, monkeypatch, columns, schema):
    """Files of several record batches, shuffled in windows of 128 rows."""
    monkeypatch.setattr(shuffled_rows, "CHUNK_ROWS", 8)
    monkeypatch.setattr(shuffled_rows, "WINDOW_ROWS", 128)
    return full_log.write_split(tmp_path, columns, schema)


def leaves(batch):
    return [np.asarray(array) for array in keras.tree.flatten(batch)]


def assert_same(batches, expected):
    assert len(batches) == len(expected)
    for batch, other in zip(batches, expected, strict=True):
        keras.tree.assert_same_structure(batch, other)
        for array, wanted in zip(leaves(batch), leaves(other), strict=True):
            assert array.dtype == wanted.dtype
            np.testing.assert_array_equal(array, wanted)


def epoch_of(batches, epoch):
    return [
        batches.batch(epoch, step) for step in range(batches.batches_per_epoch)
    ]


def test_a_batch_has_all_that_the_row_has(split, columns, schema):
    inputs, labels, *others = full_log.rows_of(columns, schema)
    rows = slice(64, 128)
    batch = zoo.ClickBatches(split, BATCH).batch(0, 1)
    assert len(batch) == 3
    assert batch[0].keys() == schema.inputs().keys()
    for name, (width, dtype) in schema.inputs().items():
        assert batch[0][name].shape == (BATCH, width)
        assert batch[0][name].dtype == dtype
        np.testing.assert_array_equal(batch[0][name], inputs[name][rows])
    weights = others[0][rows] if others else np.ones(BATCH, "float32")
    if len(schema.labels) == 1:
        assert batch[1].dtype == batch[2].dtype == "float32"
        np.testing.assert_array_equal(batch[1], labels[rows, None])
        np.testing.assert_array_equal(batch[2], weights)
        return
    assert tuple(batch[1]) == tuple(batch[2]) == schema.labels
    for i, name in enumerate(schema.labels):
        label = labels[rows, i]
        assert {-1, 0, 1} == set(label)
        assert batch[1][name].dtype == batch[2][name].dtype == "float32"
        np.testing.assert_array_equal(batch[1][name][:, 0], label == 1)
        assert batch[1][name].shape == (BATCH, 1)
        np.testing.assert_array_equal(
            batch[2][name], np.where(label < 0, 0, weights)
        )


@pytest.mark.parametrize("shuffle", [False, True])
def test_batches_in_memory_and_after_a_journey_are_alike(
    split, columns, schema, shuffle
):
    batches = zoo.ClickBatches(split, BATCH, shuffle, seed=2)
    inputs, labels, *weights = full_log.rows_of(columns, schema)
    memory = zoo.Split(inputs, labels, *weights, label_names=schema.labels)
    batches.start_at(1, 2)
    copy = pickle.loads(pickle.dumps(batches))
    assert_same([*copy], [*batches])
    assert_same([*batches], epoch_of(batches, 1)[2:])
    assert_same(
        epoch_of(zoo.ClickBatches(memory, BATCH, shuffle, seed=2), 1),
        epoch_of(batches, 1),
    )
    assert zoo.ClickBatches(memory, BATCH).batch(0, 0)[0].keys() == {
        *schema.inputs()
    }


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_carried_remainder_leaves_nothing_out(split, schema, shuffle):
    carried = zoo.ClickBatches(split, 150, shuffle, carry_remainder=True)
    whole = zoo.ClickBatches(split, ROWS, shuffle)
    received = [
        batch for epoch in range(4) for batch in epoch_of(carried, epoch)
    ]
    expected = [epoch_of(whole, epoch)[0] for epoch in range(4)]
    for parts, wholes in zip(
        zip(*map(leaves, received), strict=True),
        zip(*map(leaves, expected), strict=True),
        strict=True,
    ):
        rows = np.concatenate(parts)
        assert len(rows) == 8 * 150
        np.testing.assert_array_equal(rows, np.concatenate(wholes)[: len(rows)])


def test_other_types_of_arrays_become_float32_and_int32():
    inputs, labels, weights = full_log.rows_of(full_log.columns_of(ROWS))
    wide = {n: x.astype(x.dtype.kind + "8") for n, x in inputs.items()}
    names = full_log.SCHEMA.labels
    split = zoo.Split(inputs, labels, weights, names)
    others = zoo.Split(
        wide, labels.astype("int64"), weights.astype("float64"), names
    )
    for shuffle in (False, True):
        assert_same(
            [*zoo.ClickBatches(others, BATCH, shuffle)],
            [*zoo.ClickBatches(split, BATCH, shuffle)],
        )


# Whatever other backend is loaded warns about the workers' fork.
@pytest.mark.filterwarnings("ignore:.*fork:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("num_workers", [0, 2])
def test_torch_loader_reads_the_same(split, num_workers):
    pytest.importorskip("torch")
    batches = zoo.ClickBatches(split, BATCH, shuffle=True)
    batches.start_at(1, 3)
    loader = batches.to_torch(num_workers=num_workers)
    for expected in (epoch_of(batches, 1)[3:], epoch_of(batches, 2)):
        received = [
            keras.tree.map_structure(lambda tensor: tensor.numpy(), batch)
            for batch in loader
        ]
        assert_same([tuple(batch) for batch in received], expected)


@pytest.mark.parametrize("drop_remainder", [False, True])
def test_tf_dataset_reads_the_same(split, drop_remainder):
    pytest.importorskip("tensorflow")
    batches = zoo.ClickBatches(
        split, BATCH, True, drop_remainder=drop_remainder
    )
    batches.start_at(1)
    dataset = batches.to_tf()
    specs = keras.tree.flatten(dataset.element_spec)
    first = leaves(batches[0])
    rows = BATCH if drop_remainder else None
    for spec, array in zip(specs, first, strict=True):
        assert tuple(spec.shape) == (rows, *array.shape[1:])
        assert spec.dtype.as_numpy_dtype == array.dtype
    for epoch in (1, 2):
        received = [
            keras.tree.map_structure(lambda tensor: tensor.numpy(), batch)
            for batch in dataset
        ]
        assert_same(received, epoch_of(batches, epoch))


def small_model(schema):
    """Reads a history and the numbers; one output a label."""
    history = keras.Input((7,), name="history", dtype="int32")
    inputs = {
        "dense": keras.Input((1,), name="dense"),
        "ids": keras.Input((2,), name="ids", dtype="int32"),
        "history": history,
        "tags": keras.Input((3,), name="tags", dtype="int32"),
    }
    # Padding is -1, which no table has.
    vectors = keras.layers.Embedding(5001, 4)(history + 1)
    features = keras.layers.Concatenate()(
        [
            keras.layers.GlobalAveragePooling1D()(vectors),
            keras.layers.Rescaling(1e-3)(inputs["dense"]),
        ]
    )
    outputs = {
        label: keras.layers.Dense(1, activation="sigmoid", name=label)(features)
        for label in schema.labels
    }
    if len(outputs) == 1:
        (outputs,) = outputs.values()
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy")
    return model


def cross_entropy(label, prediction):
    return -np.log(np.where(label == 1, prediction, 1 - prediction))


def test_weights_and_missing_labels_reach_the_loss(split, columns, schema):
    model = small_model(schema)
    batches = zoo.ClickBatches(split, ROWS)
    predictions = model.predict(batches.to_keras(), verbose=0)
    loss = model.evaluate(batches.to_keras(), verbose=0)
    _, labels, *others = full_log.rows_of(columns, schema)
    weights = others[0] if others else np.ones(ROWS)
    labels = labels.reshape(ROWS, -1)
    expected = 0
    for i, name in enumerate(schema.labels):
        prediction = predictions
        if len(schema.labels) > 1:
            prediction = predictions[name]
        terms = cross_entropy(labels[:, i], prediction[:, 0].astype("float64"))
        expected += np.mean(terms * weights * (labels[:, i] >= 0))
    loss = loss[0] if isinstance(loss, list) else loss
    assert loss == pytest.approx(expected, rel=1e-5)


def trained(inputs, labels, weights, schema):
    """Returns the losses of two epochs, and the weights after them."""
    keras.utils.set_random_seed(0)
    model = small_model(schema)
    split = zoo.Split(inputs, labels, weights, schema.labels)
    batches = zoo.ClickBatches(split, BATCH, True).to_keras()
    fitted = model.fit(batches, epochs=2, shuffle=False, verbose=0)
    return fitted.history["loss"], model.get_weights()


@pytest.mark.parametrize("kind", ["everything", "weights"])
def test_a_row_of_weight_0_has_no_part_in_fit(kind):
    schema = KINDS[kind]
    columns = full_log.columns_of(ROWS, schema)
    inputs, labels, weights = full_log.rows_of(columns, schema)
    flipped = np.where(labels < 0, -1, 1 - labels).astype("int8")
    flipped[1::3], flipped[2::3] = labels[1::3], labels[2::3]
    losses, _ = trained(inputs, labels, weights, schema)
    others, _ = trained(inputs, flipped, weights, schema)
    assert losses != pytest.approx(others, rel=1e-3)
    weights[::3] = 0
    losses, trained_weights = trained(inputs, labels, weights, schema)
    others, other_weights = trained(inputs, flipped, weights, schema)
    assert losses == pytest.approx(others, rel=1e-6)
    for one, other in zip(trained_weights, other_weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-8)
