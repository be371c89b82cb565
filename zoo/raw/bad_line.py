"""Finds the line of a raw log that breaks a rule.

It is slow and exact, and runs only after a rule was found broken.
"""

import io
import re
from collections.abc import Sequence

from zoo.raw import times
from zoo.raw.log_format import LARGEST_FLOAT
from zoo.raw.log_format import MAX_LINE_BYTES
from zoo.raw.log_format import NUMBER_PATTERNS
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
    return "", ""


def broken_rule_of_value(name: str, value: str, log_format: LogFormat) -> str:
    """The rule that the text of one column breaks, or `""`."""
    is_label = log_format.is_labeled and name == log_format.label
    if is_label and value not in ("0", "1"):
        return f"the label '{name}' must be 0 or 1."
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
