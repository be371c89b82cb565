"""No way into the product loses, adds or moves a line of a text file."""

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from tests.zoo.encoding.logs import read_split
from tests.zoo.encoding.logs import tokens_by_id
from zoo.datasets import load_clicks
from zoo.encoding import LogFormat
from zoo.encoding import open_raw_log
from zoo.encoding import prepare

NAMES = ("click", "a", "b")
ALL_ROWS = {"test_fraction": 0, "validation_fraction": 0}

values = st.sampled_from(
    ["", " ", "a", "NA", '"', '"b', 'c"', '"d,e"', '""', '"f""g"', '24"', "é"]
)
rows = st.tuples(st.sampled_from("01"), values, values).map(",".join)


@st.composite
def texts(draw, header):
    """A file and its lines."""
    lines = draw(st.lists(rows | st.just(""), max_size=12))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    text = end.join([*header, *lines])
    # Without an end, an empty line is none.
    is_ended = draw(st.booleans()) or (lines and lines[-1] == "")
    if is_ended and (header or lines):
        text += end
    return text, lines


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    data=st.data(),
    quoted=st.booleans(),
    header=st.sampled_from([[], [",".join(NAMES)]]),
    block=st.integers(1, 40),
)
def test_every_line_is_one_row_or_named(data, quoted, header, block):
    log_format = LogFormat(
        name="shop",
        columns=NAMES,
        label="click",
        categorical=("a", "b"),
        delimiter=",",
        header=bool(header),
        quoted=quoted,
    )
    # Each split needs both labels.
    files = [("\n".join([*header, "0,x,y", "1,x,y"]), ["0,x,y", "1,x,y"])]
    files += data.draw(st.lists(texts(header), max_size=3))
    expected, bad = [], None
    for number, (_, lines) in enumerate(files):
        for line, text in enumerate(lines, 1 + len(header)):
            expected.append(values_of(text, quoted))
            if expected[-1] is None and bad is None:
                bad = f"{number}.csv, line {line}: "
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("zoo.raw.text_log.BLOCK_BYTES", block)
        paths = []
        for number, (text, _) in enumerate(files):
            paths.append(Path(folder) / f"{number}.csv")
            paths[-1].write_bytes(text.encode())
        for way in (prepared, loaded, streamed, scored):
            if bad is None:
                assert way(log_format, paths, Path(folder)) == expected
                continue
            with pytest.raises(ValueError, match=re.escape(bad)):
                way(log_format, paths, Path(folder))


@pytest.mark.parametrize("way", ["prepared", "loaded", "streamed", "scored"])
@pytest.mark.parametrize(
    "opened, closed",
    [
        (('0,"24 inch,b,x', 40), ('0,27",b,x', 90)),
        (('0,a,b,"24 inch', 40), ('27",a,b,x', 350)),
        (('0,a,b,"24 inch', 399), None),
    ],
    ids=["in a value", "in a column that is not read", "in the last line"],
)
def test_a_quote_takes_no_row_away(way, opened, closed, tmp_path):
    log_format = LogFormat(
        name="shop",
        columns=(*NAMES, "unused"),
        label="click",
        categorical=("a", "b"),
        delimiter=",",
        quoted=True,
    )
    lines = [f"{i % 2},a,b,x" for i in range(400)]
    for change in filter(None, (opened, closed)):
        lines[change[1]] = change[0]
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines))
    where = f"log.csv, line {opened[1] + 1}: a quoted value must end"
    with pytest.raises(ValueError, match=where):
        globals()[way](log_format, [path], tmp_path)


def values_of(line, quoted):
    """The values by the rules of `LogFormat`; `None` if one is broken."""
    found = line.split(",")
    if quoted:
        value = '(?:"(?:[^"]|"")*"[^,]*|[^",][^,]*|)'
        if not re.fullmatch(f"{value}(,{value})*", line):
            return None
        found = [
            re.sub('^"((?:[^"]|"")*)"', lambda m: m[1].replace('""', '"'), v)
            for v in re.findall(f"(?:^|,)({value})", line)
        ]
    return found if len(found) == len(NAMES) else None


def prepared(log_format, paths, folder):
    output = folder / "encoded"
    prepare(log_format, paths, output, show_progress=False, **ALL_ROWS)
    rows = read_split(output, "train").to_pydict()
    columns = [[str(label) for label in rows["label"]]]
    for field, name in enumerate(NAMES[1:]):
        token = tokens_by_id(output, name)
        columns.append([token.get(ids[field], "") for ids in rows["ids"]])
    return [list(row) for row in zip(*columns, strict=True)]


def loaded(log_format, paths, folder):
    data = load_clicks(
        log_format, paths, cache_dir=folder / "cache", **ALL_ROWS
    )
    return as_text(data["train"])


def streamed(log_format, paths, folder):
    data = load_clicks(log_format, paths, streaming=True, **ALL_ROWS)
    return as_text(data["train"])


def as_text(rows):
    return [
        ["" if row[name] is None else str(row[name]) for name in NAMES]
        for row in rows
    ]


def scored(log_format, paths, folder):
    """The rows as a predictor gets them, and labels from elsewhere."""
    labels, features = (
        [
            row
            for table, _ in open_raw_log(paths, f).tables()
            for row in table.to_pylist()
        ]
        for f in (log_format, log_format.unlabeled())
    )
    return [
        [labeled["label"], row["field_0"], row["field_1"]]
        for labeled, row in zip(labels, features, strict=True)
    ]
