"""Networks that serve several domains: unseen, absent, and lonely ones."""

import numpy as np
import pytest
from keras import ops

import zoo
from keras_cowclip import CowClip
from tests.zoo.networks import EAGERLY
from tests.zoo.networks import SCHEMA
from tests.zoo.networks import build
from tests.zoo.networks import clicks
from tests.zoo.networks import inputs
from tests.zoo.networks import set_weights
from zoo.interop.weighted_model import named_weights

NETWORKS = ["star", "sarnet", "pepnet"]
SEEN, UNSEEN = [0, 2], 1
DOMAIN = zoo.FeatureSchema.from_config(
    {**SCHEMA.get_config(), "roles": {"domain": ["device"]}}
)
MOVING = ("moving_mean", "moving_variance")
# They have the domains as their first axis.
OF_DOMAINS = {
    "star": ["domain_norm/domain_gamma", "hidden_1/domain_kernel"],
    "sarnet": ["scale/scale", "domain_experts/kernel"],
    "pepnet": ["domain_embeddings/embeddings"],
}
STATISTICS = {
    "star": [f"domain_norm/{n}" for n in ("rows", *MOVING)],
    "sarnet": [f"domain_norm/{n}" for n in ("rows", *MOVING)],
    "pepnet": [],
}
pytestmark = pytest.mark.filterwarnings("ignore:There is nothing to clip")


def made(name, **arguments):
    if name == "pepnet":
        arguments["domain_embedding_dim"] = 3
    return build(name, DOMAIN, embedding_deviation=0.3, **arguments)


def rows(domains, seed=1):
    x = inputs(DOMAIN, len(domains), seed)
    x["ids"][:, 2] = domains
    return x


def train(model, *batches):
    if not model.compiled:
        model.compile(
            # Without a decay, which moves rows that no batch has, too.
            CowClip(1e-2, 1e-2, embedding_l2=0.0),
            "binary_crossentropy",
            run_eagerly=EAGERLY,
        )
    for x in batches:
        model.train_on_batch(x, clicks(model, x))


def weights(model):
    return {
        name: ops.convert_to_numpy(variable.value).copy()
        for name, variable in named_weights(model).items()
    }


def predicted(model, x):
    # As in serving, all labels side by side.
    values = model.predict(x, verbose=0)
    values = values.values() if isinstance(values, dict) else [values]
    return np.concatenate(list(values), axis=1)


@pytest.mark.parametrize("name", NETWORKS)
def test_an_unseen_domain_keeps_its_first_weights(name):
    model = made(name)
    before = weights(model)
    random = np.random.default_rng(0)
    train(model, *(rows(random.choice(SEEN, 32), seed) for seed in range(3)))
    after = weights(model)
    for weight in OF_DOMAINS[name]:
        np.testing.assert_array_equal(
            after[weight][UNSEEN], before[weight][UNSEEN]
        )
        assert not np.allclose(after[weight][SEEN], before[weight][SEEN])
    assert np.isfinite(predicted(model, rows([UNSEEN] * 8))).all()


def test_an_unseen_domain_has_the_shared_star_and_statistics():
    model = made("star")
    train(model, *(rows([0, 2] * 16, seed) for seed in range(3)))
    found = weights(model)
    assert (found["hidden_1/domain_kernel"][UNSEEN] == 1).all()
    assert (found["hidden_1/domain_bias"][UNSEEN] == 0).all()
    assert found["domain_norm/rows"][UNSEEN] == 0
    # With the statistics of all rows in their place nothing changes.
    x = rows([UNSEEN] * 8)
    before = predicted(model, x)
    named = named_weights(model)
    for kind in MOVING:
        value = found[f"domain_norm/{kind}"]
        value[UNSEEN] = found[f"domain_norm/all_{kind}"]
        named[f"domain_norm/{kind}"].assign(value)
    named["domain_norm/rows"].assign(np.ones(3))
    np.testing.assert_array_equal(predicted(model, x), before)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    "domains", [[1], [1] * 8, [0, 2, 2]], ids=["one row", "one domain", "lone"]
)
def test_batches_that_lack_domains(name, domains):
    model = made(name)
    train(model, rows(np.arange(32) % 3))
    before = weights(model)
    x = rows(domains)
    expected = predicted(model, rows([0, 1, 2] * 4))
    assert np.isfinite(predicted(model, x)).all()
    train(model, x)
    after = weights(model)
    assert all(np.isfinite(value).all() for value in after.values())
    # The weights and statistics of a domain without rows stay.
    absent = sorted(set(range(3)) - set(domains))
    for weight in STATISTICS[name]:
        np.testing.assert_array_equal(
            after[weight][absent], before[weight][absent]
        )
        assert not np.array_equal(after[weight], before[weight])
    assert np.isfinite(predicted(model, rows([0, 1, 2] * 4))).all()
    assert not np.array_equal(predicted(model, rows([0, 1, 2] * 4)), expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_row_does_not_depend_on_others_when_it_is_predicted(name):
    model = set_weights(made(name), deviation=0.3)
    x = rows([0, 1, 2, 2])
    alone = [
        predicted(model, {n: array[i : i + 1] for n, array in x.items()})
        for i in range(4)
    ]
    np.testing.assert_allclose(
        predicted(model, x), np.concatenate(alone), rtol=1e-5, atol=1e-6
    )


@pytest.mark.one_backend(reason="a check looks at no tensor")
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    "roles", [None, {"domain": ["price"]}, {"domain": ["site", "hour"]}]
)
def test_one_field_is_the_domain(name, roles):
    schema = zoo.FeatureSchema(
        SCHEMA.dense, SCHEMA.categorical, roles=roles or {"user": "site"}
    )
    with pytest.raises(ValueError, match="'domain'.*Received"):
        build(name, schema)


@pytest.mark.one_backend(reason="a check looks at no tensor")
@pytest.mark.parametrize("name", NETWORKS)
def test_a_domain_alone_is_too_little(name):
    schema = zoo.FeatureSchema([], {"tab": 3}, roles={"domain": "tab"})
    with pytest.raises(ValueError, match="beside.*Received"):
        build(name, schema)


def test_growth_adds_domains_like_unseen_ones():
    model = made("star")
    train(model, rows(np.arange(32) % 3))
    config = {**DOMAIN.get_config(), "categorical": [["site", 7], ["hour", 5]]}
    config["categorical"].append(["device", 5])
    grown = zoo.grow(model, zoo.FeatureSchema.from_config(config))
    found = weights(grown)
    assert found["domain_norm/rows"].tolist()[3:] == [0, 0]
    assert (found["hidden_1/domain_kernel"][3:] == 1).all()
    assert np.isfinite(predicted(grown, rows([3, 4]))).all()
