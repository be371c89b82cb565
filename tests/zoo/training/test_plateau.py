"""Learning rates that fall where the validation AUC stalls."""

import keras
import pytest

import zoo
from tests.keras_cowclip import networks
from zoo.datasets import synthetic
from zoo.evaluation import evaluation
from zoo.training.plateau import num_plateaus

AUCS = [0.70, 0.72, 0.71, 0.73, 0.73]
OPTIONS = {
    "batch_size": 1024, "epochs": 6, "warmup_epochs": 1.5, "decay": "plateau",
    "learning_rate": 1e-3, "embedding_dim": 2, "hidden_units": (4,),
    "verbose": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def log():
    return synthetic.make_log(rows=12_800, max_vocabulary=20)


class Rates(keras.callbacks.Callback):
    """The two learning rates each step was made with."""

    def __init__(self, stop_at=None):
        super().__init__()
        self.seen = []
        self.stop_at = stop_at

    def on_train_batch_end(self, batch, logs=None):
        optimizer = self.model.optimizer
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        self.seen.append(
            (
                float(optimizer.learning_rate.numpy()),
                float(optimizer.embedding_learning_rate.numpy()),
            )
        )
        if len(self.seen) == self.stop_at:
            raise KeyboardInterrupt


@pytest.fixture
def train(monkeypatch, log, tmp_path):
    """Trains with AUCs as given, and returns the rates of every step."""
    fit = keras.Model.fit
    monkeypatch.setattr(
        evaluation,
        "exact_metrics",
        # The last one is of the test.
        lambda *_: {
            "auc": next(aucs, 0.5),
            "log_loss": 0.5,
            "calibration": 1.0,
        },
    )
    aucs = iter(())

    def train(given, stop_at=None, name="run", **options):
        nonlocal aucs
        aucs = iter(given)
        rates = Rates(stop_at)

        def watched(model, *args, callbacks, **kwargs):
            return fit(model, *args, callbacks=[*callbacks, rates], **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(keras.Model, "fit", watched)
            try:
                zoo.train(log, tmp_path / name, **{**OPTIONS, **options})
            except KeyboardInterrupt:
                assert stop_at
        return rates.seen

    return train


def test_an_epoch_that_is_not_the_best_so_far_is_a_plateau():
    assert [num_plateaus(AUCS[:n]) for n in range(6)] == [0, 0, 0, 1, 1, 2]


def test_rates_warm_up_and_are_cut_where_the_auc_stalls(train):
    rates = train([*AUCS, 0.74])
    assert len(rates) == 60
    dense, embedding = zip(*rates, strict=True)
    assert dense[0] == pytest.approx(1e-8, rel=1e-3)
    # Of 15 steps of warm-up.
    assert dense[6] == pytest.approx(1e-3 * 6 / 15, rel=1e-3)
    assert dense[15:30] == pytest.approx([1e-3] * 15)
    assert dense[30:50] == pytest.approx([1e-4] * 20)
    assert dense[50:] == pytest.approx([1e-5] * 10)
    assert embedding[:30] == pytest.approx([1e-4] * 30)
    assert embedding[30:50] == pytest.approx([1e-5] * 20)
    assert embedding[50:] == pytest.approx([1e-6] * 10)


def test_in_mixed_float16_both_rates_are_cut(train):
    # The optimizer is in a `LossScaleOptimizer` there.
    with networks.dtype_policy("mixed_float16"):
        rates = train([0.7, 0.6, 0.7], epochs=3, warmup_epochs=0)
    assert rates[-1] == pytest.approx((1e-4, 1e-5))


@pytest.mark.parametrize(
    "stop_at",
    [*(pytest.param(n, marks=pytest.mark.large) for n in (8, 30)), 33],
)
def test_a_resumed_run_has_the_same_rates(stop_at, train):
    aucs = [*AUCS, 0.74]
    expected = train(aucs, name="whole")
    train(aucs, stop_at=stop_at, checkpoint_steps=4)
    begin = stop_at // 4 * 4
    resumed = train(aucs[begin // 10 :], resume=True, checkpoint_steps=4)
    assert len(resumed) == 60 - begin
    for ours, theirs in zip(resumed, expected[begin:], strict=True):
        assert ours == pytest.approx(theirs)


def test_without_a_validation_split_it_is_refused(log, tmp_path):
    splits = {name: log.split(name) for name in ("train", "test")}
    bare = zoo.EncodedLog(log.schema, splits, "bare")
    with pytest.raises(ValueError, match="needs a validation split.*Received"):
        zoo.train(bare, tmp_path / "run", **OPTIONS)
    assert not list(tmp_path.iterdir())
