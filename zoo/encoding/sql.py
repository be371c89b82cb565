"""Writes the encoding as SQL text.

Plain relational SQL (count, rank, join), run as it is by DuckDB and translated
for Spark. Engines do the reading and writing. The SQL has these relations,
their columns named by `LogFormat.sql_names`:

- `raw(row_id, origin, label, dense_0, ..., field_0, ..., sequence_0, ...,
  weight, time)`: the text of the log, lists split or not; `time` only for a
  split by time;
- `staged(row_id, origin, label, dense_0, ..., field_0, ..., weight)`: typed,
  NULL where the text is empty;
- `staged_lists(row_id, origin, sequence_0, ...)`: the lists, split and cut to
  their most recent tokens; apart, because they are many times as large;
- `log` and `log_lists`: both with the column `split`;
- `events_i(row_id, split, position, token)`: the tokens of list i, one a row;
  positions rise within a list. A view: its rows exist nowhere;
- `vocabulary_v(token, id, count)`: the ids of vocabulary v, of the fields in
  their order and then of the lists that share no field's; and `old_v`, those
  that it grows from;
- `spelling_v(value, id)`: the ids of vocabulary v by what its tokens mean.

`zoo.encoding.rules_sql` writes the rules that rows must keep, `list_sql` the
lists, and `vocabulary_sql` the vocabularies.

SQL lacks two functions, which every engine defines before it runs these texts:
`hex_to_integer(text)`, and `last_items(list, count)`, the empty list for NULL.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence

from zoo.encoding.vocabulary_sql import FIRST_ID
from zoo.encoding.vocabulary_sql import value_of
from zoo.raw.log_format import LogFormat

DENSE_TRANSFORMS = ("minmax", "log", "none")
MISSING_ID = 0
UNKNOWN_ID = 1

# 60 bits: the most hexadecimal digits that fit into a signed integer.
HASH_DIGITS = 15


def staged(
    log_format: LogFormat, origin: str, lists: Iterable[str] = ()
) -> str:
    """Selects `staged` from `raw`, with an expression for the origin.

    Args:
        lists: `list_sql.list_columns`, to have those of `staged_lists` as well.
    """
    labels = []
    for column, name in zip(
        log_format.label_sql_names, log_format.label_names, strict=True
    ):
        text = column
        if log_format.labels is not None:
            text = without_missing(column, log_format.missing_in(name))
        labels.append(f"cast({text} as tinyint) as {column}")
    columns = ["row_id", f"{origin} as origin", *labels]
    columns += _typed_features(log_format)
    if log_format.weight is not None:
        columns.append("cast(weight as double) as weight")
    return f"select {', '.join([*columns, *lists])} from raw"


def _typed_features(log_format: LogFormat) -> list[str]:
    columns = []
    for i, name in enumerate(log_format.dense):
        text = without_missing(f"dense_{i}", log_format.missing_in(name))
        columns.append(f"cast({text} as double) as dense_{i}")
    for i, name in enumerate(log_format.categorical):
        text = without_missing(f"field_{i}", log_format.missing_in(name))
        columns.append(f"{text} as field_{i}")
    return columns


def without_missing(column: str, missing: Sequence[str]) -> str:
    """The text of a column, NULL where it stands for a missing value.

    DuckDB makes a join of `in`, which changes the order of rows.
    """
    cases = " ".join(
        f"when {quoted_text(text)} then null" for text in ("", *missing)
    )
    return f"case {column} {cases} else {column} end"


def quoted_text(text: str) -> str:
    """Quotes a text for SQL."""
    # A setting of Spark decides what a backslash in a literal is.
    pieces = ("'" + p.replace("'", "''") + "'" for p in text.split("\\"))
    return " || chr(92) || ".join(pieces)


def origin_counts() -> str:
    """Selects the number of rows of every origin of `staged`."""
    return "select origin, count(*) as num_rows from staged group by origin"


def log(split: str, staged: str = "staged") -> str:
    """Selects `log` from `staged`, with an expression for the split.

    Args:
        staged: string. `"staged_lists"` for `log_lists`.
    """
    return f"select {staged}.*, {split} as split from {staged}"


def split_counts(log_format: LogFormat) -> str:
    """Selects the number of rows of every split of `log`.

    For each label it also selects the number of rows that have the label, and
    that of its clicks.
    """
    counts = ", ".join(
        f"count({label}) as known_{i}, sum({label}) as clicks_{i}"
        for i, label in enumerate(log_format.label_sql_names)
    )
    return (
        f"select split, count(*) as num_rows, {counts} from log group by split"
    )


def present_counts(columns: Iterable[str]) -> str:
    """Selects the number of values that are not missing, column by column."""
    counts = ", ".join(f"count({name}) as {name}" for name in columns)
    return f"select {counts} from log"


def dense_ranges(num_dense: int, split: str | None) -> str:
    """Selects min and max of each dense column, of one split or all rows."""
    columns = []
    for i in range(num_dense):
        value = f"coalesce(dense_{i}, 0)"
        columns += [f"min({value}) as min_{i}", f"max({value}) as max_{i}"]
    where = "" if split is None else f" where split = '{split}'"
    return f"select {', '.join(columns)} from log{where}"


def encoded(
    dense_transform: str,
    ranges: Sequence[tuple[float, float]],
    fields: Iterable[int],
    num_buckets: int | None,
    extra: Iterable[str] = (),
    where: str = "",
    by_value: Collection[int] = (),
) -> str:
    """Selects encoded columns of `log`, its rows in any order.

    Args:
        dense_transform: one of `DENSE_TRANSFORMS`.
        ranges: (min, max) of each dense column; empty to select none.
        fields: the numbers of the fields to select.
        num_buckets: integer, to hash tokens instead of looking them up in
            `vocabulary_v`; or `None`.
        extra: names of columns of `log` to select as they are.
        where: string. A condition on the rows; empty for all rows.
        by_value: the fields whose tokens may be spelled otherwise than in the
            vocabulary, see `vocabulary_sql.spelling`; of hashed tokens, those
            that were numbers or booleans.
    """
    columns = ["log.row_id as row_id", *(f"log.{n} as {n}" for n in extra)]
    for i, (low, high) in enumerate(ranges):
        value = _dense(f"log.dense_{i}", dense_transform, low, high)
        columns.append(f"cast({value} as real) as dense_{i}")
    joins = []
    for i in fields:
        id, join = _id_of(f"log.field_{i}", i, num_buckets, i in by_value)
        joins.append(join)
        columns.append(f"{id} as field_{i}")
    condition = f" where {where}" if where else ""
    return f"select {', '.join(columns)} from log{''.join(joins)}{condition}"


def encoded_events(
    number: int,
    vocabulary: int,
    num_buckets: int | None,
    by_value: bool,
    where: str = "",
) -> str:
    """Selects row number, position and id of the events of a list.

    Args:
        number: integer. Number of the list.
        vocabulary: integer. Number of its vocabulary.
        by_value: boolean. Whether its tokens may be spelled otherwise.

    See `encoded` for the others.
    """
    id, join = _id_of("events.token", vocabulary, num_buckets, by_value)
    condition = f" where {where}" if where else ""
    return (
        f"select events.row_id as row_id, events.position as position, "
        f"{id} as id from events_{number} as events{join}{condition}"
    )


def _id_of(
    token: str, vocabulary: int, num_buckets: int | None, by_value: bool
) -> tuple[str, str]:
    """The id of a token, and the joins that it needs."""
    join = ""
    if num_buckets is None:
        v = vocabulary
        ids = f"v{v}.id"
        join = f" left join vocabulary_{v} as v{v} on {token} = v{v}.token"
        if by_value:
            ids += f", s{v}.id"
            join += (
                f" left join spelling_{v} as s{v} "
                f"on {value_of(token)} = s{v}.value"
            )
        id = f"coalesce({ids}, {UNKNOWN_ID})"
    else:
        hashed = token
        if by_value:
            hashed = f"coalesce({value_of(token)}, {token})"
        digits = f"substr(md5({hashed}), 1, {HASH_DIGITS})"
        id = f"{FIRST_ID} + hex_to_integer({digits}) % {num_buckets}"
    id = f"case when {token} is null then {MISSING_ID} else {id} end"
    return f"cast({id} as int)", join


def _dense(column: str, transform: str, low: float, high: float) -> str:
    value = f"coalesce({column}, 0)"
    if transform == "none":
        return value
    if transform == "log":
        return f"sign({value}) * ln(1 + abs({value}))"
    if low == high:
        return "0"
    smallest, largest = _double(low), _double(high)
    clipped = f"least(greatest({value}, {smallest}), {largest})"
    return f"({clipped} - {smallest}) / ({largest} - {smallest})"


def _double(value: float) -> str:
    # SQL reads a bare 0.1 as a decimal number.
    return f"cast('{float(value)!r}' as double)"
