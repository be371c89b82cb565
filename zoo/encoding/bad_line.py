"""Finds the line of a raw log that breaks a rule.

Slow and exact: only run once something is known to be wrong.
"""

import re
from pathlib import Path

from zoo.encoding.log_format import LogFormat
from zoo.encoding.raw_log import MAX_LINE_BYTES

_INTEGER = re.compile("-?[0-9]{1,18}")


def raise_first_bad_line(path: Path, log_format: LogFormat) -> None:
    """Raises for the first line that breaks a rule; returns if none does.

    Raises:
        ValueError: with file, line, column and rule.
    """
    # Undecodable bytes become surrogates, which no valid text holds. Lines end
    # where an editor ends them: at LF, CRLF or CR.
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES):
            number += 1
            if number < log_format.first_line:
                continue
            rule, received = _broken_rule(line, log_format)
            if rule:
                raise ValueError(
                    f"{path}, line {number}: {rule} Correct or remove the "
                    f"line. Received: {_shown(received)}"
                )
    if number < log_format.first_line:
        raise ValueError(
            f"{path}: there is no row after the header. Received: "
            f"{number} line(s)"
        )


def _broken_rule(line: str, log_format: LogFormat) -> tuple[str, str]:
    if len(line) >= MAX_LINE_BYTES:
        return f"a line must be shorter than {MAX_LINE_BYTES} bytes.", line
    line = line.removesuffix("\n")
    if any("\udc80" <= character <= "\udcff" for character in line):
        return "the text must be UTF-8.", line
    values = line.split(log_format.delimiter)
    expected = len(log_format.columns)
    if len(values) != expected or not line:
        count = len(values) if line else 0
        return (
            f"a row of the {log_format.name} log must have {expected} columns "
            f"with {log_format.delimiter!r} between, and there are {count}.",
            line,
        )
    for name, value in zip(log_format.columns, values, strict=True):
        if name == log_format.label and value not in ("0", "1"):
            return f"the label '{name}' must be 0 or 1.", value
        is_dense = name in log_format.dense and value != ""
        if is_dense and not _INTEGER.fullmatch(value):
            rule = "an integer of at most 18 digits or nothing"
            return f"column '{name}' must hold {rule}.", value
    return "", ""


def _shown(text: str) -> str:
    # Escapes what a terminal could not show, and the surrogates.
    short = text if len(text) <= 100 else f"{text[:100]}..."
    return repr(
        short.encode("utf-8", "surrogateescape").decode(
            "utf-8", "backslashreplace"
        )
    )
