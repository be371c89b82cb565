"""Writes the encoding as SQL text.

Plain relational SQL (count, rank, join), run as it is by DuckDB and translated
for Spark. Engines do the reading and writing. The SQL has these relations,
their columns named by `LogFormat.roles`:

- `raw(row_id, origin, label, dense_0, ..., field_0, ..., time)`: the text of
  the log, with `time` only for a split by it;
- `staged(row_id, origin, label, dense_0, ..., field_0, ...)`: typed, NULL where
  the text is empty;
- `log`: `staged` with the column `split`;
- `vocabulary_f(token, id, count)`: the ids of field f, and `old_f`, those that
  it grows from;
- `spelling_f(value, id)`: the ids of field f by what its tokens mean.

`hex_to_integer(text)` is the only function that SQL lacks. Every engine defines
it before it runs these texts.
"""

from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Sequence

from zoo.raw import times
from zoo.raw.log_format import LARGEST_FLOAT
from zoo.raw.log_format import NUMBER_PATTERNS
from zoo.raw.log_format import LogFormat

DENSE_TRANSFORMS = ("minmax", "log", "none")
MISSING_ID = 0
UNKNOWN_ID = 1
FIRST_ID = 2

# 60 bits: the most hexadecimal digits that fit into a signed integer.
_HASH_DIGITS = 15


def first_bad_row(log_format: LogFormat) -> str:
    """Selects the smallest `row_id` of `raw` whose text breaks a rule."""
    rules = [*_bad_numbers(log_format), "label not in ('0', '1')"]
    rules.append("label is null")
    time = log_format.time_role
    if time is not None:
        is_time = f"regexp_matches({time}, '{times.PATTERN}')"
        rules.append(f"{time} is null or not {is_time}")
    return _first_row_with(rules)


def first_bad_number(log_format: LogFormat) -> str:
    """Selects the same of rows without labels; `""` if no text can be bad."""
    if not log_format.dense:
        return ""
    return _first_row_with(_bad_numbers(log_format))


def _first_row_with(rules: Iterable[str]) -> str:
    condition = " or ".join(f"({rule})" for rule in rules)
    return f"select min(row_id) as row_id from raw where {condition}"


def _bad_numbers(log_format: LogFormat) -> list[str]:
    """The conditions under which texts are neither missing nor numbers."""
    rules = []
    pattern = NUMBER_PATTERNS[log_format.dense_type]
    for i, name in enumerate(log_format.dense):
        # NULL for a missing value, and then the rule is NULL as well.
        text = _without_missing(f"dense_{i}", log_format.missing_in(name))
        rule = f"not regexp_matches({text}, '{pattern}')"
        if log_format.dense_type == "float":
            size = f"abs(try_cast({text} as double))"
            rule = f"{rule} or not {size} < {LARGEST_FLOAT}"
        rules.append(rule)
    return rules


def staged(log_format: LogFormat, origin: str) -> str:
    """Selects `staged` from `raw`, with an expression for the origin."""
    columns = [
        "row_id",
        f"{origin} as origin",
        "cast(label as tinyint) as label",
        *_typed_features(log_format),
    ]
    return f"select {', '.join(columns)} from raw"


def features(log_format: LogFormat) -> str:
    """Selects the row number and features of `log` from `raw`."""
    columns = ["row_id", *_typed_features(log_format)]
    return f"select {', '.join(columns)} from raw"


def _typed_features(log_format: LogFormat) -> list[str]:
    columns = []
    for i, name in enumerate(log_format.dense):
        text = _without_missing(f"dense_{i}", log_format.missing_in(name))
        columns.append(f"cast({text} as double) as dense_{i}")
    for i, name in enumerate(log_format.categorical):
        text = _without_missing(f"field_{i}", log_format.missing_in(name))
        columns.append(f"{text} as field_{i}")
    return columns


def _without_missing(column: str, missing: Sequence[str]) -> str:
    """The text of a column, NULL where it stands for a missing value.

    DuckDB makes a join of `in`, which changes the order of rows.
    """
    cases = " ".join(f"when {_text(text)} then null" for text in ("", *missing))
    return f"case {column} {cases} else {column} end"


def _text(text: str) -> str:
    # A setting of Spark decides what a backslash in a literal is.
    pieces = ("'" + p.replace("'", "''") + "'" for p in text.split("\\"))
    return " || chr(92) || ".join(pieces)


def origin_counts() -> str:
    """Selects the number of rows of every origin of `staged`."""
    return "select origin, count(*) as num_rows from staged group by origin"


def log(split: str) -> str:
    """Selects `log` from `staged`, with an expression for the split."""
    return f"select staged.*, {split} as split from staged"


def split_counts() -> str:
    """Selects rows and clicks of every split of `log`."""
    return (
        "select split, count(*) as num_rows, sum(label) as clicks "
        "from log group by split"
    )


def present_counts(num_dense: int, num_fields: int) -> str:
    """Selects the number of values that are not missing, column by column."""
    names = [f"dense_{i}" for i in range(num_dense)]
    names += [f"field_{i}" for i in range(num_fields)]
    columns = [f"count({name}) as {name}" for name in names]
    return f"select {', '.join(columns)} from log"


def vocabulary(
    field: int, min_count: int, max_size: int | None, split: str | None
) -> str:
    """Selects token, id and count of a field.

    Ids go by falling count, ties by the bytes of the token, so that the same
    rows give the same ids on any engine and in any order.

    Args:
        field: integer. Number of the field.
        min_count: integer. Rarer tokens are left out.
        max_size: integer or `None`. Later ids are left out.
        split: string. The split whose rows are counted; `None` for all rows.
    """
    return _ranked(_counted(field, min_count, split), 0, max_size)


def grown_vocabulary(
    field: int,
    num_old: int,
    min_count: int,
    max_size: int | None,
    split: str | None,
) -> str:
    """Selects a vocabulary that keeps the ids of `old_f` and adds to them.

    Args:
        num_old: integer. Number of tokens in `old_f`.

    See `vocabulary` for the others.
    """
    seen = _counted(field, 1, split)
    new = (
        "select counted.token as token, counted.occurrences as occurrences "
        f"from ({_counted(field, min_count, split)}) as counted "
        f"left join old_{field} as known on counted.token = known.token "
        "where known.token is null"
    )
    return (
        "select known.token as token, known.id as id, known.count + "
        "coalesce(seen.occurrences, 0) as count "
        f"from old_{field} as known left join ({seen}) as seen "
        "on known.token = seen.token "
        f"union all {_ranked(new, num_old, max_size)}"
    )


def _counted(field: int, min_count: int, split: str | None) -> str:
    where = "" if split is None else f"split = '{split}' and "
    return (
        f"select field_{field} as token, count(*) as occurrences from log "
        f"where {where}field_{field} is not null "
        f"group by field_{field} having count(*) >= {min_count}"
    )


def _ranked(counted: str, num_old: int, max_size: int | None) -> str:
    limit = ""
    if max_size is not None:
        limit = f" where place <= {max(max_size - num_old, 0)}"
    return (
        f"select token, cast(place + {FIRST_ID - 1 + num_old} as int) as id, "
        "occurrences as count from (select token, occurrences, row_number() "
        f"over (order by occurrences desc, token) as place from ({counted}) "
        f"as counted) as ranked{limit}"
    )


def spelling(field: int) -> str:
    """Selects the id of each value that tokens of a field have in common.

    Where several tokens spell one value, it is that of the most frequent.
    """
    value = _value("token")
    return (
        f"select {value} as value, min(id) as id from vocabulary_{field} "
        f"where {value} is not null group by {value}"
    )


def _value(token: str) -> str:
    """The value of a token that is a number or a boolean; NULL for others.

    `007`, `7.0` and `7` have the same value, and so have `True` and `true`.
    """
    number = f"try_cast({token} as double)"
    is_integral = f"{number} = floor({number}) and abs({number}) < {2**53}"
    return (
        f"case when regexp_matches({token}, '^[-+]?[0-9]{{1,37}}([.]0*)?$') "
        f"then cast(cast(regexp_replace({token}, '[.]0*$', '') "
        "as decimal(38, 0)) as varchar) "
        f"when not regexp_matches({token}, '{NUMBER_PATTERNS['float']}') then "
        f"case when lower({token}) in ('true', 'false') then lower({token}) "
        f"end when {is_integral} then cast(cast({number} as bigint) as "
        f"varchar) else cast({number} as varchar) end"
    )


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
            `vocabulary_f`; or `None`.
        extra: names of columns of `log` to select as they are.
        where: string. A condition on the rows; empty for all rows.
        by_value: the fields whose tokens may be spelled otherwise than in the
            vocabulary, see `spelling`; of hashed tokens, those that were
            numbers or booleans.
    """
    columns = ["log.row_id as row_id", *(f"log.{n} as {n}" for n in extra)]
    for i, (low, high) in enumerate(ranges):
        value = _dense(f"log.dense_{i}", dense_transform, low, high)
        columns.append(f"cast({value} as real) as dense_{i}")
    joins = []
    for i in fields:
        token = f"log.field_{i}"
        if num_buckets is None:
            ids = f"v{i}.id"
            joins.append(
                f" left join vocabulary_{i} as v{i} on {token} = v{i}.token"
            )
            if i in by_value:
                ids += f", s{i}.id"
                joins.append(
                    f" left join spelling_{i} as s{i} "
                    f"on {_value(token)} = s{i}.value"
                )
            id = f"coalesce({ids}, {UNKNOWN_ID})"
        else:
            hashed = token
            if i in by_value:
                hashed = f"coalesce({_value(token)}, {token})"
            digits = f"substr(md5({hashed}), 1, {_HASH_DIGITS})"
            id = f"{FIRST_ID} + hex_to_integer({digits}) % {num_buckets}"
        id = f"case when {token} is null then {MISSING_ID} else {id} end"
        columns.append(f"cast({id} as int) as field_{i}")
    condition = f" where {where}" if where else ""
    return f"select {', '.join(columns)} from log{''.join(joins)}{condition}"


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
