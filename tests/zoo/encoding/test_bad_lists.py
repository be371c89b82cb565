"""Bad lists, labels and weights: an error that says where, and no output."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from zoo import ListColumn
from zoo.encoding import ClickEncoder
from zoo.encoding import LogFormat
from zoo.encoding import prepare

SHOP = LogFormat(
    name="shop",
    columns=("click", "buy", "weight", "item", "history", "kinds"),
    labels=("click", "buy"),
    weight="weight",
    categorical=("item",),
    delimiter=",",
    sequences={
        "history": ListColumn("item"),
        "kinds": ListColumn(parallel_to="history"),
    },
    test_fraction=0.0,
    validation_fraction=0.0,
)
GOOD = {
    "click": [1, 0, None],
    "buy": [0, 1, 0],
    "weight": [1.0, 0.5, 0.0],
    "item": ["a", "b", None],
    "history": [["a", "b"], [], ["b"]],
    "kinds": [["k", None], None, ["k"]],
}
LINES = ["1,0,1.0,a,a|b,k|", "0,1,0.5,b,,", ",0,0,,b,k"]


@pytest.fixture
def refused(tmp_path):
    """The message of a `prepare` that fails and must leave nothing."""

    def refused(source, log=SHOP, **options):
        if isinstance(source, str):
            (tmp_path / "raw.txt").write_text(source)
            source = tmp_path / "raw.txt"
        elif isinstance(source, dict):
            pa.parquet.write_table(pa.table(source), tmp_path / "raw.parquet")
            source = tmp_path / "raw.parquet"
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(ValueError) as raised:
            prepare(
                log, source, tmp_path / "out", show_progress=False, **options
            )
        assert sorted(tmp_path.rglob("*")) == before
        assert "Received: " in str(raised.value)
        return str(raised.value)

    return refused


@pytest.fixture
def encoder(tmp_path):
    output = tmp_path / "good"
    prepare(SHOP, {"train": pa.table(GOOD)}, output, show_progress=False)
    return ClickEncoder.load(output / "encoder")


def test_good_rows_are_taken(tmp_path, encoder):
    (tmp_path / "raw.txt").write_text("\n".join(LINES))
    summary = prepare(
        SHOP, tmp_path / "raw.txt", tmp_path / "out", show_progress=False
    )
    rates = {"click": 0.5, "buy": 1 / 3}
    assert summary["splits"]["train"]["click_rates"] == rates
    assert encoder.schema.weight == "weight"
    assert encoder.schema.labels == ("click", "buy")


@pytest.mark.parametrize(
    ("line", "rule", "received"),
    [
        ("2,0,1,a,a,k", "the label 'click' must be 0, 1 or nothing", "'2'"),
        ("1,-1,1,a,a,k", "the label 'buy' must be 0, 1 or nothing", "'-1'"),
        ("1,0.0,1,a,a,k", "the label 'buy' must be 0, 1 or nothing", "'0.0'"),
        (",NULL,1,a,a,k", "of the labels 'click', 'buy' one", "', NULL'"),
        ("1,0,-1,a,a,k", "the weight 'weight' must be a number", "'-1'"),
        ("1,0,nan,a,a,k", "the weight 'weight' must be a number", "'nan'"),
        ("1,0,inf,a,a,k", "the weight 'weight' must be a number", "'inf'"),
        ("1,0,1e39,a,a,k", "the weight 'weight' must be a number", "'1e39'"),
        ("1,0,,a,a,k", "the weight 'weight' must be a number", "''"),
        ("1,0,1,a,a|b,k", "'kinds' and 'history' are of", "lengths 1 and 2"),
        ("1,0,1,a,,k", "'kinds' and 'history' are of", "lengths 1 and 0"),
        ("1,0,1,a,a|b", "must have 6 columns", "there are 5"),
    ],
)
def test_bad_line(refused, line, rule, received):
    message = refused("\n".join([*LINES, line, *LINES]))
    assert "raw.txt, line 4: " in message
    assert rule in message
    assert received in message


@pytest.mark.parametrize(
    ("column", "value", "rule", "received"),
    [
        ("click", 2, "the label 'click' must be 0, 1 or nothing", "'2'"),
        ("weight", -0.5, "the weight 'weight' must be a", "'-0.5'"),
        ("weight", np.nan, "the weight 'weight' must be a", "''"),
        ("weight", None, "the weight 'weight' must be a", "''"),
        ("weight", np.inf, "the weight 'weight' must be a", "'inf'"),
        ("buy", None, "of the labels 'click', 'buy' one", "', '"),
        ("history", ["a"] * 9, "'kinds' and 'history'", "1 and 9"),
        ("history", None, "'kinds' and 'history'", "1 and 0"),
    ],
)
def test_bad_row_of_a_table(refused, column, value, rule, received):
    bad = {name: list(values) for name, values in GOOD.items()}
    bad[column][2] = value
    message = refused(bad)
    assert "raw.parquet, row 2: " in message
    assert rule in message
    assert received in message


@pytest.mark.parametrize(
    ("column", "values", "rule", "received"),
    [
        ("item", [["a"], ["b"], []], "LogFormat(sequences=...)", "list<"),
        ("weight", [[1.0], [1.0], []], "LogFormat(sequences=...)", "list<"),
        ("history", [1, 2, 3], "lists of text or integers", "int64"),
        ("history", [[["a"]], [], []], "lists of text", "list<"),
        ("history", [[{"a": 1}], [], []], "lists of text", "struct<"),
    ],
)
def test_column_of_another_type(refused, column, values, rule, received):
    message = refused({**GOOD, column: values})
    assert f"raw.parquet: the column '{column}' must hold" in message
    assert rule in message
    assert received in message


def test_fractions_in_a_list(refused):
    values = {"history": [[], [1.0, 2.0], [2.5]], "kinds": [[], [1, 2], [1]]}
    message = refused({**GOOD, **values})
    assert "raw.parquet, row 2: the column 'history'" in message
    assert "2.5, a double" in message


def test_missing_list_column(refused):
    table = {n: v for n, v in GOOD.items() if n != "kinds"}
    assert "must have the column 'kinds' once" in refused(table)


def test_one_label_of_several_has_one_class(refused):
    lines = [line.replace(",0,", ",1,", 1) for line in LINES]
    message = refused("\n".join(lines))
    assert "the train split would have one class only" in message
    assert "3 with the label 'buy', 1 in all of those" in message
    message = refused({**GOOD, "buy": [None] * 2 + [0], "click": [1, 0, 1]})
    assert "1 with the label 'buy', 0 in all of those" in message
    empty = pa.nulls(3, pa.int8())
    message = refused({**GOOD, "buy": empty, "click": [1, 0, 1]})
    assert message.endswith("3 rows, 0 with the label 'buy'")


def test_json_with_an_unknown_field(tmp_path):
    from typer.testing import CliRunner

    from zoo.cli.app import app

    config = replace(SHOP).get_config()
    config["sequences"]["history"]["shares"] = "itme"
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(config))
    result = CliRunner().invoke(
        app,
        ["prepare", str(path), "--source", "raw", "--output", str(tmp_path)],
    )
    assert result.exit_code
    assert "shop.json" in str(result.exception)
    assert "shares='itme'" in str(result.exception)


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("item", ["a"], "column 'item' of row 1"),
        (
            "history",
            7,
            "lists of text or integers.*column 'history', and row 1",
        ),
        ("history", [["a"]], "column 'history' of row 1"),
        ("history", [{"a": 1}], "column 'history' of row 1"),
        ("history", ["a", {}], "column 'history' of row 1"),
        (
            "history",
            ["a", "b"],
            "row 1: the lists 'kinds' and 'history'.*1 and",
        ),
    ],
)
def test_bad_rows_in_memory(encoder, column, value, rule):
    good = {"item": "a", "history": ["a"], "kinds": ["k"]}
    rows = [good, {**good, column: value}]
    for given in (rows, pd.DataFrame(rows)):
        with pytest.raises(ValueError, match=rule) as raised:
            encoder.encode(given)
        assert "Received: " in str(raised.value)


def test_row_that_lacks_a_list(encoder):
    with pytest.raises(ValueError, match="'kinds'.*row 0"):
        encoder.encode([{"item": "a", "history": ["a"]}])


def test_data_sets_do_not_drop_lists():
    from zoo import load_clicks

    for log in (SHOP, replace(SHOP, sequences={}, labels=None, label="click")):
        with pytest.raises(ValueError, match="neither lists nor weights"):
            load_clicks(log, {"train": pa.table(GOOD)})
