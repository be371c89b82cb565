"""`LogFormat` with lists, several labels, weights and roles."""

import json
from dataclasses import replace

import pytest

from zoo import ListColumn
from zoo import LogFormat
from zoo.datasets import CRITEO
from zoo.encoding import open_raw_log

SHOP = LogFormat(
    name="shop",
    columns=("click", "buy", "weight", "price", "item", "history", "kinds"),
    labels=("click", "buy"),
    weight="weight",
    dense=("price",),
    categorical=("item",),
    sequences={
        "history": ListColumn("item", max_length=20),
        "kinds": {"max_length": 20, "parallel_to": "history"},
    },
    roles={"user": "history", "item": ["item", "price"]},
)


def test_round_trip_through_json():
    config = json.loads(json.dumps(SHOP.get_config()))
    assert LogFormat(**config) == SHOP
    assert hash(LogFormat(**config)) == hash(SHOP)
    assert SHOP.sequences["kinds"] == ListColumn(
        max_length=20, parallel_to="history"
    )
    assert SHOP.roles == {"user": ("history",), "item": ("item", "price")}


def test_plain_formats_say_what_they_said():
    config = CRITEO.get_config()
    assert not {"sequences", "labels", "weight", "roles"} & set(config)
    assert config["label"] == "label"


def test_names_of_columns():
    assert SHOP.label_names == ("click", "buy")
    assert SHOP.label == "click"
    assert set(SHOP.used) == set(SHOP.columns)
    assert SHOP.unlabeled().used == ("price", "item", "history", "kinds")
    assert SHOP.sql_names(SHOP.columns) == (
        *("label_0", "label_1", "weight", "dense_0", "field_0"),
        *("sequence_0", "sequence_1"),
    )
    assert SHOP.vocabularies == ("item", "kinds")
    assert SHOP.vocabulary_of("history") == "item"
    assert SHOP.vocabulary_of("kinds") == "kinds"
    # A file to be scored may lack labels and weights.
    assert SHOP.unlabeled().layouts == (
        SHOP.columns,
        SHOP.columns[2:],
        SHOP.columns[3:],
    )


def test_one_label_is_a_label():
    one = LogFormat("one", labels=("click",), categorical=("item",))
    assert one == LogFormat("one", label="click", categorical=("item",))
    assert replace(SHOP, test_fraction=0.2).labels == SHOP.labels


def test_equal_lists_of_other_lengths_are_other_formats():
    shorter = {"history": ListColumn("item", 9), "kinds": ListColumn()}
    other = replace(SHOP, sequences=shorter)
    assert other != SHOP


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sequences": ["history"]}, "`sequences` must be a dict"),
        ({"sequences": {"history": "item"}}, r"sequences\['history'\].*List"),
        ({"sequences": {"history": {"share": "item"}}}, r"'history'\].*share"),
        (
            {"sequences": {"history": ListColumn("itme")}},
            r"'history'\].*vocabulary of a categorical.*item.*shares='itme'",
        ),
        (
            {"sequences": {"history": ListColumn("price")}},
            "categorical column.*shares='price'",
        ),
        ({"sequences": {"ids": ListColumn()}}, "'dense' and 'ids'"),
        ({"sequences": {"item": ListColumn()}}, "must not share a column"),
        ({"weight": "click"}, "must not share a column.*click"),
        ({"labels": ("click", "click")}, "must not share a column"),
        ({"labels": ("click",), "label": "buy"}, "`labels` must be a list"),
        ({"labels": ()}, "`labels` must be a list of columns"),
        ({"labels": "click"}, "`labels` must be a list, not a text"),
        ({"weight": "wieght"}, "`columns` must hold.*wieght"),
        ({"time": "weight"}, "`time` must be a column of its own"),
        ({"roles": {"user": "itme"}}, r"roles\['user'\].*item.*'itme'"),
        ({"roles": {"user": ["click"]}}, r"roles\['user'\].*'click'"),
        ({"categorical": ()}, "`categorical` must name"),
        ({"categorical": "item"}, "`categorical` must be a list"),
        ({"categorical": ("item", "item")}, "must not share a column"),
        ({"dense": ("item",)}, "must not share a column"),
        ({"labels": None, "label": "d"}, "`columns` must hold.*'d'"),
        ({"columns": ("click", "n", "item", "item")}, "must differ"),
        ({"delimiter": ""}, "`delimiter` must be one"),
        ({"delimiter": "\n"}, "`delimiter` must be one"),
        ({"delimiter": "||"}, "`delimiter` must be one"),
        ({"dense_type": "number"}, "`dense_type` must be one of"),
        ({"day": ("price", 6)}, "`day` must be"),
        ({"day": ()}, "`day` must be"),
        ({"day": ("item",)}, "`day` must be"),
        ({"day": ("item", 0)}, "`day` must be"),
        ({"test_fraction": 1}, "sum to less than 1"),
        ({"test_fraction": 0.6, "validation_fraction": 0.4}, "less than 1"),
        ({"validation_fraction": -0.1}, "must not be negative"),
        (
            {"sequences": {"history": ListColumn(parallel_to="kind")}},
            "parallel to another list column.*'kind'",
        ),
        (
            {"sequences": {"history": ListColumn(parallel_to="history")}},
            "parallel to another list column",
        ),
        (
            {
                "sequences": {
                    "history": ListColumn("item"),
                    "kinds": ListColumn(max_length=9, parallel_to="history"),
                }
            },
            "same `max_length`.*9 and 50",
        ),
    ],
)
def test_wrong_arguments(changes, message):
    plain = replace(SHOP, roles={})
    with pytest.raises(ValueError, match=message) as raised:
        replace(plain, **changes)
    assert "Received: " in str(raised.value)


@pytest.mark.parametrize("separator", ["", "||", "\n", '"', 7, None])
def test_wrong_separator(separator):
    with pytest.raises(ValueError, match="`separator` must be one character"):
        ListColumn(separator=separator)


@pytest.mark.parametrize("max_length", [0, -1, 1.5, True, "50"])
def test_wrong_length(max_length):
    with pytest.raises(ValueError, match="`max_length` must be a positive"):
        ListColumn(max_length=max_length)


def test_separator_of_lists_and_columns(tmp_path):
    (tmp_path / "raw").write_text("1|0|1|2|a|a|k\n")
    piped = replace(SHOP, delimiter="|")
    with pytest.raises(ValueError, match="another separator than.*'|' for"):
        open_raw_log(tmp_path / "raw", piped)
    quoted = replace(piped, quoted=True)
    assert open_raw_log(tmp_path / "raw", quoted).name.endswith("raw")
