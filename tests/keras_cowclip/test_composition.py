"""CowClip beside, inside and around other parts of Keras trains the same."""

import keras
import numpy as np
import pytest

import keras_cowclip as kc

from . import networks
from . import reference
from .networks import STEPS
from .networks import STRONG

optimizers = keras.optimizers
BACKEND = keras.backend.backend()


@pytest.fixture(scope="module")
def plain():
    """`fit` with `CowClip` alone."""
    model = networks.fit(networks.compiled(kc.CowClip(**STRONG)))
    assert model.optimizer.clipped_share > 0.5
    return model


def assert_same(model, expected, optimizer=None):
    networks.assert_same_weights(model, expected)
    for table in ("table", "wide"):
        np.testing.assert_array_equal(
            networks.id_counts(model, table),
            networks.id_counts(expected, table),
        )
    optimizer = optimizer or model.optimizer
    assert optimizer.clipped_share == expected.optimizer.clipped_share


# Ways of running the same step.


WAYS = [{"run_eagerly": True}, {"jit_compile": False}]
if BACKEND == "torch":  # It takes a minute.
    WAYS.append(pytest.param({"jit_compile": True}, marks=pytest.mark.large))
else:
    # 20 steps are no multiple of 3; Keras refuses it on PyTorch.
    WAYS += [
        {"jit_compile": True},
        pytest.param({"steps_per_execution": 4}, marks=pytest.mark.large),
        {"steps_per_execution": 3},
    ]


@pytest.mark.parametrize("arguments", WAYS, ids=str)
# torch.compile says so when Keras' own attribute hooks make it recompile.
@pytest.mark.filterwarnings("ignore")
def test_every_way_to_compile_trains_the_same(arguments, plain):
    model = networks.compiled(kc.CowClip(**STRONG), **arguments)
    assert_same(networks.fit(model), plain)


@pytest.mark.trained_often
def test_train_on_batch_is_fit(plain):
    model = networks.compiled(kc.CowClip(**STRONG))
    for batch in networks.batches():
        model.train_on_batch(*batch)
    assert_same(model, plain)


@pytest.mark.trained_often
def test_fit_in_parts_is_fit(plain):
    model = networks.compiled(kc.CowClip(**STRONG))
    networks.fit(model, 7)
    networks.fit(model, STEPS - 7, start=7)
    assert_same(model, plain)


def tensorflow_loop(model, optimizer, loss):
    import tensorflow as tf

    @tf.function
    def step(inputs, labels):
        with tf.GradientTape() as tape:
            value = loss(labels, model(inputs, training=True))
        variables = model.trainable_variables
        gradients = tape.gradient(value, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    for inputs, labels in networks.batches():
        step(inputs, labels)


def jax_loop(model, optimizer, loss):
    import jax

    optimizer.build(model.trainable_variables)

    def compute_loss(trainable, non_trainable, inputs, labels):
        outputs, non_trainable = model.stateless_call(
            trainable, non_trainable, inputs, training=True
        )
        return loss(labels, outputs), non_trainable

    gradient = jax.value_and_grad(compute_loss, has_aux=True)

    @jax.jit
    def step(state, inputs, labels):
        trainable, non_trainable, optimizer_state = state
        (_, non_trainable), gradients = gradient(
            trainable, non_trainable, inputs, labels
        )
        trainable, optimizer_state = optimizer.stateless_apply(
            optimizer_state, gradients, trainable
        )
        return trainable, non_trainable, optimizer_state

    variables = (
        model.trainable_variables,
        model.non_trainable_variables,
        optimizer.variables,
    )
    state = tuple([v.value for v in group] for group in variables)
    for inputs, labels in networks.batches():
        state = step(state, inputs, labels)
    for group, values in zip(variables, state, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)


def torch_loop(model, optimizer, loss):
    import torch

    variables = model.trainable_variables
    for inputs, labels in networks.batches():
        model.zero_grad()
        loss(torch.as_tensor(labels), model(inputs, training=True)).backward()
        with torch.no_grad():
            optimizer.apply([v.value.grad for v in variables], variables)


def test_a_loop_of_ones_own_is_fit(plain):
    model = networks.reference_network(networks.initial_weights())
    optimizer = kc.CowClip(**STRONG)
    loop = {"tensorflow": tensorflow_loop, "jax": jax_loop, "torch": torch_loop}
    loop[BACKEND](
        model, optimizer, keras.losses.BinaryCrossentropy(from_logits=True)
    )
    assert_same(model, plain, optimizer)


# Other optimizers around it.


def multi(dense, tables):
    return optimizers.MultiOptimizer(
        optimizers.OptimizerMap(dense, {"(table|wide)/.*": tables})
    )


@pytest.mark.trained_often
def test_in_a_multi_optimizer_it_trains_its_tables(plain):
    cowclip = kc.CowClip(**STRONG)
    model = networks.compiled(
        multi(optimizers.Adam(STRONG["learning_rate"]), cowclip)
    )
    assert_same(networks.fit(model), plain, cowclip)


@pytest.mark.trained_often
def test_a_multi_optimizer_is_saved_and_goes_on(plain, tmp_path):
    model = networks.compiled(
        multi(optimizers.Adam(STRONG["learning_rate"]), kc.CowClip(**STRONG))
    )
    networks.fit(model, 7).save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.optimizer.get_config() == model.optimizer.get_config()
    networks.fit(again, STEPS - 7, start=7)
    networks.assert_same_weights(again, plain)


def test_a_table_without_its_counts_is_refused():
    wrong = optimizers.MultiOptimizer(
        optimizers.OptimizerMap(
            optimizers.Adam(), {".*/embeddings": kc.CowClip()}
        )
    )
    model = networks.compiled(wrong)
    with pytest.raises(ValueError, match=r'by "table/\.\*".*Received: table/'):
        networks.fit(model, 1)


@pytest.mark.trained_often
def test_the_callback_finds_each_in_a_scaled_multi_optimizer():
    """One optimizer a table, both tables clipped: all rows count together."""
    deep, wide = kc.CowClip(**STRONG), kc.CowClip(clip_ratio=None)
    model = networks.compiled(None)
    model.get_layer("wide").embeddings.cowclip.clip = True
    many = optimizers.OptimizerMap(
        optimizers.Adam(STRONG["learning_rate"]),
        {"table/.*": deep, "wide/.*": wide},
    )
    scaled = optimizers.LossScaleOptimizer(optimizers.MultiOptimizer(many))
    model.compile(scaled, keras.losses.BinaryCrossentropy(from_logits=True))
    inputs, labels = next(networks.batches(1))
    model.fit(
        inputs, labels, batch_size=len(labels), verbose=0,
        callbacks=[kc.ClippedShare()],
    )  # fmt: skip
    [share] = model.history.history["clipped_share"]
    assert deep.clipped_share > 0.5
    assert wide.clipped_share == 0
    # Both have the same rows present.
    assert share == pytest.approx(deep.clipped_share / 2)


def test_an_unknown_variable_is_refused(plain):
    layer = keras.layers.Dense(1)
    layer.build((None, 1))
    with pytest.raises(ValueError, match="Unknown variable"):
        plain.optimizer.apply([layer.kernel.value], [layer.kernel])


@pytest.mark.trained_often
@pytest.mark.parametrize("scale", [2.0**10, 2.0**-10])
def test_a_loss_scale_changes_nothing(scale, plain):
    model = networks.compiled(kc.CowClip(loss_scale_factor=scale, **STRONG))
    assert_same(networks.fit(model), plain)


# Keras' own clipping comes first, of the raw gradients of the mean loss; the
# l2 and CowClip's clip then act on what it leaves.

NORM = 0.05


def clip_one(gradient):
    return gradient * min(1.0, NORM / np.linalg.norm(gradient))


def clip_each(gradients):
    return {name: clip_one(g) for name, g in gradients.items()}


def clip_all(gradients):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients.values()))
    return {name: g * min(1.0, NORM / norm) for name, g in gradients.items()}


def clip_values(gradients):
    return {
        name: np.clip(g, -NORM / 10, NORM / 10) for name, g in gradients.items()
    }


@pytest.mark.trained_often
@pytest.mark.parametrize(
    ("argument", "clip"),
    [
        ({"clipnorm": NORM}, clip_each),
        ({"global_clipnorm": NORM}, clip_all),
        ({"clipvalue": NORM / 10}, clip_values),
    ],
    ids=["clipnorm", "global_clipnorm", "clipvalue"],
)
def test_keras_clips_the_raw_gradients_first(argument, clip, monkeypatch):
    raw = reference.gradients
    differs = []

    def clipped(*batch):
        gradients = raw(*batch)
        result = clip(gradients)
        differs.append(
            any((result[name] != gradients[name]).any() for name in result)
        )
        return result

    monkeypatch.setattr(reference, "gradients", clipped)
    hyper = reference.Hyperparameters(**STRONG)
    weights = networks.initial_weights()
    batches = [
        (inputs["ids"], inputs["dense"], labels)
        for inputs, labels in networks.batches()
    ]
    state = reference.train(weights, batches, hyper)
    assert sum(differs) > STEPS / 2
    assert state.clipped_shares[-1] > 0.1
    model = networks.compiled(kc.CowClip(**STRONG, **argument))
    networks.fit(model)
    networks.assert_same_weights(model, state.weights)
    assert model.optimizer.clipped_share == pytest.approx(
        state.clipped_shares[-1]
    )


# Averages of the weights.


class Record(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.weights = []

    def on_train_batch_end(self, batch, logs=None):
        self.weights.append(networks.weights_of(self.model))


@pytest.mark.trained_often
def test_ema_ends_in_the_average_of_the_steps(plain):
    record = Record()
    model = networks.compiled(
        kc.CowClip(use_ema=True, ema_momentum=0.8, **STRONG)
    )
    networks.fit(model, callbacks=[record])
    for name, weight in networks.weights_of(model).items():
        average = record.weights[0][name]
        for step in record.weights[1:]:
            average = 0.8 * average + 0.2 * step[name]
        networks.assert_close(weight, average, name)
        # The weights of the training itself are as without it.
        networks.assert_close(
            record.weights[-1][name], networks.weights_of(plain)[name], name
        )


@pytest.mark.trained_often
def test_ema_overwrites_at_its_frequency():
    keras_adam = optimizers.Adam(
        1e-2, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3
    )
    cowclip = kc.CowClip(
        1e-2, 1e-2, 0.0, clip_ratio=None,
        use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3,
    )  # fmt: skip
    weights = []
    for layer, l2, optimizer in (
        # An l2 too small to count: without one, Keras' Adam does not sum the
        # gradients of a row on TensorFlow.
        (keras.layers.Embedding, keras.regularizers.L2(1e-12), keras_adam),
        (kc.CowClipEmbedding, None, cowclip),
    ):
        keras.utils.set_random_seed(0)
        ids = keras.Input((networks.FIELDS,), dtype="int32")
        table = layer(networks.VOCABULARY, 4, embeddings_regularizer=l2)
        flat = keras.layers.Flatten()(table(ids))
        model = keras.Model(ids, keras.layers.Dense(1, "sigmoid")(flat))
        model.compile(optimizer, "binary_crossentropy")
        ids, _, labels = networks.click_data(networks.BATCH_SIZE * STEPS)
        model.fit(
            ids, labels, batch_size=networks.BATCH_SIZE, shuffle=False,
            verbose=0,
        )  # fmt: skip
        weights.append(model.get_weights()[0])
    networks.assert_close(weights[1], weights[0])


# Tables that are frozen or shared.


@pytest.mark.trained_often
def test_a_frozen_table_rests_and_the_other_is_clipped():
    model = networks.compiled(kc.CowClip(**STRONG))
    before = networks.weights_of(model)
    model.get_layer("wide").trainable = False
    model.compile(kc.CowClip(**STRONG), model.loss)
    networks.fit(model)
    after = networks.weights_of(model)
    np.testing.assert_array_equal(after["wide"], before["wide"])
    assert (after["table"] != before["table"]).any()
    assert model.optimizer.clipped_share > 0.5


@pytest.mark.trained_often
def test_with_all_tables_frozen_there_is_nothing_to_clip():
    model = networks.compiled(kc.CowClip(**STRONG))
    before = networks.weights_of(model)
    for name in ("table", "wide"):
        model.get_layer(name).trainable = False
    model.compile(kc.CowClip(**STRONG), model.loss)
    with pytest.warns(UserWarning, match="no trainable `CowClipEmbedding`"):
        networks.fit(model)
    after = networks.weights_of(model)
    for name in ("table", "wide"):
        np.testing.assert_array_equal(after[name], before[name])
    assert (after["kernel_1"] != before["kernel_1"]).any()
    for name in ("table", "wide"):
        model.get_layer(name).trainable = True
    model.compile(kc.CowClip(**STRONG), model.loss)
    networks.fit(model)
    assert (networks.weights_of(model)["table"] != before["table"]).any()
    assert model.optimizer.clipped_share > 0.5


@pytest.mark.trained_often
def test_a_layer_called_twice_equals_one_call_on_all_ids():
    kernel = np.random.default_rng(0).normal(0, 1, (6, 4, 1))

    def once(table, left, right):
        return table(keras.layers.Concatenate()([left, right]))

    def twice(table, left, right):
        # The second call's fields come last, as in `once`.
        return keras.layers.Concatenate(axis=1)([table(left), table(right)])

    models = []
    for call in (once, twice):
        keras.utils.set_random_seed(0)
        left, right = (keras.Input((3,), dtype="int32") for _ in range(2))
        table = kc.CowClipEmbedding(networks.VOCABULARY, 4, name="table")
        probability = keras.layers.Dense(1, "sigmoid", name="probability")
        flat = keras.layers.Flatten()(call(table, left, right))
        model = keras.Model([left, right], probability(flat))
        probability.kernel.assign(kernel.reshape(24, 1))
        model.compile(kc.CowClip(**STRONG), "binary_crossentropy")
        left, _, labels = networks.click_data(16 * STEPS, seed=1)
        right, _, _ = networks.click_data(16 * STEPS, seed=2)
        model.fit(
            [left, right], labels, batch_size=16, shuffle=False, verbose=0
        )
        models.append(model)
    one, two = models
    networks.assert_close(
        two.get_layer("table").get_weights()[0],
        one.get_layer("table").get_weights()[0],
    )
    np.testing.assert_array_equal(
        networks.id_counts(two), networks.id_counts(one)
    )
    assert two.optimizer.clipped_share == one.optimizer.clipped_share > 0.5
    assert networks.id_counts(two).sum() == 16 * 6


def test_a_rematerialized_table_trains_the_same():
    models = []
    for mode in (None, "full"):
        keras.utils.set_random_seed(0)
        ids = keras.Input((3,), dtype="int32")
        # Keras' `Dense` does not work in one on TensorFlow.
        with keras.RematScope(mode=mode):
            vectors = kc.CowClipEmbedding(networks.VOCABULARY, 4, name="table")(
                ids
            )
        probability = keras.layers.Dense(1, "sigmoid", name="probability")
        model = keras.Model(ids, probability(keras.layers.Flatten()(vectors)))
        model.compile(kc.CowClip(**STRONG), "binary_crossentropy")
        data, _, labels = networks.click_data(16 * STEPS)
        model.fit(data, labels, batch_size=16, shuffle=False, verbose=0)
        models.append(model)
    plain, rematerialized = models
    np.testing.assert_array_equal(
        networks.id_counts(rematerialized), networks.id_counts(plain)
    )
    for name in ("table", "probability"):
        # The table, and the kernel.
        actual, expected = (
            model.get_layer(name).get_weights()[0] for model in models
        )
        networks.assert_close(actual, expected)


# Keras' own ways to save a run.


def test_model_checkpoint_goes_on_exactly(plain, tmp_path):
    path = tmp_path / "model.keras"
    model = networks.compiled(kc.CowClip(**STRONG))
    networks.fit(
        model, 7, callbacks=[keras.callbacks.ModelCheckpoint(str(path))]
    )
    again = keras.saving.load_model(path)
    networks.fit(again, STEPS - 7, start=7)
    assert int(again.optimizer.iterations) == STEPS
    assert_same(again, plain)


@pytest.mark.trained_often
def test_backup_and_restore_goes_on_exactly(plain, tmp_path):
    folder = str(tmp_path / "backup")
    model = networks.compiled(kc.CowClip(**STRONG))
    backup = keras.callbacks.BackupAndRestore(folder, delete_checkpoint=False)
    networks.fit(model, 7, callbacks=[backup])
    again = networks.compiled(kc.CowClip(**STRONG))
    ids, dense, labels = networks.click_data(STEPS * networks.BATCH_SIZE)
    rest = slice(7 * networks.BATCH_SIZE, None)
    again.fit(
        {"ids": ids[rest], "dense": dense[rest]},
        labels[rest],
        batch_size=networks.BATCH_SIZE,
        shuffle=False,
        verbose=0,
        # The backup says that the first epoch is done.
        epochs=2,
        callbacks=[keras.callbacks.BackupAndRestore(folder)],
    )
    assert int(again.optimizer.iterations) == STEPS
    assert_same(again, plain)
