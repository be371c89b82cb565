"""`CowClip.from_optimizer` takes all that an Adam has, for a larger batch."""

import keras
import numpy as np
import pytest

import keras_cowclip as kc

from . import networks

ADAMS = {
    "plain": lambda: keras.optimizers.Adam(2e-3),
    "its own settings": lambda: keras.optimizers.Adam(
        1e-2, beta_1=0.8, beta_2=0.9, epsilon=1e-4, clipnorm=0.5, use_ema=True
    ),
    "averaged": lambda: keras.optimizers.Adam(
        1e-2,
        beta_1=0.8,
        beta_2=0.9,
        epsilon=1e-4,
        use_ema=True,
        # Of larger ones CowClip updates a table's average at fewer steps.
        ema_momentum=0.9,
    ),
    "AdamW": lambda: keras.optimizers.AdamW(2e-3, weight_decay=0.1),
}


@pytest.mark.parametrize("name", ADAMS)
@pytest.mark.parametrize("rule", ["frequency", "cowclip", "sqrt"])
def test_at_the_same_batch_it_is_that_optimizer(name, rule):
    adam = ADAMS[name]()
    optimizer = kc.CowClip.from_optimizer(adam, 256, 256, rule)
    expected = adam.get_config()
    config = optimizer.get_config()
    del expected["name"]
    assert {key: config[key] for key in expected} == expected
    assert config["embedding_learning_rate"] == expected["learning_rate"]
    assert config["embedding_l2"] == 0.0
    assert config["frequency_scale"] == 1.0


def test_a_larger_batch_is_scaled_by_the_rule():
    adam = keras.optimizers.Adam(1e-3, beta_2=0.9999, epsilon=1e-6)
    optimizer = kc.CowClip.from_optimizer(adam, 256, 4096, embedding_l2=1e-5)
    expected = kc.CowClip(
        **kc.scale_hyperparameters(
            *(4096, 256, "frequency", 1e-3, 1e-3, 1e-5),
            beta_2=0.9999,
            epsilon=1e-6,
        )
    )
    assert optimizer.get_config() == {
        **expected.get_config(),
        "name": optimizer.name,
    }
    assert optimizer.beta_2 == pytest.approx(1 - 16 * 1e-4)
    assert optimizer.epsilon == pytest.approx(1e-6 / 4)


def test_arguments_of_its_own_win():
    optimizer = kc.CowClip.from_optimizer(
        *(keras.optimizers.Adam(1e-3), 256, 4096, "cowclip"),
        lazy=True,
        embedding_learning_rate=0.5,
    )
    assert optimizer.lazy
    assert float(optimizer.embedding_learning_rate) == 0.5


@pytest.mark.trained_often
def test_it_trains_what_adam_trains_at_the_same_batch():
    predictions = []
    adam = ADAMS["averaged"]
    for optimizer in (adam(), kc.CowClip.from_optimizer(adam(), 64, 64)):
        keras.utils.set_random_seed(0)
        model = networks.one_table(optimizer, 60, 4)
        # Keras' own average needs a table that is not counted.
        is_adam = not isinstance(optimizer, kc.CowClip)
        model.get_layer("table").id_counts.trainable = not is_adam
        # Each once: Keras' Adam squares the parts of a sum on TensorFlow.
        ids = np.arange(60).reshape(20, 3)
        model.fit(ids, ids[:, :1] % 2, epochs=3, shuffle=False, verbose=0)
        predictions.append(model.predict(ids, verbose=0))
    np.testing.assert_allclose(*predictions, rtol=1e-5)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (keras.optimizers.SGD, "must be a `keras.optimizers.Adam`"),
        (kc.CowClip, "must be a `keras.optimizers.Adam`"),
        (
            lambda: keras.optimizers.Adam(
                keras.optimizers.schedules.CosineDecay(1e-3, 100)
            ),
            "a schedule for the new number of steps",
        ),
    ],
)
def test_what_it_can_not_take_is_refused(optimizer, message):
    with pytest.raises(ValueError, match=message):
        kc.CowClip.from_optimizer(optimizer(), 256, 4096)


def test_an_l2_beside_the_optimizers_is_warned_of():
    table = kc.CowClipEmbedding(20, 4, embeddings_regularizer="l2")
    table.build()
    with pytest.warns(UserWarning, match="embeddings_regularizer"):
        kc.CowClip().build(table.trainable_variables)
    # A warning would be an error.
    kc.CowClip(embedding_l2=0.0).build(table.trainable_variables)
