"""Writes as SQL the rules that rows of a raw log must keep.

The text says which row breaks one; the source then explains it. See
`zoo.encoding.sql` for the relations.
"""

from zoo.encoding.list_sql import raw_list
from zoo.encoding.sql import without_missing
from zoo.raw import times
from zoo.raw.log_format import LARGEST_FLOAT
from zoo.raw.log_format import NUMBER_PATTERNS
from zoo.raw.log_format import WEIGHT_PATTERN
from zoo.raw.log_format import LogFormat


def first_bad_row(log_format: LogFormat, joins_lists: bool = False) -> str:
    """Selects the smallest `row_id` of `raw` that breaks a rule.

    Args:
        joins_lists: boolean. Whether a list is one text in `raw`.
    """
    rules = [
        *_bad_features(log_format, joins_lists),
        *_bad_labels(log_format),
        *_bad_weights(log_format),
    ]
    time = log_format.time_sql_name
    if time is not None:
        is_time = f"regexp_matches({time}, '{times.PATTERN}')"
        rules.append(f"{time} is null or not {is_time}")
    condition = " or ".join(f"({rule})" for rule in rules)
    return f"select min(row_id) as row_id from raw where {condition}"


def _bad_features(log_format: LogFormat, joins_lists: bool) -> list[str]:
    rules = _bad_numbers(log_format)
    names = list(log_format.sequences)
    for i, column in enumerate(log_format.sequences.values()):
        if column.parallel_to is not None:
            other = names.index(column.parallel_to)
            lists = [raw_list(log_format, n, joins_lists) for n in (i, other)]
            lengths = [f"coalesce(array_length({x}), 0)" for x in lists]
            rules.append(" <> ".join(lengths))
    return rules


def _bad_labels(log_format: LogFormat) -> list[str]:
    if log_format.labels is None:
        return ["label not in ('0', '1')", "label is null"]
    texts = [
        without_missing(column, log_format.missing_in(name))
        for column, name in zip(
            log_format.label_sql_names, log_format.labels, strict=True
        )
    ]
    rules = [f"{text} not in ('0', '1')" for text in texts]
    return [*rules, f"coalesce({', '.join(texts)}) is null"]


def _bad_weights(log_format: LogFormat) -> list[str]:
    if log_format.weight is None:
        return []
    is_number = f"regexp_matches(weight, '{WEIGHT_PATTERN}')"
    size = "try_cast(weight as double)"
    return [
        "weight is null",
        f"not {is_number} or not {size} < {LARGEST_FLOAT}",
    ]


def _bad_numbers(log_format: LogFormat) -> list[str]:
    """The conditions under which texts are neither missing nor numbers."""
    rules = []
    pattern = NUMBER_PATTERNS[log_format.dense_type]
    for i, name in enumerate(log_format.dense):
        # NULL for a missing value, and then the rule is NULL as well.
        text = without_missing(f"dense_{i}", log_format.missing_in(name))
        rule = f"not regexp_matches({text}, '{pattern}')"
        if log_format.dense_type == "float":
            size = f"abs(try_cast({text} as double))"
            rule = f"{rule} or not {size} < {LARGEST_FLOAT}"
        rules.append(rule)
    return rules
