"""Names the inputs of a SavedModel's signature."""

import re
from collections.abc import Iterable

# TensorFlow gives the inputs to a method by their names.
_TAKEN = ("self",)


def name_inputs(columns: Iterable[str]) -> dict[str, str]:
    """Returns the name of each column in a signature of TensorFlow.

    It has ASCII letters, digits and underscores, begins with a letter, and
    differs from the others by more than upper and lower case. A column of such
    a name keeps it. In others each other character becomes an underscore.

    Args:
        columns: strings.

    Example:

    >>> from zoo.serving.signature_names import name_inputs
    >>> name_inputs(["C1", "item id", "item.id"])
    {'C1': 'C1', 'item id': 'item_id', 'item.id': 'item_id_'}
    """
    names: dict[str, str] = {}
    taken = set(_TAKEN)
    # Those that can keep their names come first.
    for column in sorted(columns, key=_is_plain, reverse=True):
        name = re.sub("[^A-Za-z0-9_]", "_", column)
        if not re.match("[A-Za-z]", name):
            name = f"column_{name}"
        while name.lower() in taken:
            name += "_"
        taken.add(name.lower())
        names[column] = name
    return names


def _is_plain(column: str) -> bool:
    return re.fullmatch("[A-Za-z][A-Za-z0-9_]*", column) is not None
