"""Attention over a history reaches a higher AUC than its mean."""

import keras
import pytest
from sklearn.metrics import roc_auc_score

from tests.zoo.training.din import MeanOfEvents
from tests.zoo.training.din import WeightedEvents
from tests.zoo.training.din import history_network
from zoo.datasets import synthetic


def rows(log, split):
    return log.splits[split].inputs, log.splits[split].labels[:, None]


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=120_000, max_vocabulary=1_000, history=20)


@pytest.mark.large
def test_a_mean_of_the_history_loses_against_attention(log):
    aucs = {}
    for layer in (MeanOfEvents, WeightedEvents):
        keras.utils.set_random_seed(0)
        model = history_network(log.schema, layer())
        model.compile(keras.optimizers.Adam(1e-2), "binary_crossentropy")
        model.fit(*rows(log, "train"), batch_size=1024, epochs=3, verbose=0)
        inputs, labels = rows(log, "test")
        scores = model.predict(inputs, batch_size=8192, verbose=0)
        aucs[layer] = roc_auc_score(labels, scores)
    best = log.bayes["test"]["auc"]
    # 0.828, 0.797 and 0.705 on PyTorch.
    assert aucs[WeightedEvents] > best - 0.05
    assert aucs[MeanOfEvents] < best - 0.1
    assert aucs[MeanOfEvents] < aucs[WeightedEvents] - 0.06
