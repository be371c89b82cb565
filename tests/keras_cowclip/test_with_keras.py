"""CowClip among Keras' own layers, optimizers, models and files."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_cowclip as kc

from . import networks

optimizers = keras.optimizers
RANDOM = np.random.default_rng(0)
IDS = RANDOM.integers(0, 20, (64, 3)).astype("int32")
CLICKS = RANDOM.integers(0, 2, (64, 1)).astype("float32")
# Rates at which the clip is active on most rows.
STRONG = {"clip_ratio": 0.01, "embedding_learning_rate": 0.01}


def functional(layer=kc.CowClipEmbedding):
    ids = keras.Input((3,), dtype="int32")
    table = layer(25, 4, embeddings_initializer="uniform", name="table")
    features = keras.layers.Flatten()(table(ids))
    probability = keras.layers.Dense(1, activation="sigmoid")(features)
    return keras.Model(ids, probability)


def sequential(layer=kc.CowClipEmbedding):
    return keras.Sequential(
        [
            layer(25, 4, name="table"),
            keras.layers.Flatten(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


@keras.saving.register_keras_serializable(package="tests")
class Subclassed(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table = kc.CowClipEmbedding(25, 4, name="table")
        self.flatten = keras.layers.Flatten()
        self.probability = keras.layers.Dense(1, activation="sigmoid")

    def call(self, inputs):
        return self.probability(self.flatten(self.table(inputs)))


def train(model, optimizer, batch_size=16, epochs=2, **kwargs):
    model.compile(optimizer, "binary_crossentropy", **kwargs)
    model.fit(
        IDS, CLICKS, batch_size=batch_size, epochs=epochs, shuffle=False,
        verbose=0,
    )  # fmt: skip
    return model.predict(IDS, verbose=0)


OTHERS = {
    "SGD": lambda: optimizers.SGD(0.1, momentum=0.9),
    "Adam": lambda: optimizers.Adam(0.01),
    "AdamW": lambda: optimizers.AdamW(0.01),
    "RMSprop": lambda: optimizers.RMSprop(0.01),
    "Adagrad": lambda: optimizers.Adagrad(0.01),
    "clipnorm": lambda: optimizers.Adam(0.01, clipnorm=0.01),
    "global_clipnorm": lambda: optimizers.SGD(0.1, global_clipnorm=0.01),
    "accumulation": lambda: optimizers.Adam(
        0.01, gradient_accumulation_steps=2
    ),
    "loss scale": lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.01)),
}


@pytest.mark.parametrize(
    "name",
    [
        "Adam",
        *(
            pytest.param(name, marks=pytest.mark.trained_often)
            for name in OTHERS
            if name != "Adam"
        ),
    ],
)
def test_any_other_optimizer_trains_as_with_keras_embedding(name):
    predictions = []
    for layer in (keras.layers.Embedding, kc.CowClipEmbedding):
        keras.utils.set_random_seed(1)
        predictions.append(train(functional(layer), OTHERS[name]()))
    np.testing.assert_array_equal(*predictions)


@pytest.mark.trained_often
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"amsgrad": True},
        {"beta_1": 0.0, "beta_2": 0.5},
        # So large that its place, inside or outside of the root, matters.
        {"epsilon": 1e-2},
    ],
    ids=str,
)
def test_without_cowclip_embedding_it_warns_and_is_adam(arguments):
    keras.utils.set_random_seed(1)
    expected = train(
        functional(keras.layers.Embedding), optimizers.Adam(0.01, **arguments)
    )
    keras.utils.set_random_seed(1)
    model = functional(keras.layers.Embedding)
    with pytest.warns(UserWarning, match="nothing to clip"):
        got = train(model, kc.CowClip(0.01, **arguments))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


@pytest.mark.trained_often
def test_infinite_ratio_is_adam_with_l2():
    keras.utils.set_random_seed(1)
    model = functional(
        lambda *args, **kwargs: keras.layers.Embedding(
            *args, embeddings_regularizer=keras.regularizers.L2(0.01), **kwargs
        )
    )
    expected = train(model, optimizers.Adam(0.01))
    for ratio in (float("inf"), None):
        keras.utils.set_random_seed(1)
        optimizer = kc.CowClip(0.01, 0.01, 0.01, clip_ratio=ratio)
        got = train(functional(), optimizer)
        np.testing.assert_allclose(got, expected, rtol=1e-5)
        assert optimizer.clipped_share == 0


@pytest.mark.parametrize(
    "build", [functional, sequential, Subclassed], ids=lambda b: b.__name__
)
@pytest.mark.parametrize(
    "how",
    [
        {},
        pytest.param({"run_eagerly": True}, marks=pytest.mark.trained_often),
        pytest.param({"jit_compile": False}, marks=pytest.mark.trained_often),
    ],
    ids=str,
)
def test_every_kind_of_model_clips(build, how):
    model = build()
    optimizer = kc.CowClip(**STRONG)
    train(model, optimizer, **how)
    assert optimizer.clipped_share > 0.5
    np.testing.assert_array_equal(
        networks.id_counts(model), np.bincount(IDS[-16:].ravel(), minlength=25)
    )


@pytest.mark.trained_often
def test_order_of_rows_does_not_matter():
    order = RANDOM.permutation(64)
    tables = []
    for rows in (np.arange(64), order):
        keras.utils.set_random_seed(1)
        model = functional()
        model.compile(kc.CowClip(**STRONG), "binary_crossentropy")
        for _ in range(5):
            model.train_on_batch(IDS[rows], CLICKS[rows])
        tables.append(model.get_layer("table").get_weights()[0])
    np.testing.assert_allclose(*tables, rtol=1e-4, atol=1e-7)


@pytest.mark.trained_often
def test_two_tables_side_by_side_equal_one_stacked_table():
    random = np.random.default_rng(1)
    rows = random.normal(0, 0.01, (50, 4)).astype("float32")
    kernel = random.normal(0, 1, (24, 1)).astype("float32")
    other_ids = random.integers(0, 25, (64, 3)).astype("int32")

    def split():
        left, right = (keras.Input((3,), dtype="int32") for _ in "lr")
        parts = [
            keras.layers.Flatten()(kc.CowClipEmbedding(25, 4, weights=w)(ids))
            for ids, w in ((left, rows[:25]), (right, rows[25:]))
        ]
        return [left, right], keras.layers.Concatenate()(parts)

    def stacked():
        ids = keras.Input((6,), dtype="int32")
        vectors = kc.CowClipEmbedding(50, 4, weights=rows)(ids)
        return ids, keras.layers.Flatten()(vectors)

    predictions, shares = [], []
    for build, x in (
        (split, [IDS, other_ids]),
        (stacked, np.concatenate([IDS, other_ids + 25], axis=1)),
    ):
        inputs, features = build()
        probability = keras.layers.Dense(1, "sigmoid", name="probability")
        model = keras.Model(inputs, probability(features))
        probability.kernel.assign(kernel)
        model.compile(kc.CowClip(**STRONG), "binary_crossentropy")
        model.fit(x, CLICKS, batch_size=16, shuffle=False, verbose=0)
        predictions.append(model.predict(x, verbose=0))
        shares.append(model.optimizer.clipped_share)
    np.testing.assert_allclose(*predictions, rtol=1e-5)
    assert shares[0] == pytest.approx(shares[1])
    assert shares[0] > 0.5


def test_both_learning_rates_take_schedules():
    schedule = optimizers.schedules.ExponentialDecay(0.01, 1, 0.5)
    optimizer = kc.CowClip(schedule, schedule)
    model = functional()
    model.compile(optimizer, "binary_crossentropy")
    for step in range(3):
        rate = keras.ops.convert_to_numpy(optimizer.embedding_learning_rate)
        assert rate == pytest.approx(0.01 * 0.5**step)
        model.train_on_batch(IDS, CLICKS)
    again = kc.CowClip.from_config(
        json.loads(json.dumps(optimizer.get_config()))
    )
    assert again.get_config() == optimizer.get_config()
    with pytest.raises(TypeError, match="can't be set"):
        optimizer.embedding_learning_rate = 1.0


def rates_of(optimizer):
    return [
        float(keras.ops.convert_to_numpy(rate))
        for rate in (optimizer.learning_rate, optimizer.embedding_learning_rate)
    ]


@pytest.mark.trained_often
@pytest.mark.parametrize("is_wrapped", [False, True])
def test_callbacks_move_both_rates(is_wrapped):
    optimizer = kc.CowClip(1e-2, 1e-3)
    wrapped = keras.optimizers.LossScaleOptimizer(optimizer)
    model = functional()
    model.compile(wrapped if is_wrapped else optimizer, "binary_crossentropy")
    plateau = keras.callbacks.ReduceLROnPlateau(
        "loss", factor=0.1, patience=0, min_delta=100.0
    )
    model.fit(IDS, CLICKS, epochs=3, verbose=0, callbacks=[plateau])
    assert rates_of(optimizer) == pytest.approx([1e-4, 1e-5])
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.0)
    model.fit(IDS, CLICKS, verbose=0, callbacks=[schedule])
    assert rates_of(optimizer) == [0, 0]
    optimizer.learning_rate = 1e-2
    assert rates_of(optimizer) == pytest.approx([1e-2, 1e-3])


def test_the_rate_of_the_tables_can_be_set_alone():
    optimizer = kc.CowClip(1e-2, 1e-3)
    optimizer.embedding_learning_rate = 1e-2
    assert rates_of(optimizer) == pytest.approx([1e-2, 1e-2])
    optimizer.learning_rate = 1e-3
    assert rates_of(optimizer) == pytest.approx([1e-3, 1e-3])
    copy = kc.CowClip.from_config(optimizer.get_config())
    copy.learning_rate = 2e-3
    assert rates_of(copy) == pytest.approx([2e-3, 2e-3])


def test_a_schedule_of_the_tables_is_left_alone():
    decay = keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.5)
    optimizer = kc.CowClip(1e-2, decay)
    optimizer.learning_rate = 1e-3
    assert rates_of(optimizer) == pytest.approx([1e-3, 1e-3])


def test_weight_decay_leaves_tables_alone():
    tables = []
    for decay in (None, 0.5):
        keras.utils.set_random_seed(1)
        model = functional()
        model.compile(kc.CowClip(weight_decay=decay), "binary_crossentropy")
        kernel = model.layers[-1].kernel.numpy()
        model.train_on_batch(IDS, CLICKS)
        tables.append(model.get_layer("table").get_weights()[0])
    np.testing.assert_array_equal(*tables)
    assert np.abs(model.layers[-1].kernel.numpy() - kernel).max() > 0


def test_callback_logs_every_batch_and_the_mean_of_an_epoch():
    batches = []

    class Log(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            batches.append(logs["share"])

    model = functional()
    model.compile(kc.CowClip(**STRONG), "binary_crossentropy")
    history = model.fit(
        IDS, CLICKS, batch_size=16, verbose=0,
        callbacks=[kc.ClippedShare("share"), Log()],
    ).history  # fmt: skip
    assert len(batches) == 4
    assert history["share"] == [pytest.approx(np.mean(batches))]
    assert batches[-1] == model.optimizer.clipped_share > 0.5


def test_callback_refuses_another_optimizer():
    model = functional()
    model.compile("adam", "binary_crossentropy")
    with pytest.raises(ValueError, match="Received: optimizer=.*Adam"):
        model.fit(IDS, CLICKS, verbose=0, callbacks=[kc.ClippedShare()])


@pytest.mark.trained_often
def test_keras_file_in_a_new_process_goes_on_where_it_stopped(tmp_path):
    model = functional()
    train(model, kc.CowClip(**STRONG))
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", ids=IDS, clicks=CLICKS)
    script = (
        "import sys, keras, keras_cowclip, numpy as np\n"
        "model = keras.saving.load_model(sys.argv[1] + '/model.keras')\n"
        "data = np.load(sys.argv[1] + '/data.npz')\n"
        "model.fit(data['ids'], data['clicks'], batch_size=16,"
        " shuffle=False, verbose=0)\n"
        "np.save(sys.argv[1] + '/out.npy',"
        " model.predict(data['ids'], verbose=0))"
    )
    subprocess.run([sys.executable, "-c", script, tmp_path], check=True)
    model.fit(IDS, CLICKS, batch_size=16, shuffle=False, verbose=0)
    np.testing.assert_allclose(
        np.load(tmp_path / "out.npy"), model.predict(IDS, verbose=0), rtol=1e-6
    )


@pytest.mark.parametrize("to_cowclip", [True, False])
def test_weights_move_to_and_from_keras_embedding(to_cowclip):
    layers = [keras.layers.Embedding(25, 4), kc.CowClipEmbedding(25, 4)]
    source, target = layers if to_cowclip else layers[::-1]
    source.build(), target.build()
    [expected] = source.get_weights()
    store: dict = {}
    source.save_own_variables(store)
    target.load_own_variables(
        {key: keras.ops.convert_to_numpy(v) for key, v in store.items()}
    )
    np.testing.assert_array_equal(target.get_weights()[0], expected)
    target.set_weights([0 * expected])
    target.set_weights(source.get_weights())
    np.testing.assert_array_equal(target.get_weights()[0], expected)


@pytest.mark.parametrize("build", [functional, sequential])
def test_weights_of_whole_models_move_both_ways(build):
    ours, theirs = build(), build(keras.layers.Embedding)
    for model in (ours, theirs):
        model.build((None, 3))
    assert (ours.predict(IDS) != theirs.predict(IDS)).any()
    kc.set_weights(ours, theirs.get_weights())
    np.testing.assert_array_equal(ours.predict(IDS), theirs.predict(IDS))
    other = build()
    other.build((None, 3))
    theirs.set_weights(kc.get_weights(other))
    np.testing.assert_array_equal(theirs.predict(IDS), other.predict(IDS))


def test_weights_of_another_model_are_refused_whole():
    ours, theirs = functional(), functional(keras.layers.Embedding)
    before = kc.get_weights(ours)
    weights = theirs.get_weights()
    with pytest.raises(ValueError, match="Received: arrays of shapes"):
        kc.set_weights(ours, weights[:-1])
    with pytest.raises(ValueError, match="Received: arrays of shapes"):
        kc.set_weights(ours, [*weights[:-1], weights[-1][None]])
    for kept, weight in zip(kc.get_weights(ours), before, strict=True):
        np.testing.assert_array_equal(kept, weight)


@pytest.mark.filterwarnings("ignore:Skipping nested container:UserWarning")
def test_a_file_of_keras_embedding_is_refused_with_the_remedy(tmp_path):
    path = tmp_path / "theirs.weights.h5"
    functional(keras.layers.Embedding).save_weights(path)
    with pytest.raises(ValueError, match="keras_cowclip.set_weights"):
        functional().load_weights(path)


@pytest.mark.trained_often
@pytest.mark.parametrize("change", ["lora_rank", "enable_lora", "quantize"])
def test_what_keras_makes_of_an_embedding_is_saved(change, tmp_path):
    ids = keras.Input((2,), dtype="int32")
    arguments = {"lora_rank": 2} if change == "lora_rank" else {}
    layer = kc.CowClipEmbedding(50, 4, **arguments)
    flat = keras.layers.Flatten()(layer(ids))
    model = keras.Model(ids, keras.layers.Dense(1, "sigmoid")(flat))
    if change == "enable_lora":
        layer.enable_lora(2)
    x = np.arange(64, dtype="int32").reshape(32, 2) % 50
    y = (x[:, :1] > 20).astype("float32")
    if change == "quantize":
        layer.quantize("int8")
    else:
        # There is no table to clip: LoRA fixes it.
        with pytest.warns(UserWarning, match="nothing to clip"):
            model.compile(kc.CowClip(0.1), "binary_crossentropy")
            model.fit(x, y, verbose=0)
        assert len(model.trainable_variables) == 4
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_allclose(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5
    )


def test_wrong_weights_are_refused():
    layer = kc.CowClipEmbedding(3, 2, weights=np.ones((3, 2)))
    np.testing.assert_array_equal(layer.get_weights()[0], np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"shapes \[\(3, 2\)\].*\[\(2, 2\)\]"):
        layer.set_weights([np.ones((2, 2))])
