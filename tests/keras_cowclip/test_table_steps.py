"""Tables that step once in k batches train as with a batch k times larger."""

import keras
import numpy as np
import pytest

import keras_cowclip as kc

from . import networks

BATCH = 32
MODES = {
    "clip": {},
    "lazy": {"lazy": True},
    "off": {"clip_ratio": None},
    "frequency": {"clip_ratio": None, "frequency_scale": 8.0},
    "own_moments": {
        "embedding_beta_1": 0.0,
        "embedding_beta_2": 0.9,
        "embedding_epsilon": 1e-3,
    },
    "amsgrad": {"amsgrad": True},
}


def frozen(optimizer, padded=False, **compile_arguments):
    """A network whose dense weights stay as they are."""
    model = networks.compiled(optimizer, padded=padded, **compile_arguments)
    for name in ("layer_1", "layer_2"):
        model.get_layer(name).trainable = False
    model.compile(model.optimizer, model.loss, **compile_arguments)
    return model


def in_one_and_in_many(
    k, wrap=lambda optimizer: optimizer, padding=0.0, **mode
):
    """Models after 20 table steps: by whole batches, and by k parts of each."""
    models, optimizers = [], []
    for steps in (1, k):
        settings = {**networks.STRONG, **mode}
        if steps == 1:
            for name in ("beta_1", "beta_2", "epsilon"):
                if f"embedding_{name}" in settings:
                    settings[name] = settings.pop(f"embedding_{name}")
        optimizer = kc.CowClip(embedding_accumulation_steps=steps, **settings)
        model = frozen(wrap(optimizer), padded=padding > 0)
        networks.fit(
            model, networks.STEPS * steps, BATCH // steps, padding=padding
        )
        models.append(model)
        optimizers.append(optimizer)
    return models, optimizers


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "k", [pytest.param(2, marks=pytest.mark.trained_often), 4]
)
def test_k_batches_equal_one_k_times_larger(k, mode):
    (one, many), optimizers = in_one_and_in_many(k, **MODES[mode])
    networks.assert_same_weights(many, one)
    assert optimizers[1].clipped_share == optimizers[0].clipped_share
    if mode in ("clip", "lazy"):
        assert optimizers[0].clipped_share > 0.5


@pytest.mark.trained_often
@pytest.mark.parametrize("mode", ["clip", "lazy", "frequency"])
def test_k_batches_with_padding(mode):
    (one, many), (first, second) = in_one_and_in_many(
        2, padding=0.4, **MODES[mode]
    )
    networks.assert_same_weights(many, one)
    assert second.clipped_share == first.clipped_share


def test_k_batches_under_a_loss_scale():
    (one, many), (first, second) = in_one_and_in_many(
        2, keras.optimizers.LossScaleOptimizer
    )
    networks.assert_same_weights(many, one)
    assert second.clipped_share == first.clipped_share > 0.5


@pytest.mark.trained_often
def test_k_batches_with_a_fixed_loss_scale():
    (one, many), _ = in_one_and_in_many(2, loss_scale_factor=64.0)
    networks.assert_same_weights(many, one)


@pytest.mark.trained_often
def test_a_constraint_holds_after_each_table_step():
    models = []
    for steps in (1, 4):
        optimizer = kc.CowClip(
            1e-2, 1e-1, embedding_accumulation_steps=steps, clip_ratio=None
        )
        model = networks.one_table(
            optimizer,
            30,
            4,
            embeddings_constraint=keras.constraints.UnitNorm(axis=1),
        )
        model.layers[-1].trainable = False
        model.layers[-1].kernel.assign(keras.ops.ones((12, 1)))
        model.get_layer("table").embeddings.assign(keras.ops.ones((30, 4)))
        model.compile(optimizer, "mse")
        ids, _, clicks = networks.click_data(BATCH * 4)
        batch_size = BATCH // steps
        model.fit(ids, clicks, batch_size=batch_size, shuffle=False, verbose=0)
        models.append(model)
    one, many = (m.get_layer("table").embeddings.numpy() for m in models)
    networks.assert_close(many, one)
    np.testing.assert_allclose(np.linalg.norm(many, axis=1), 1.0, rtol=1e-5)


@pytest.mark.parametrize("lazy", [False, True])
def test_tables_rest_while_the_dense_weights_step(lazy):
    model = networks.compiled(
        kc.CowClip(embedding_accumulation_steps=4, lazy=lazy, **networks.STRONG)
    )
    before = networks.weights_of(model)
    for step, batch in enumerate(networks.batches(8)):
        model.train_on_batch(*batch)
        after = networks.weights_of(model)
        for name in after:
            rests = name in ("table", "wide") and (step + 1) % 4 != 0
            assert np.array_equal(after[name], before[name]) == rests, name
        before = after


def test_the_dense_weights_step_as_without():
    """Tables that can't move leave no other difference."""
    trained = []
    for steps in (1, 4):
        optimizer = kc.CowClip(
            learning_rate=1e-2,
            embedding_learning_rate=0.0,
            embedding_accumulation_steps=steps,
        )
        trained.append(networks.fit(networks.compiled(optimizer)))
    networks.assert_same_weights(*trained)


@pytest.mark.trained_often
@pytest.mark.filterwarnings(
    # PyTorch's compiler looks at every tensor, at those of a gradient too.
    "ignore:The .grad attribute of a Tensor:UserWarning"
)
@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    "arguments",
    [
        # PyTorch's compiler takes half a minute.
        pytest.param({"jit_compile": True}, marks=pytest.mark.large),
        {"run_eagerly": True},
        pytest.param(
            {"steps_per_execution": 2},
            marks=pytest.mark.skipif(
                keras.backend.backend() == "torch",
                reason="Keras refuses `steps_per_execution` on PyTorch",
            ),
        ),
    ],
    ids=str,
)
def test_a_step_is_the_same_however_it_runs(arguments, lazy):
    models = [
        networks.fit(
            networks.compiled(
                kc.CowClip(
                    embedding_accumulation_steps=3, lazy=lazy, **networks.STRONG
                ),
                **compile_arguments,
            ),
            steps=8,
        )
        for compile_arguments in ({}, arguments)
    ]
    networks.assert_same_weights(*models)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    "batches", [pytest.param(4, marks=pytest.mark.trained_often), 6]
)
def test_a_file_saved_within_a_window_goes_on_as_if_never_saved(
    batches, lazy, tmp_path
):
    optimizer = kc.CowClip(
        embedding_accumulation_steps=4,
        embedding_beta_2=0.9,
        lazy=lazy,
        **networks.STRONG,
    )
    model = networks.compiled(optimizer)
    networks.fit(model, batches, batch_size=8)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.optimizer.embedding_beta_2 == 0.9
    for trained in (model, again):
        networks.fit(trained, 16 - batches, batch_size=8, start=batches)
    expected = networks.weights_of(model)
    for name, weight in networks.weights_of(again).items():
        np.testing.assert_array_equal(weight, expected[name], err_msg=name)
    assert again.optimizer.clipped_share == optimizer.clipped_share > 0.5


@pytest.mark.trained_often
@pytest.mark.parametrize(
    ("k", "momentum", "interval"), [(1, 0.8, 1), (1, 0.98, 5), (4, 0.8, 4)]
)
def test_averages_of_tables_move_at_few_steps(k, momentum, interval):
    optimizer = kc.CowClip(
        embedding_accumulation_steps=k,
        use_ema=True,
        ema_momentum=momentum,
        **networks.STRONG,
    )
    model = networks.compiled(optimizer)
    expected = {}
    for step, batch in enumerate(networks.batches(12)):
        model.train_on_batch(*batch)
        for name, weight in networks.weights_of(model).items():
            steps = interval if name in ("table", "wide") else 1
            if name not in expected:
                expected[name] = weight
            elif (step + 1) % steps == 0:
                kept = momentum**steps
                expected[name] = kept * expected[name] + (1 - kept) * weight
    optimizer.finalize_variable_values(model.trainable_variables)
    networks.assert_same_weights(model, expected)


def test_a_table_steps_by_what_it_had_where_the_last_batch_lacks_a_gradient():
    """A custom loop may give a step some of the variables alone."""
    optimizer = kc.CowClip(embedding_accumulation_steps=2, **networks.STRONG)
    model = networks.compiled(optimizer)
    variables = model.trainable_variables
    optimizer.build(variables)
    bias = model.get_layer("layer_2").bias
    table = model.get_layer("table")
    before = networks.weights_of(model)["table"]
    ones = keras.ops.ones(table.embeddings.shape)
    counts = keras.ops.ones(table.id_counts.shape)
    for _ in range(2):
        optimizer.apply([ones, counts], [table.embeddings, table.id_counts])
        assert np.array_equal(networks.weights_of(model)["table"], before)
        optimizer.apply([keras.ops.ones(bias.shape)], [bias])
        after = networks.weights_of(model)["table"]
        assert not np.array_equal(after, before)
        before = after


@pytest.mark.trained_often
def test_sums_that_were_used_are_not_read_from_a_file(tmp_path):
    """On JAX they lie in the file until the next batch."""
    models = []
    for stale in (False, True):
        optimizer = kc.CowClip(
            embedding_accumulation_steps=2, **networks.STRONG
        )
        model = networks.fit(networks.compiled(optimizer), steps=4)
        if stale:
            for variable in optimizer.variables:
                if variable.name.endswith("_sum"):
                    variable.assign(keras.ops.ones(variable.shape))
            model.save_weights(tmp_path / "model.weights.h5")
            model.load_weights(tmp_path / "model.weights.h5")
        models.append(networks.fit(model, steps=2, start=4))
    networks.assert_same_weights(*models)


def test_gradients_of_rows_without_a_count_do_not_add_up():
    """`lazy` drops them at any number of batches a step."""
    optimizer = kc.CowClip(
        embedding_accumulation_steps=2, embedding_l2=0.0, lazy=True
    )
    model = networks.one_table(
        optimizer, 6, 2, embeddings_regularizer=keras.regularizers.L2(0.1)
    )
    ids = np.array([[0, 1, 1]] * 4)
    for step in range(4):
        model.train_on_batch(ids, np.ones((4, 1)))
        [accumulator] = optimizer._accumulators
        total = keras.ops.convert_to_numpy(accumulator._gradient)
        if step % 2 == 0:
            # Of the L2; the sums are not divided yet.
            expected = 2 * 0.1 * networks.rows_of(model)
            np.testing.assert_allclose(total[2:], expected[2:], rtol=1e-5)


@pytest.mark.parametrize("k", [1, 2])
def test_tables_alone_are_overwritten_by_their_averages(k):
    optimizer = kc.CowClip(
        embedding_learning_rate=1e-2,
        embedding_accumulation_steps=k,
        use_ema=True,
        ema_momentum=0.999,
        ema_overwrite_frequency=2,
    )
    ids = keras.Input((networks.FIELDS,), dtype="int32")
    rows = kc.CowClipEmbedding(10, 2, name="table")(ids)
    model = keras.Model(ids, keras.ops.sum(rows, axis=(1, 2)))
    model.compile(optimizer, "mse")
    x = np.arange(12).reshape(4, 3) % 10
    for _ in range(4):
        model.train_on_batch(x, np.ones((4,)))
    [update] = optimizer._tables()
    average = optimizer._model_variables_moving_average[update.index]
    np.testing.assert_array_equal(networks.rows_of(model), average.numpy())


def test_averages_move_where_all_dense_weights_are_frozen():
    optimizer = kc.CowClip(
        embedding_accumulation_steps=2,
        use_ema=True,
        ema_momentum=1e-9,
        **networks.STRONG,
    )
    model = frozen(optimizer)
    for batch in networks.batches(4):
        model.train_on_batch(*batch)
    expected = networks.weights_of(model)
    optimizer.finalize_variable_values(model.trainable_variables)
    networks.assert_same_weights(model, expected)


@pytest.mark.parametrize(
    "setting",
    [
        {"gradient_accumulation_steps": 2},
        {"clipnorm": 1.0},
        {"global_clipnorm": 1.0},
        {"clipvalue": 1.0},
    ],
)
def test_what_would_change_each_batch_is_refused(setting):
    (name, value), *_ = setting.items()
    with pytest.raises(ValueError, match=f"steps=2, {name}={value}"):
        kc.CowClip(embedding_accumulation_steps=2, **setting)


def test_the_rule_scales_each_group_by_its_batch():
    scaled = kc.scale_hyperparameters(
        8192, rule="frequency", embedding_batch_size=65_536
    )
    dense = kc.scale_hyperparameters(8192, rule="frequency")
    tables = kc.scale_hyperparameters(65_536, rule="frequency")
    assert scaled["embedding_accumulation_steps"] == 8
    for name in ("learning_rate", "beta_1", "beta_2", "epsilon"):
        assert scaled[name] == dense[name]
    for name in ("beta_1", "beta_2", "epsilon"):
        assert scaled[f"embedding_{name}"] == tables[name]
    for name in ("embedding_learning_rate", "embedding_l2", "frequency_scale"):
        assert scaled[name] == tables[name]


def test_the_rule_of_the_paper_scales_the_l2_by_the_batch_of_the_tables():
    scaled = kc.scale_hyperparameters(8192, embedding_batch_size=65_536)
    assert scaled["learning_rate"] == 8e-4 * 8**0.5
    assert scaled["embedding_l2"] == pytest.approx(64e-5)
    assert scaled["embedding_accumulation_steps"] == 8


@pytest.mark.parametrize("value", [1000, 512, 0, "8192"])
def test_the_batch_of_the_tables_is_a_multiple(value):
    with pytest.raises(ValueError, match=f"embedding_batch_size={value!r}"):
        kc.scale_hyperparameters(1024, embedding_batch_size=value)


def test_a_table_without_any_gradient_does_not_step():
    optimizer = kc.CowClip(embedding_accumulation_steps=2, **networks.STRONG)
    model = networks.compiled(optimizer)
    optimizer.build(model.trainable_variables)
    before = networks.weights_of(model)
    bias = model.get_layer("layer_2").bias
    for _ in range(4):
        optimizer.apply([keras.ops.ones(bias.shape)], [bias])
    after = networks.weights_of(model)
    np.testing.assert_array_equal(after["table"], before["table"])
    assert not np.array_equal(after["bias_2"], before["bias_2"])
