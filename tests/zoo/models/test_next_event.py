"""The loss of the next event, by loops, and what it asks of a schema."""

import keras
import numpy as np
import pytest

import zoo
from keras_cowclip import CowClip
from tests.zoo.models.by_loops import float64_weights
from tests.zoo.networks import EAGERLY
from tests.zoo.networks import inputs
from tests.zoo.networks import predicted_and_kept
from tests.zoo.networks import set_weights
from zoo.registry import NETWORKS

SEQUENCES = {
    "sites": zoo.Sequence("site", max_length=4),
    "hours": zoo.Sequence("hour", max_length=4, parallel_to="sites"),
    "other_sites": zoo.Sequence("site", max_length=4),
    "other_hours": zoo.Sequence(
        "hour", max_length=4, parallel_to="other_sites"
    ),
}
NEGATIVES = (("other_sites", "other_hours"),)


def schema(*sequences, **settings):
    return zoo.FeatureSchema(
        [],
        {"site": 7, "hour": 5},
        sequences={name: SEQUENCES[name] for name in sequences or SEQUENCES},
        **settings,
    )


def rows(of):
    x = inputs(of, rows=6)
    for name in NEGATIVES[0]:
        # One negative for each event.
        if name in x:
            x[name] = np.where(x["sites"] < 0, -1, x["ids"][:, :1] % 5)
    return {name: np.asarray(x[name], x[name].dtype) for name in x}


def kept_by(model, x):
    _, kept = predicted_and_kept(model, x)
    return kept


def loss_of(model, kept, weight=None):
    loss = model.extra_loss(None, None, kept, weight)
    return float(keras.ops.convert_to_numpy(loss))


def relu(x):
    return np.maximum(x, 0)


def perceptron(w, name, x):
    i = 1
    while f"{name}_hidden_{i}/kernel" in w:
        layer = f"{name}_hidden_{i}"
        x = relu(x @ w[f"{layer}/kernel"] + w[f"{layer}/bias"])
        i += 1
    return (x @ w[f"{name}_score/kernel"] + w.get(f"{name}_score/bias", 0))[0]


def dmr_state(w, events):
    """DMR's state of a user from the events at places, `None` for none."""
    scores = []
    for place, event in enumerate(events):
        position = w["user_positions_1/vectors"][place]
        query = relu(
            position @ w["user_query_1/kernel"] + w["user_query_1/bias"]
        )
        if event is not None:
            pair = [query, event, query - event, query * event]
            scores.append(
                np.exp(perceptron(w, "user_attention_1", np.concatenate(pair)))
            )
        else:
            scores.append(0)
    total = sum(
        score * event
        for score, event in zip(scores, events, strict=True)
        if event is not None
    ) / sum(scores)
    return relu(total @ w["user_state_1/kernel"] + w["user_state_1/bias"])


@pytest.mark.trained_often
@pytest.mark.parametrize("negatives", [None, NEGATIVES])
def test_dmr_predicts_the_newest_event(negatives):
    names = [] if negatives else ["sites", "hours"]
    model = zoo.DMR(
        schema(*names),
        embedding_dim=3,
        hidden_units=(4,),
        attention_units=(5,),
        negatives=negatives,
        auxiliary_weight=0.5,
    )
    w, x = float64_weights(set_weights(model)), rows(model.schema)
    start = 7

    def vector(table, site, hour):
        return np.concatenate([w[table][site], w[table][start + hour]])

    def events(row, table="embeddings/embeddings", of=("sites", "hours")):
        return [
            None if site < 0 else vector(table, site, hour)
            for site, hour in zip(x[of[0]][row], x[of[1]][row], strict=True)
        ]

    second, losses = "output_embeddings/embeddings", []
    for row in range(6):
        last = events(row, second)[-1]
        before = events(row)[:-1]
        if last is None or all(each is None for each in before):
            continue
        state = dmr_state(w, before)
        loss = np.log1p(np.exp(-state @ last))
        if negatives:
            others = events(row, second, negatives[0])
        else:
            others = events(row - 1, second)[-1:]
        for other in others:
            if other is not None:
                loss += np.log1p(np.exp(state @ other))
        losses.append(loss)
    assert 1 < len(losses) < 6
    received = loss_of(model, kept_by(model, x))
    np.testing.assert_allclose(received, 0.5 * np.mean(losses), rtol=1e-4)


@pytest.mark.trained_often
@pytest.mark.parametrize("negatives", [None, NEGATIVES])
def test_dmin_predicts_each_next_event(negatives):
    names = [] if negatives else ["sites", "hours"]
    model = zoo.DMIN(
        schema(*names),
        embedding_dim=3,
        hidden_units=(4,),
        auxiliary_units=(5,),
        negatives=negatives,
        auxiliary_weight=0.5,
    )
    w, x = float64_weights(set_weights(model)), rows(model.schema)

    def events(of):
        table = w["embeddings/embeddings"]
        vectors = np.concatenate([table[x[of[0]]], table[7 + x[of[1]]]], -1)
        return vectors * (x[of[0]] >= 0)[..., None]

    clicked, mask = events(["sites", "hours"]), x["sites"] >= 0
    refiner = model.get_layer("refiner_1")
    refined = keras.ops.convert_to_numpy(
        refiner([clicked.astype("float32"), mask])
    ).astype("float64")
    others, are_others = np.roll(clicked, 1, 0), np.roll(mask, 1, 0)
    if negatives:
        others, are_others = events(negatives[0]), x["other_sites"] >= 0
    losses = []
    for row in range(6):
        for place in range(3):
            if not (mask[row, place] and mask[row, place + 1]):
                continue
            before = refined[row, place]
            pair = np.concatenate([before, clicked[row, place + 1]])
            loss = np.log1p(np.exp(-perceptron(w, "auxiliary_1", pair)))
            if are_others[row, place + 1]:
                pair = np.concatenate([before, others[row, place + 1]])
                loss += np.log1p(np.exp(perceptron(w, "auxiliary_1", pair)))
            losses.append(loss)
    assert len(losses) > 3
    received = loss_of(model, kept_by(model, x))
    np.testing.assert_allclose(received, 0.5 * np.mean(losses), rtol=1e-4)


@pytest.mark.one_backend(reason="a check looks at no tensor")
def test_negatives_of_dmin_have_the_places_of_events():
    longer = {
        "sites": SEQUENCES["sites"],
        "many": zoo.Sequence("site", max_length=5),
    }
    small = zoo.FeatureSchema([], {"site": 7}, sequences=longer)
    settings = {"negatives": (("many",),), "auxiliary_weight": 1.0}
    assert zoo.DMR(small, **settings)
    with pytest.raises(ValueError, match=r"max_length.*Received"):
        zoo.DMIN(small, **settings)


@pytest.mark.trained_often
@pytest.mark.parametrize("network", ["dmin", "dmr"])
def test_rows_without_weight_add_nothing(network):
    model = NETWORKS[network](
        schema("sites", "hours"), embedding_dim=4, auxiliary_weight=1.0
    )
    set_weights(model)
    x = rows(model.schema)
    kept = kept_by(model, x)
    once = {name: tensor[:3] for name, tensor in kept.items()}
    weights = np.array([2, 2, 2, 0, 0, 0], "float32")
    for given in (weights, {"click": weights, "buy": 0 * weights}):
        np.testing.assert_allclose(
            loss_of(model, kept, given), loss_of(model, once), rtol=1e-5
        )
    assert loss_of(model, kept, 0 * weights) == 0


@pytest.mark.trained_often
@pytest.mark.parametrize("network", ["dmin", "dmr"])
@pytest.mark.parametrize("negatives", [None, NEGATIVES])
def test_a_step_moves_what_the_loss_is_made_of(network, negatives):
    names = [] if negatives else ["sites", "hours"]
    model = NETWORKS[network](
        schema(*names),
        embedding_dim=4,
        hidden_units=(4,),
        auxiliary_weight=1.0,
        negatives=negatives,
        normalization="batch",
        normalize_once=True,
    )
    set_weights(model, deviation=0.3)
    model.compile(CowClip(), "binary_crossentropy", run_eagerly=EAGERLY)
    x = rows(model.schema)
    y = (x["ids"][:, :1] % 2).astype("float32")
    before = [np.array(each) for each in model.get_weights()]
    assert np.isfinite(model.train_on_batch(x, y))
    still = [
        variable.path
        for variable, old in zip(model.weights, before, strict=True)
        if variable.trainable
        and not variable.path.endswith("id_counts")
        and np.array_equal(keras.ops.convert_to_numpy(variable.value), old)
    ]
    assert not still
    assert model.predict(x, verbose=0).shape == (6, 1)


@pytest.mark.one_backend(reason="a check looks at no tensor")
@pytest.mark.parametrize(
    "settings, message",
    [
        ({"negatives": (("other_sites",),)}, "same vocabulary"),
        ({"negatives": (("other_hours", "other_sites"),)}, "same vocabulary"),
        (
            {"negatives": NEGATIVES, "histories": NEGATIVES},
            "must not be the sequences",
        ),
        ({"negatives": (("sites", "hour"),)}, "negatives"),
        ({"auxiliary_weight": 1.0, "user_to_item": False}, "user_to_item"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(ValueError, match=rf"(?s)({message}).*Received"):
        zoo.DMR(schema(), **settings)


@pytest.mark.one_backend(reason="a check looks at no tensor")
def test_a_history_of_one_place_has_no_next_event():
    one = {"sites": zoo.Sequence("site", max_length=1)}
    small = zoo.FeatureSchema([], {"site": 7}, sequences=one)
    with pytest.raises(ValueError, match=r"two events.*Received"):
        zoo.DMR(small, auxiliary_weight=1.0)


@pytest.mark.one_backend(reason="a check looks at no tensor")
def test_the_next_event_needs_the_vocabulary_of_the_target():
    own = {"sites": zoo.Sequence(None, 7, max_length=3)}
    small = zoo.FeatureSchema([], {"site": 7}, sequences=own)
    settings = {"histories": (("sites",),), "targets": (("site",),)}
    assert zoo.DMR(small, **settings)
    with pytest.raises(ValueError, match=r"share the vocabular.*Received"):
        zoo.DMR(small, auxiliary_weight=1.0, **settings)
