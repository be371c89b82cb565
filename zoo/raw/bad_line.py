"""Finds the line of a raw log that breaks a rule.

It is slow and exact, and runs only after a rule was found broken.
"""

import io
import re
from collections.abc import Mapping
from collections.abc import Sequence

from zoo.raw import times
from zoo.raw.log_format import LARGEST_FLOAT
from zoo.raw.log_format import MAX_LINE_BYTES
from zoo.raw.log_format import NUMBER_PATTERNS
from zoo.raw.log_format import WEIGHT_PATTERN
from zoo.raw.log_format import LogFormat
from zoo.raw.raw_file import RawFile
from zoo.raw.raw_file import open_text

NUMBERS = {
    "integer": "an integer of at most 18 digits or nothing",
    "float": "a number below 1e38 or nothing",
}


def raise_first_bad_line(
    raw_file: RawFile, log_format: LogFormat, columns: Sequence[str]
) -> None:
    """Raises for the first line that breaks a rule; returns if none does.

    Raises:
        ValueError: with file, line, column and rule.
    """
    # Undecodable bytes become surrogates, which no valid text holds. Lines end
    # at LF, CRLF or CR, as in an editor.
    text, file = open_text(raw_file)
    with (
        file,
        io.TextIOWrapper(
            text, encoding="utf-8-sig", errors="surrogateescape"
        ) as lines,
    ):
        number = 0
        while line := lines.readline(MAX_LINE_BYTES):
            number += 1
            if number < log_format.first_line:
                continue
            rule, received = broken_rule(line, log_format, columns)
            if rule:
                raise ValueError(
                    f"{raw_file}, line {number}: {rule} Correct or remove the "
                    f"line. Received: {shown(received)}"
                )


def broken_rule(
    line: str, log_format: LogFormat, columns: Sequence[str]
) -> tuple[str, str]:
    """The rule that a line breaks and the text that breaks it, or `""`s."""
    if len(line) >= MAX_LINE_BYTES:
        return f"a line must be shorter than {MAX_LINE_BYTES} bytes.", line
    line = line.removesuffix("\n")
    if any("\udc80" <= character <= "\udcff" for character in line):
        return "the text must be UTF-8.", line
    if log_format.has_open_quote(line):
        return (
            "a quoted value must end on its line. If quotes are part of the "
            "values, give the format quoted=False.",
            line,
        )
    values = log_format.split_line(line)
    if len(values) != len(columns) or not line:
        count = len(values) if line else 0
        return (
            f"a row of the {log_format.name} log must have {len(columns)} "
            f"columns with {log_format.delimiter!r} between, and there are "
            f"{count}.",
            line,
        )
    for name, value in zip(columns, values, strict=True):
        rule = broken_rule_of_value(name, value, log_format)
        if rule:
            return rule, value
    row = dict(zip(columns, values, strict=True))
    lengths = {
        name: len(split_list(row[name], name, log_format))
        for name in log_format.sequences
    }
    return broken_rule_of_row(row, lengths, log_format)


def split_list(value: str, name: str, log_format: LogFormat) -> list[str]:
    """The tokens of a text in a column with lists."""
    if value == "" or value in log_format.missing_in(name):
        return []
    return value.split(log_format.sequences[name].separator)


def broken_rule_of_row(
    row: Mapping[str, str], lengths: Mapping[str, int], log_format: LogFormat
) -> tuple[str, str]:
    """The rule that a row of good values breaks, and the text, or `""`s.

    Args:
        row: dict from columns to their text, all labels at least.
        lengths: dict from the columns with lists to the length of each.
    """
    names = log_format.label_names
    if log_format.is_labeled and len(names) > 1:
        missing = ("", *log_format.missing_in(names[0]))
        if all(row[name] in missing for name in names):
            listed = ", ".join(f"'{name}'" for name in names)
            return (
                f"of the labels {listed} one must be 0 or 1.",
                ", ".join(row[name] for name in names),
            )
    for name, column in log_format.sequences.items():
        other = column.parallel_to
        if other is not None and lengths[name] != lengths[other]:
            return (
                f"the lists '{name}' and '{other}' are of the same events and "
                "must be equally long.",
                f"lengths {lengths[name]} and {lengths[other]}",
            )
    return "", ""


def broken_rule_of_value(name: str, value: str, log_format: LogFormat) -> str:
    """The rule that the text of one column breaks, or `""`."""
    is_label = log_format.is_labeled and name in log_format.label_names
    if is_label and value not in ("0", "1"):
        if log_format.labels is None:
            return f"the label '{name}' must be 0 or 1."
        if value and value not in log_format.missing_in(name):
            return f"the label '{name}' must be 0, 1 or nothing."
    if log_format.is_labeled and name == log_format.weight:
        if re.fullmatch(WEIGHT_PATTERN, value) and (
            float(value) < float(LARGEST_FLOAT)
        ):
            return ""
        return (
            f"the weight '{name}' must be a number below 1e38 that is neither "
            "negative nor missing."
        )
    is_time = log_format.is_labeled and name == log_format.time
    if is_time and not re.fullmatch(times.PATTERN, value):
        return f"column '{name}' must hold {times.RULE}."
    if value == "" or value in log_format.missing_in(name):
        return ""
    if name in log_format.dense:
        kind = log_format.dense_type
        if not re.fullmatch(NUMBER_PATTERNS[kind], value) or (
            kind == "float" and not abs(float(value)) < float(LARGEST_FLOAT)
        ):
            return f"column '{name}' must hold {NUMBERS[kind]}."
    return ""


def shown(text: str) -> str:
    # Escapes surrogates, and what a terminal can't show.
    short = text if len(text) <= 100 else f"{text[:100]}..."
    return repr(
        short.encode("utf-8", "surrogateescape").decode(
            "utf-8", "backslashreplace"
        )
    )
