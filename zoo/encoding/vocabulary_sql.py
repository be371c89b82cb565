"""Writes vocabularies as SQL text: see `zoo.encoding.sql`."""

from collections.abc import Sequence

from zoo.raw.log_format import NUMBER_PATTERNS
from zoo.raw.log_format import LogFormat

FIRST_ID = 2
"""The id of the most frequent token; those before are no tokens."""

Columns = Sequence[tuple[str, str]]


def token_columns(log_format: LogFormat, number: int) -> Columns:
    """The relations and columns whose tokens make a vocabulary.

    Args:
        number: integer. Number of the vocabulary.
    """
    name = log_format.vocabularies[number]
    columns = []
    if name in log_format.categorical:
        columns.append(("log", f"field_{number}"))
    for i, sequence in enumerate(log_format.sequences):
        if log_format.vocabulary_of(sequence) == name:
            columns.append((f"events_{i}", "token"))
    return columns


def vocabulary(
    columns: Columns, min_count: int, max_size: int | None, split: str | None
) -> str:
    """Selects token, id and count of a vocabulary.

    Ids go by falling count, ties by the bytes of the token, so that the same
    rows give the same ids on any engine and in any order.

    Args:
        columns: `token_columns`, which are counted together.
        min_count: integer. Rarer tokens are left out.
        max_size: integer or `None`. Later ids are left out.
        split: string. The split whose rows are counted; `None` for all rows.
    """
    return _ranked(_counted(columns, min_count, split), 0, max_size)


def grown_vocabulary(
    number: int,
    columns: Columns,
    num_old: int,
    min_count: int,
    max_size: int | None,
    split: str | None,
) -> str:
    """Selects a vocabulary that keeps the ids of `old_v` and adds to them.

    Args:
        number: integer. Number of the vocabulary.
        num_old: integer. Number of tokens in `old_v`.

    See `vocabulary` for the others.
    """
    seen = _counted(columns, 1, split)
    new = (
        "select counted.token as token, counted.occurrences as occurrences "
        f"from ({_counted(columns, min_count, split)}) as counted "
        f"left join old_{number} as known on counted.token = known.token "
        "where known.token is null"
    )
    return (
        "select known.token as token, known.id as id, cast(known.count + "
        "coalesce(seen.occurrences, 0) as bigint) as count "
        f"from old_{number} as known left join ({seen}) as seen "
        "on known.token = seen.token "
        f"union all {_ranked(new, num_old, max_size)}"
    )


def _counted(columns: Columns, min_count: int, split: str | None) -> str:
    where = "" if split is None else f"split = '{split}' and "
    if len(columns) == 1:
        (relation, token), *_ = columns
        return (
            f"select {token} as token, count(*) as occurrences from {relation} "
            f"where {where}{token} is not null "
            f"group by {token} having count(*) >= {min_count}"
        )
    # Counted one by one: the sums are over distinct tokens.
    counted = " union all ".join(
        f"({_counted([column], 1, split)})" for column in columns
    )
    return (
        "select token, sum(occurrences) as occurrences from "
        f"({counted}) as one_by_one group by token "
        f"having sum(occurrences) >= {min_count}"
    )


def _ranked(counted: str, num_old: int, max_size: int | None) -> str:
    limit = ""
    if max_size is not None:
        limit = f" where place <= {max(max_size - num_old, 0)}"
    return (
        f"select token, cast(place + {FIRST_ID - 1 + num_old} as int) as id, "
        "cast(occurrences as bigint) as count from "
        "(select token, occurrences, row_number() "
        f"over (order by occurrences desc, token) as place from ({counted}) "
        f"as counted) as ranked{limit}"
    )


def spelling(number: int) -> str:
    """Selects the id of each value that tokens of a vocabulary have in common.

    Where several tokens spell one value, it is that of the most frequent.
    """
    value = value_of("token")
    return (
        f"select {value} as value, min(id) as id from vocabulary_{number} "
        f"where {value} is not null group by {value}"
    )


def value_of(token: str) -> str:
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
