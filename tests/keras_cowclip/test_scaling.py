import pytest

from keras_cowclip import CowClip
from keras_cowclip import scale_hyperparameters

BASE = {
    "learning_rate": 3e-4,
    "embedding_learning_rate": 2e-4,
    "embedding_l2": 1e-5,
}
# Factors at 16 times the batch, from the paper's table of rules.
FACTORS_AT_16 = {
    "cowclip": (4, 1, 16),
    "none": (1, 1, 1),
    "sqrt": (4, 4, 4),
    "linear": (16, 16, 1),
    "n2_lambda": (4, 1, 256),
}


@pytest.mark.parametrize("rule", FACTORS_AT_16)
def test_rule_multiplies_as_in_the_paper(rule):
    scaled = scale_hyperparameters(16 * 512, 512, rule, **BASE)
    assert list(scaled) == list(BASE)
    for name, factor in zip(BASE, FACTORS_AT_16[rule], strict=True):
        assert scaled[name] == pytest.approx(BASE[name] * factor)


@pytest.mark.parametrize("rule", FACTORS_AT_16)
def test_base_batch_size_changes_nothing(rule):
    assert scale_hyperparameters(512, 512, rule, **BASE) == BASE


@pytest.mark.parametrize(
    ("scale", "beta_1", "beta_2"), [(4, 0.6, 0.996), (16, 0.0, 0.984)]
)
def test_the_frequency_rule_leaves_the_rest_to_the_rows(scale, beta_1, beta_2):
    scaled = scale_hyperparameters(scale * 512, 512, "frequency", **BASE)
    assert scaled == {
        **BASE,
        "learning_rate": pytest.approx(scale**0.5 * BASE["learning_rate"]),
        "frequency_scale": scale,
        "clip_ratio": None,
        "beta_1": pytest.approx(beta_1),
        "beta_2": pytest.approx(beta_2),
        "epsilon": pytest.approx(1e-7 / scale**0.5),
    }
    CowClip(**scaled)


def test_published_criteo_settings():
    # The paper's table, 1K to 128K; its learning rates are rounded.
    for thousands, rate in ((1, 8e-4), (8, 22.62e-4), (64, 64e-4)):
        scaled = scale_hyperparameters(thousands * 1024)
        assert scaled["learning_rate"] == pytest.approx(rate, rel=1e-3)
        assert scaled["embedding_learning_rate"] == 1e-4
        assert scaled["embedding_l2"] == pytest.approx(thousands * 1e-5)


def test_smaller_batch_scales_down():
    scaled = scale_hyperparameters(256, 1024)
    assert scaled["learning_rate"] == pytest.approx(4e-4)
    assert scaled["embedding_l2"] == pytest.approx(2.5e-6)


def test_unknown_rule_is_refused_with_those_that_exist():
    with pytest.raises(ValueError, match="cowclip.*Received: rule='cubic'"):
        scale_hyperparameters(1024, rule="cubic")
