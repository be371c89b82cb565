"""Draws click logs whose truth is in how an item relates to a history."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from zoo.datasets.click_rate import CLICK_RATE
from zoo.datasets.click_rate import logits_at_rate
from zoo.datasets.click_rate import sigmoid
from zoo.encoding.vocabulary_sql import FIRST_ID
from zoo.feature_schema import PADDING
from zoo.feature_schema import FeatureSchema
from zoo.sequence import Sequence

CLICK = "click"
PURCHASE = "purchase"
HISTORY = "history"
HISTORY_OF_CATEGORIES = "history_category"
SEPARATOR = "|"
"""What stands between two events of a history in a raw log."""
# More categories than an embedding has numbers, so that the mean of several
# events' vectors does not tell of which categories they are.
_CATEGORIES = 40
_INTERESTS = 8
_HOURS = 24
_LARGEST_PRICE = 100
_PURCHASE_RATE = 0.4
_CHUNK_ROWS = 100_000


class HistoryLog(NamedTuple):
    """Rows of a log with histories, as ids, and what is true of them.

    Attributes:
        schema: `FeatureSchema`.
        prices: `(rows,)` integers.
        inputs: dict of arrays as the schema has them.
        labels: `(rows,)` int8 clicks, or `(rows, 2)` clicks and purchases.
        probabilities: dict. Per label, the `(rows,)` true probabilities.
    """

    schema: FeatureSchema
    prices: np.ndarray
    inputs: dict[str, np.ndarray]
    labels: np.ndarray
    probabilities: dict[str, np.ndarray]


def draw_history_log(
    rows: int, max_vocabulary: int, seed: int, history: int, purchase: bool
) -> HistoryLog:
    """Draws what `make_log(history=...)` and `write_raw_log` describe."""
    random = np.random.default_rng(seed)
    schema = _schema(max_vocabulary, history, purchase)
    ids: np.ndarray = np.empty((rows, schema.num_fields), "int32")
    histories: dict[str, np.ndarray] = {
        name: np.empty((rows, history), "int32") for name in schema.sequences
    }
    matches: np.ndarray = np.empty(rows)
    for start in range(0, rows, _CHUNK_ROWS):
        chunk = slice(start, min(start + _CHUNK_ROWS, rows))
        matches[chunk] = _draw_rows(
            random,
            schema,
            ids[chunk],
            {name: array[chunk] for name, array in histories.items()},
        )
    prices = random.integers(1, _LARGEST_PRICE + 1, rows)
    price = prices / _LARGEST_PRICE
    effects = _Effects(random, schema)
    # The first event of the item's category counts most; more add little.
    interest = 3.0 * (1 - np.exp(-matches))
    score = interest + effects.on_clicks(ids)
    probability = sigmoid(logits_at_rate(score, CLICK_RATE))
    clicks = random.random(rows) < probability
    labels, probabilities = clicks.astype("int8"), {CLICK: probability}
    if purchase:
        score = effects.on_purchases(ids) - 3.0 * price
        of_clicks = sigmoid(logits_at_rate(score, _PURCHASE_RATE))
        purchases = clicks & (random.random(rows) < of_clicks)
        labels = np.stack([clicks, purchases], axis=1).astype("int8")
        probabilities[PURCHASE] = probability * of_clicks
    dense = price.astype("float32")[:, None]
    inputs = {"dense": dense, "ids": ids, **histories}
    return HistoryLog(schema, prices, inputs, labels, probabilities)


def raw_tables(log: HistoryLog) -> Iterator[pa.Table]:
    """Yields the rows as text, some at a time: an event list is one value."""
    fields = {
        "user": _tokens("u", log.schema.categorical["user"]),
        "item": _tokens("i", log.schema.categorical["item"]),
        "category": _tokens("c", log.schema.categorical["category"]),
        "hour": _tokens("h", log.schema.categorical["hour"]),
    }
    labels = log.labels.reshape(len(log.labels), -1)
    for start in range(0, len(labels), _CHUNK_ROWS):
        rows = slice(start, start + _CHUNK_ROWS)
        columns = {
            name: pa.array(labels[rows, place])
            for place, name in enumerate(log.schema.labels)
        }
        columns["price"] = pa.array(log.prices[rows])
        for place, (name, tokens) in enumerate(fields.items()):
            columns[name] = tokens.take(
                pa.array(log.inputs["ids"][rows, place])
            )
        for name in log.schema.sequences:
            tokens = fields[log.schema.vocabulary_of(name)]
            columns[name] = _joined(log.inputs[name][rows], tokens)
        yield pa.table(columns)


def _schema(max_vocabulary: int, history: int, purchase: bool) -> FeatureSchema:
    categories = min(_CATEGORIES, max_vocabulary)
    sizes = {
        "user": max_vocabulary,
        # As many items in each category.
        "item": max_vocabulary // categories * categories,
        "category": categories,
        "hour": _HOURS,
    }
    label = {"labels": (CLICK, PURCHASE)} if purchase else {"label": CLICK}
    return FeatureSchema(
        dense=["price"],
        categorical={n: FIRST_ID + size for n, size in sizes.items()},
        sequences={
            HISTORY: Sequence("item", max_length=history),
            HISTORY_OF_CATEGORIES: Sequence(
                "category", max_length=history, parallel_to=HISTORY
            ),
        },
        roles={"user": ["user"], "item": ["item", "category"]},
        **label,
    )


def _draw_rows(
    random: np.random.Generator,
    schema: FeatureSchema,
    ids: np.ndarray,
    histories: dict[str, np.ndarray],
) -> np.ndarray:
    """Fills in ids, and returns how many events are of the item's category."""
    rows, length = histories[HISTORY].shape
    users, items, categories, _ = (
        size - FIRST_ID for size in schema.vocabulary_sizes
    )
    # Drawn anew in each row: a user's id would tell interests that stay.
    interests = random.integers(0, categories, (rows, _INTERESTS), "int32")
    which = random.integers(0, _INTERESTS, (rows, length), "int8")
    events = np.take_along_axis(interests, which, axis=1)
    event_items = _draw_items(random, events, items // categories, categories)
    # Half of the items that are offered are of an interest.
    which = random.integers(0, 2 * _INTERESTS, (rows, 1), "int8")
    category = np.where(
        which < _INTERESTS,
        np.take_along_axis(interests, which % _INTERESTS, axis=1),
        random.integers(0, categories, (rows, 1), "int32"),
    )
    item = _draw_items(random, category, items // categories, categories)
    user = _draw_frequent_first(random, (rows, 1), users)
    hour = random.integers(0, _HOURS, (rows, 1), "int32")
    ids[...] = np.concatenate([user, item, category, hour], axis=1)
    ids += FIRST_ID
    lengths = random.integers(0, length + 1, (rows, 1))
    is_event = np.arange(length) >= length - lengths
    for name, drawn in (
        (HISTORY, event_items),
        (HISTORY_OF_CATEGORIES, events),
    ):
        padded = np.where(is_event, drawn + FIRST_ID, PADDING)
        histories[name][...] = padded
    return ((events == category) & is_event).sum(axis=1)


def _draw_items(
    random: np.random.Generator,
    categories: np.ndarray,
    items_each: int,
    num_categories: int,
) -> np.ndarray:
    """Draws an item of each category; the frequent ones have low numbers."""
    ranks = _draw_frequent_first(random, categories.shape, items_each)
    return categories + num_categories * ranks


def _draw_frequent_first(
    random: np.random.Generator, shape: tuple[int, ...], number: int
) -> np.ndarray:
    drawn = random.random(shape, "float32")
    # Rounding may give the number itself.
    return np.minimum(number * drawn * drawn, number - 1).astype("int32")


class _Effects:
    """What users, items and hours add to the logits, whatever the history."""

    def __init__(self, random: np.random.Generator, schema: FeatureSchema):
        sizes = schema.vocabulary_sizes
        self.clicks = [random.normal(0, 0.3, size) for size in sizes]
        self.purchases = [random.normal(0, 0.5, size) for size in sizes]

    def on_clicks(self, ids: np.ndarray) -> np.ndarray:
        return _sum_of_effects(self.clicks, ids)

    def on_purchases(self, ids: np.ndarray) -> np.ndarray:
        return _sum_of_effects(self.purchases, ids)


def _sum_of_effects(effects: list[np.ndarray], ids: np.ndarray) -> np.ndarray:
    total: np.ndarray = np.zeros(len(ids))
    for place, effect in enumerate(effects):
        total += effect[ids[:, place]]
    return total


def _tokens(letter: str, size: int) -> pa.Array:
    """The text of each id; those that stand for no token have none."""
    return pa.array(["", "", *(f"{letter}{n}" for n in range(size - 2))])


def _joined(ids: np.ndarray, tokens: pa.Array) -> pa.Array:
    is_event = ids != PADDING
    ends = np.cumsum(is_event.sum(axis=1), dtype="int32")
    offsets = pa.array(np.concatenate([[0], ends]).astype("int32"))
    events = tokens.take(pa.array(ids[is_event]))
    lists = pa.ListArray.from_arrays(offsets, events)
    return pc.binary_join(lists, SEPARATOR)
