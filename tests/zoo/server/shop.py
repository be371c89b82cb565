"""A log with every kind of column, and rows of it."""

import numpy as np
import pyarrow as pa

import zoo

ROWS = 400
SHOP = zoo.LogFormat(
    name="shop",
    label="click",
    dense=("price",),
    categorical=("site", "hour"),
    dense_type="float",
    sequences={"history": zoo.ListColumn("site", max_length=4)},
)
TWO_LABELS = zoo.LogFormat(
    name="two_labels",
    labels=("click", "buy"),
    dense=("price",),
    categorical=("site", "hour"),
)
ROW = {"price": 0.5, "site": "s1", "hour": 7, "history": ["s1", "s2"]}


def table():
    random = np.random.default_rng(0)
    sites = random.integers(0, 20, (ROWS, 4))
    return pa.table(
        {
            "click": random.integers(0, 2, ROWS, dtype="int8"),
            "buy": random.integers(0, 2, ROWS, dtype="int8"),
            "price": random.integers(0, 100, ROWS),
            "site": [f"s{site}" for site in sites[:, 0]],
            "hour": random.integers(0, 24, ROWS),
            "history": [[f"s{site}" for site in row] for row in sites],
        }
    )


def rows(number):
    """Rows whose probabilities differ."""
    return [
        {
            "price": i % 7,
            "site": f"s{i % 19}",
            "hour": i % 23,
            "history": [f"s{j}" for j in range(1 + i % 4)],
        }
        for i in range(number)
    ]
