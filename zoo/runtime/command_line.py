"""Knows whether this process is the command line, before it is imported."""

import os
import sys

# The names of the console script, the second one on Windows.
SCRIPTS = ("cowclip", "cowclip.exe")


def is_command_line() -> bool:
    """Whether this process is `python -m zoo` or the script `cowclip`.

    Ask while `zoo` is being imported: then `sys.argv[0]` is still `-m` for a
    package that Python runs.
    """
    if not sys.argv:
        return False
    if sys.argv[0] != "-m":
        return os.path.basename(sys.argv[0]) in SCRIPTS
    # The rest of `sys.argv` are the arguments of the package.
    name = sys.orig_argv[-len(sys.argv)]
    return name in ("zoo", "-mzoo")
