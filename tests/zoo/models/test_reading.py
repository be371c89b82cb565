"""`fit`, `evaluate` and `predict` of `ClickBatches`, alike on every backend."""

import keras
import numpy as np
import pytest

import zoo
from zoo import batch_views
from zoo.split import Split

SCHEMA = zoo.FeatureSchema(["price"], {"site": 1000})


def make_split(rows):
    ids = np.arange(rows, dtype="int32")[:, None]
    return Split(
        {"dense": ids.astype("float32") / rows, "ids": ids},
        (np.arange(rows) % 3 == 0).astype("int8"),
    )


def make_model():
    keras.utils.set_random_seed(0)
    model = zoo.DeepFM(SCHEMA, embedding_dim=2, hidden_units=(4,))
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy")
    return model


def weights_after(places, batches):
    model = make_model()
    for place in places:
        model.train_on_batch(*batches.batch(*place))
    return model.get_weights()


def assert_same(weights, expected):
    for one, other in zip(weights, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


@pytest.fixture
def batches():
    return zoo.ClickBatches(make_split(100), 16, shuffle=True, seed=1)


def test_fit_reads_epoch_after_epoch(batches):
    places = [(epoch, step) for epoch in range(3) for step in range(7)]
    expected = weights_after(places, batches)
    model = make_model()
    model.fit(batches, epochs=2, shuffle=False, verbose=0)
    assert batches.position == (2, 0)
    model.fit(batches, initial_epoch=2, epochs=3, shuffle=False, verbose=0)
    assert batches.position == (3, 0)
    assert_same(model.get_weights(), expected)


def test_fit_goes_on_in_the_middle_of_an_epoch(batches):
    places = [(1, 5), (1, 6), *((2, step) for step in range(7))]
    expected = weights_after(places, batches)
    model = make_model()
    batches.start_at(1, 5)
    model.fit(batches, initial_epoch=1, epochs=2, shuffle=False, verbose=0)
    model.fit(batches, initial_epoch=2, epochs=3, shuffle=False, verbose=0)
    assert_same(model.get_weights(), expected)
    batches.start_at(1, 5)
    with pytest.raises(ValueError, match=r"only one of its `fit`"):
        model.fit(batches, initial_epoch=1, epochs=3, shuffle=False, verbose=0)


def test_an_epoch_that_a_callback_breaks_off_is_over(batches):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 3

    model = make_model()
    model.fit(batches, shuffle=False, verbose=0, callbacks=[Stop()])
    model.fit(batches, shuffle=False, verbose=0)
    assert batches.position == (2, 0)


def test_callbacks_see_the_epoch_that_has_ended(batches):
    class Places(keras.callbacks.Callback):
        seen = ()

        def on_epoch_end(self, epoch, logs=None):
            self.seen += (batches.position,)

    places = Places()
    make_model().fit(
        batches, epochs=2, shuffle=False, verbose=0, callbacks=[places]
    )
    assert places.seen == ((1, 0), (2, 0))


def test_validation_and_evaluation_read_every_row(batches):
    model = make_model()
    split = make_split(70)
    validation = zoo.ClickBatches(split, 32)
    history = model.fit(
        batches,
        epochs=2,
        shuffle=False,
        verbose=0,
        validation_data=validation,
    ).history
    expected = model.evaluate(
        split.inputs, split.labels[:, None].astype("float32"), verbose=0
    )
    assert history["val_loss"][-1] == pytest.approx(expected, rel=1e-5)
    loss = model.evaluate(zoo.ClickBatches(split, 32), verbose=0)
    assert loss == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(
        model.predict(zoo.ClickBatches(split, 32), verbose=0),
        model.predict(split.inputs, verbose=0),
        rtol=1e-6,
    )


def test_each_evaluation_and_prediction_is_an_epoch(batches):
    model = make_model()
    expected = model.predict(batches.batch(1, 0)[0], verbose=0)
    model.evaluate(batches, verbose=0)
    assert batches.position == (1, 0)
    predictions = model.predict(batches, verbose=0)
    assert batches.position == (2, 0)
    np.testing.assert_allclose(predictions[:16], expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["fit", "evaluate", "predict"])
def test_no_tuner_is_waited_for_on_tensorflow(batches, monkeypatch, name):
    """Nor is another backend given a data set of TensorFlow's."""
    made = []

    def tf_epochs(*arguments):
        made.append(original(*arguments))
        return made[-1]

    original = batch_views.tf_epochs
    monkeypatch.setattr(batch_views, "tf_epochs", tf_epochs)
    options = {"shuffle": False} if name == "fit" else {}
    getattr(make_model(), name)(batches, verbose=0, **options)
    if keras.backend.backend() == "tensorflow":
        assert [data.options().autotune.enabled for data in made] == [False]
    else:
        assert made == []


def test_keras_shuffles_the_batches_where_it_is_asked_to(monkeypatch):
    order = []
    read = zoo.ClickBatches.batch

    def batch(self, epoch, step):
        order.append(step)
        return read(self, epoch, step)

    monkeypatch.setattr(zoo.ClickBatches, "batch", batch)
    batches = zoo.ClickBatches(make_split(1000), 10)
    make_model().fit(batches, verbose=0)
    assert order[-100:] != sorted(order[-100:])
