"""The encoding as SQL text.

Plain relational SQL (count, rank, join), so that another engine can run the
same text after translation; reading and writing is the engine's own business.
It speaks of three kinds of relations, columns named by `LogFormat.roles`:

- `raw(row_id, label, dense_0, ..., field_0, ...)`: the text of the log;
- `log(row_id, split, label, dense_0, ..., field_0, ...)`: typed, NULL where
  the text is empty;
- `vocabulary_f(token, id, count)`: the ids of field f.
"""

from collections.abc import Iterable
from collections.abc import Sequence

SPLITS = ("train", "validation", "test")
DENSE_TRANSFORMS = ("minmax", "log", "none")
MISSING_ID = 0
UNKNOWN_ID = 1
FIRST_ID = 2

# 18 digits always fit into 64 bits. A cast alone would round "1.5" to 2.
_INTEGER = "^-?[0-9]{1,18}$"
_HEX_DIGITS = 8


def first_bad_row(num_dense: int, label: bool) -> str:
    """Selects the smallest `row_id` of `raw` whose text breaks a rule."""
    rules = [f"({bad_integer(f'dense_{i}')})" for i in range(num_dense)]
    if label:
        rules.append("(label is null or label not in ('0', '1'))")
    condition = " or ".join(rules) if rules else "1 = 0"
    return f"select min(row_id) as row_id from raw where {condition}"


def bad_integer(column: str) -> str:
    """The condition under which a text is neither empty nor an integer."""
    return f"{column} <> '' and not regexp_matches({column}, '{_INTEGER}')"


def typed(num_dense: int, num_fields: int) -> str:
    """Selects the features of `raw` as integers and tokens, empty as NULL."""
    columns = ["row_id", *_typed_features(num_dense, num_fields)]
    return f"select {', '.join(columns)} from raw"


def labeled(
    num_dense: int,
    num_fields: int,
    seed: int,
    test_fraction: float,
    validation_fraction: float,
) -> str:
    """Selects all of `log` from `raw`: `typed`, the label and the split.

    The split is drawn by a hash of seed and row number that every engine has
    and computes alike.
    """
    test = _hash_bound(test_fraction)
    validation = _hash_bound(test_fraction + validation_fraction)
    hashed = (
        f"substr(md5(concat('{seed}:', cast(row_id as varchar))), 1, "
        f"{_HEX_DIGITS})"
    )
    columns = [
        "row_id",
        f"case when hashed < '{test}' then 'test' "
        f"when hashed < '{validation}' then 'validation' "
        "else 'train' end as split",
        "cast(label as tinyint) as label",
        *_typed_features(num_dense, num_fields),
    ]
    return (
        f"select {', '.join(columns)} "
        f"from (select raw.*, {hashed} as hashed from raw) as drawn"
    )


def _typed_features(num_dense: int, num_fields: int) -> list[str]:
    names = [f"dense_{i}" for i in range(num_dense)]
    fields = [f"field_{i}" for i in range(num_fields)]
    return [
        *(f"cast(nullif({n}, '') as bigint) as {n}" for n in names),
        *(f"nullif({n}, '') as {n}" for n in fields),
    ]


def _hash_bound(fraction: float) -> str:
    return f"{round(fraction * 16**_HEX_DIGITS):0{_HEX_DIGITS}x}"


def split_counts() -> str:
    """Selects rows and clicks of every split of `log`."""
    return (
        "select split, count(*) as num_rows, sum(label) as clicks "
        "from log group by split"
    )


def vocabulary(field: int, min_count: int) -> str:
    """Selects token, id and count of a field from the training split.

    Ids go by falling count, ties by the bytes of the token, so that the same
    rows give the same ids on any engine and in any order.
    """
    return (
        "select token, cast(row_number() over (order by occurrences desc, "
        f"token) + {FIRST_ID - 1} as int) as id, occurrences as count "
        f"from (select field_{field} as token, count(*) as occurrences "
        f"from log where split = 'train' and field_{field} is not null "
        f"group by field_{field} having count(*) >= {min_count}) as counted"
    )


def dense_ranges(num_dense: int) -> str:
    """Selects min and max of each dense column of the training split."""
    columns = []
    for i in range(num_dense):
        value = f"coalesce(dense_{i}, 0)"
        columns += [f"min({value}) as min_{i}", f"max({value}) as max_{i}"]
    return f"select {', '.join(columns)} from log where split = 'train'"


def encoded(
    dense_transform: str,
    ranges: Sequence[tuple[int, int]],
    fields: Iterable[int],
    split: str | None = None,
) -> str:
    """Selects the encoded rows of `log` in their order.

    Args:
        dense_transform: one of `DENSE_TRANSFORMS`.
        ranges: (min, max) of each dense column in the training split; empty
            to select no dense column.
        fields: the numbers of the fields to select.
        split: one of `SPLITS`, to select it together with its labels; `None`
            for all rows, without labels. Defaults to `None`.
    """
    columns = ["log.row_id as row_id"]
    if split is not None:
        columns.append("log.label as label")
    for i, (low, high) in enumerate(ranges):
        value = _dense(f"log.dense_{i}", dense_transform, low, high)
        columns.append(f"cast({value} as real) as dense_{i}")
    joins = []
    for i in fields:
        columns.append(
            f"case when log.field_{i} is null then {MISSING_ID} "
            f"else coalesce(v{i}.id, {UNKNOWN_ID}) end as field_{i}"
        )
        joins.append(
            f"left join vocabulary_{i} as v{i} on log.field_{i} = v{i}.token"
        )
    where = "" if split is None else f" where log.split = '{split}'"
    return (
        f"select {', '.join(columns)} from log {' '.join(joins)}{where} "
        "order by log.row_id"
    )


def _dense(column: str, transform: str, low: int, high: int) -> str:
    value = f"cast(coalesce({column}, 0) as double)"
    if transform == "none":
        return value
    if transform == "log":
        return f"sign({value}) * ln(1 + abs({value}))"
    if low == high:
        return "0"
    smallest, largest = f"cast({low} as double)", f"cast({high} as double)"
    clipped = f"least(greatest({value}, {smallest}), {largest})"
    return f"({clipped} - {smallest}) / ({largest} - {smallest})"
