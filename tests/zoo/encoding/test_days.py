"""Puts days in order, however they are written."""

import random
from datetime import date
from datetime import timedelta

import pytest

from zoo.encoding import LogFormat
from zoo.encoding import prepare
from zoo.raw.days import in_order

DAYS = [date(2023, 12, 20) + timedelta(days=i) for i in range(25)]


@pytest.mark.parametrize(
    "date_format",
    [
        *("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d", "%Y-%m-%d %H:%M"),
        *("%m/%d/%Y", "%d.%m.%Y", "%d %b %Y", "%d-%B-%Y", "%b %d, %Y"),
        *("%d%m%Y", "%m%d%Y", "%m/%d/%y"),
    ],
)
def test_dates_are_ordered_as_dates(date_format):
    expected = [day.strftime(date_format) for day in DAYS]
    shuffled = random.Random(0).sample(expected, len(expected))
    assert in_order(shuffled) == expected


@pytest.mark.parametrize(
    "expected",
    [
        ["141021", "141022", "141101"],
        ["day_2", "day_10"],
        ["9", "10", "100"],
        ["", "2024-01-01", "2024-01-02"],
        # Either way round the order is the same.
        ["01/01/2024", "02/02/2024", "03/03/2024"],
    ],
)
def test_other_days_are_ordered_by_their_numbers(expected):
    assert in_order(expected[::-1]) == expected


@pytest.mark.parametrize(
    "days",
    [
        ["01/02/2024", "02/01/2024", "03/03/2024"],
        ["Mon", "Tue", "Wed"],
        ["2024-01-01", "yesterday", "today"],
        ["24-01-31", "24-02-01", "24-02-02"],
    ],
)
def test_an_order_that_can_not_be_known_is_refused(days):
    with pytest.raises(ValueError, match="the order of the days.*Received: 3"):
        in_order(days)


@pytest.mark.parametrize("date_format", ["%m/%d/%Y", "%d.%m.%Y", "%d %b %Y"])
def test_the_last_day_is_for_the_test(tmp_path, capsys, date_format):
    log_format = LogFormat(
        name="days",
        columns=("click", "date"),
        label="click",
        categorical=("date",),
        delimiter=",",
        day=("date", len(DAYS[0].strftime(date_format))),
    )
    days = [day.strftime(date_format) for day in DAYS]
    rows = [f"{i % 2},{day}" for day in days for i in range(4)]
    random.Random(0).shuffle(rows)
    (tmp_path / "log.csv").write_text("\n".join(rows))
    output = tmp_path / "out"
    prepare(log_format, tmp_path / "log.csv", output, split="day")
    said = capsys.readouterr().err
    assert f"validation: {days[-2]}; test: {days[-1]}" in said
