import pytest

from zoo.server.json_rows import read_rows
from zoo.server.refusal import Refusal


def refused(body, status, max_rows=10):
    with pytest.raises(Refusal) as error:
        read_rows(body, max_rows)
    assert error.value.status_code == status
    assert "Received: " in error.value.detail
    # As an answer.
    error.value.detail.encode("utf-8")
    return error.value.detail


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b'{"rows": [{"a": 1}, {"a": null}]}', [{"a": 1}, {"a": None}]),
        (b'{"rows": {"a": [true, 2.5]}}', [{"a": [True, 2.5]}]),
        (b'{"rows": []}', []),
        (b'{"rows": [{"a": "\\ud83d\\ude00"}]}', [{"a": "\U0001f600"}]),
        (b'{"rows": [{"a": ' + b"9" * 1000 + b"}]}", [{"a": 10**1000 - 1}]),
    ],
)
def test_rows_are_read(body, rows):
    assert read_rows(body, 2) == rows


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"rows": [{}]', b"[" * 10_000]
)
def test_what_is_no_json_is_refused(body):
    assert "the body must be" in refused(body, 400)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'{"price": 1}',
        b'{"rows": 1}',
        b'{"rows": [], "row": {}}',
        b'{"rows": [], "rows": []}',
    ],
)
def test_another_shape_is_refused(body):
    message = refused(body, 422)
    assert message.startswith('the body must be {"rows": [{...}, ...]}')


def test_a_row_that_is_no_object_is_named():
    assert "row 1 is none" in refused(b'{"rows": [{}, 3]}', 422)


def test_a_name_that_repeats_is_named():
    message = refused(b'{"rows": [{}, {"x": 1, "b": 1, "b": 1}]}', 422)
    assert "column 'b' comes several times in row 1" in message


def test_more_rows_than_allowed_are_refused():
    body = b'{"rows": [{}, {}, {}]}'
    assert len(read_rows(body, 3)) == 3
    assert "at most 2 rows" in refused(body, 413, max_rows=2)


# What Python reads and no encoder may see; the text is that of its message.
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e999", "1e999"),
        ("1" * 5000, "5000 digits"),
    ],
)
def test_a_value_that_no_column_can_hold_becomes_no_number_or_text(
    value, shown
):
    [row] = read_rows(f'{{"rows": [{{"a": {value}}}]}}'.encode(), 1)
    assert not isinstance(row["a"], int | float | str)
    assert shown in repr(row["a"])
    [row] = read_rows(f'{{"rows": [{{"a": [{value}]}}]}}'.encode(), 1)
    assert shown in repr(row["a"][0])


def test_a_message_is_short_and_can_be_sent():
    message = refused(b'{"rows": "' + b"x" * 100_000 + b'"}', 422)
    assert len(message) < 1100
    refused(rb'{"\ud800": 1}', 422)
