"""The networks for long histories, computed by loops from their formulas.

The originals' masks are not those of the papers, see `original_masks`; here are
the numbers without their slips.
"""

import keras
import numpy as np
import pytest

import zoo
from tests.zoo.models.by_loops import float64_weights
from tests.zoo.networks import EAGERLY
from tests.zoo.networks import inputs
from tests.zoo.networks import set_weights
from zoo.interop.fuxictr_original import import_fuxictr
from zoo.interop.state_dict import StateDict
from zoo.registry import NETWORKS

LENGTH, RECENT, FOUND, HEADS = 9, 4, 3, 2
SCHEMA = zoo.FeatureSchema(
    [],
    {"item": 23, "user": 7, "cate": 13},
    sequences={
        "items": zoo.Sequence("item", max_length=LENGTH),
        "cates": zoo.Sequence("cate", max_length=LENGTH, parallel_to="items"),
    },
)
STARTS = {"item": 0, "user": 23, "cate": 30}
pytestmark = pytest.mark.filterwarnings("ignore:When providing `inputs` as a")


class Row:
    """A row: its fields, what is offered, and the events with their places."""

    def __init__(self, weights, x, i):
        table, ids = weights["embeddings/embeddings"], x["ids"][i]
        item, user, cate = (
            table[start + ids[k]] for k, start in enumerate(STARTS.values())
        )
        self.weights = weights
        self.fields = np.concatenate([item, user, cate])
        self.target = np.concatenate([item, cate])
        self.events = {
            place: np.concatenate([table[first], table[30 + second]])
            for place, (first, second) in enumerate(
                zip(x["items"][i], x["cates"][i], strict=True)
            )
            if first >= 0
        }

    def attention(self, layer, events, top=None):
        kernels = {
            each: self.weights[f"{layer}/{each}_kernel"]
            for each in ("query", "key", "value", "output")
        }
        width = kernels["query"].shape[1] // HEADS
        heads = np.zeros((HEADS, width))
        for head in range(HEADS):
            own = slice(head * width, (head + 1) * width)
            query = self.target @ kernels["query"][:, own]
            scored = [
                (
                    query @ (event @ kernels["key"][:, own]) / width**0.5,
                    event @ kernels["value"][:, own],
                )
                for event in events
            ]
            scored.sort(key=lambda pair: -pair[0])
            weights = [np.exp(score) for score, _ in scored[:top]]
            for weight, (_, value) in zip(weights, scored[:top], strict=True):
                heads[head] += weight / sum(weights) * value
        return heads.reshape(-1) @ kernels["output"]

    def recent(self):
        last = [e for p, e in self.events.items() if p >= LENGTH - RECENT]
        return self.attention("recent_1", last)

    def bits(self, vector, layer="hash_1"):
        return vector @ self.weights[f"{layer}/directions"] > 0

    def nearest(self, query):
        """The places of the events that hash most like a query."""
        bits = self.bits(query)
        agreement = {
            place: ((self.bits(event) == bits).sum(), place)
            for place, event in self.events.items()
        }
        return sorted(self.events, key=agreement.get, reverse=True)[:FOUND]


def twin(row):
    events = list(row.events.values())
    return row.recent(), row.attention("found_1", events, top=FOUND)


def sim(row):
    query, key = (row.weights[f"search_1/{k}_kernel"] for k in ("query", "key"))
    found = sorted(
        row.events.values(),
        key=lambda event: -(row.target @ query) @ (event @ key),
    )
    return row.recent(), row.attention("found_1", found[:FOUND])


def eta(row):
    found = [row.events[place] for place in row.nearest(row.target)]
    return row.recent(), row.attention("found_1", found)


def sdim(row):
    total = np.zeros_like(row.target)
    for i in range(3):
        own = slice(2 * i, 2 * i + 2)
        bits = row.bits(row.target, "found_1/hash")[own]
        total += sum(
            (
                event
                for event in row.events.values()
                if (row.bits(event, "found_1/hash")[own] == bits).all()
            ),
            np.zeros_like(total),
        )
    return total / 3, row.recent()


def mirrn(row):
    everything = [*row.events.values(), np.zeros_like(row.target)]
    # No history is longer than the latest 16 events.
    mean = sum(everything) / max(len(row.events), 1)
    interests = [
        _filtered(row, sorted(row.nearest(query)), i)
        for i, query in enumerate([row.target, mean, mean])
    ]
    return row.recent(), row.attention("found_1", interests)


def _filtered(row, places, i):
    w, width = row.weights, len(row.target)
    x = np.zeros((FOUND, width))
    for k, place in enumerate(places, start=FOUND - len(places)):
        x[k] = row.events[place]
        x[k] += 0.02 * w["places_1/embeddings"][LENGTH - 1 - place]
    matrices = w["filter_1/real"][i] + 1j * w["filter_1/imaginary"][i]
    size = matrices.shape[-1]
    spectrum = np.fft.rfft(x, axis=0)
    for block, matrix in enumerate(matrices):
        own = slice(block * size, (block + 1) * size)
        spectrum[:, own] = spectrum[:, own] @ matrix
    y = np.fft.irfft(spectrum, n=FOUND, axis=0) + x
    deviation = np.sqrt(y.var(axis=1, keepdims=True) + 1e-12)
    y = (y - y.mean(axis=1, keepdims=True)) / deviation
    y = y * w["filter_1/gamma"][i] + w["filter_1/beta"][i]
    return y[FOUND - len(places) :].sum(axis=0) / max(len(places), 1)


INTERESTS = {"twin": twin, "sim": sim, "eta": eta, "sdim": sdim, "mirrn": mirrn}
OWN = {
    "sdim": {"num_hashes": 3, "hash_bits": 2},
    "eta": {"hash_bits": 6, "found_length": FOUND},
    "mirrn": {"hash_bits": 16, "found_length": FOUND, "filter_blocks": 2},
}


@pytest.mark.parametrize("name", INTERESTS)
def test_it_is_its_formula(name):
    model = set_weights(
        NETWORKS[name](
            SCHEMA,
            embedding_dim=4,
            hidden_units=(5,),
            attention_units=6,
            num_heads=HEADS,
            recent_length=RECENT,
            **OWN.get(name, {"found_length": FOUND}),
        )
    )
    x, w = inputs(SCHEMA, rows=24), float64_weights(model)
    assert (x["items"][0] < 0).all()
    expected = []
    for i in range(24):
        row = Row(w, x, i)
        vector = np.concatenate([row.fields, *INTERESTS[name](row)])
        hidden = vector @ w["hidden_1/kernel"] + w["hidden_1/bias"]
        logit = np.maximum(hidden, 0) @ w["logit/kernel"] + w["click/bias"]
        expected.append(1 / (1 + np.exp(-logit)))
    received = keras.ops.convert_to_numpy(model(x))
    np.testing.assert_allclose(received, expected, rtol=0, atol=1e-5)


def test_slices_of_a_filter_must_have_one_width():
    with pytest.raises(ValueError, match="filter_blocks.*Received"):
        NETWORKS["mirrn"](SCHEMA, embedding_dim=4, filter_blocks=3)


def test_a_hash_is_not_trained():
    model = NETWORKS["eta"](SCHEMA, embedding_dim=4)
    weights = [w.path for w in model.non_trainable_weights]
    assert any(path.endswith("hash_1/directions") for path in weights)


@pytest.mark.parametrize("kind", ["numeric", None])
def test_a_history_needs_columns_of_an_item(kind):
    features = [
        {"user_id": {"type": "categorical", "source": "user", "vocab_size": 7}}
    ]
    if kind:
        features.append({"price": {"type": kind, "source": "item"}})
    state = StateDict("TWIN.model", {})
    with pytest.raises(ValueError, match="`source` 'item'.*Received"):
        import_fuxictr(
            state, {"labels": ["label"], "features": features}, "TWIN", {}
        )


@pytest.mark.parametrize("name", INTERESTS)
def test_a_row_without_events_has_finite_gradients(name):
    model = NETWORKS[name](SCHEMA, embedding_dim=4, hidden_units=(5,))
    x = {key: value[:1] for key, value in inputs(SCHEMA).items()}
    model.compile("sgd", "binary_crossentropy", run_eagerly=EAGERLY)
    model.fit(x, np.ones((1, 1)), verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())
