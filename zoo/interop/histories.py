"""Reads which sequences an original compares with which fields."""

from typing import Any

from zoo.interop.original import Original

Names = tuple[str, ...]


def read_histories(
    original: Original,
    sequences: str,
    targets: str,
    default: tuple[Any, Any],
) -> tuple[Names, ...]:
    """Reads two settings into the arguments `histories` and `targets`.

    Args:
        original: `Original`.
        sequences, targets: strings, the settings: each a list, with a name or
            a tuple of names for each history.
        default: the originals' defaults of both.

    Returns:
        The histories.

    Raises:
        ValueError: if they do not name a field for each sequence.
    """
    histories = _read(original, sequences, default[0])
    fields = _read(original, targets, default[1])
    columns = original.columns
    for setting, found, known in (
        (sequences, histories, columns.sequences),
        (targets, fields, columns.categorical),
    ):
        unknown = [n for names in found for n in names if n not in known]
        if unknown:
            raise ValueError(
                f"`config['{setting}']` must name columns of `features`, "
                f"{list(known)}. Received: {unknown}"
            )
    if [*map(len, histories)] != [*map(len, fields)]:
        raise ValueError(
            f"`config['{targets}']` must have a field for each sequence of "
            f"`config['{sequences}']`. Received: {fields} for {histories}"
        )
    original.arguments.update(histories=histories, targets=fields)
    return histories


def read_negatives(original: Original, setting: str = "neg_seq_field") -> int:
    """Reads the sequences of FuxiCTR that only train, the `negatives`.

    Args:
        original: `Original`.
        setting: string, that of these sequences.

    Returns:
        The number of these sequences.

    Raises:
        ValueError: if one is none of the features' sequences.
    """
    default = ("neg_click_history", "neg_cate_history")
    if not original.setting(setting, default):
        return 0
    negatives = _read(original, setting, default)
    names = [name for each in negatives for name in each]
    sequences = original.columns.sequences
    if any(name not in sequences for name in names):
        raise ValueError(
            f"`config['{setting}']` must be empty, or name sequences of "
            f"`features`, {list(sequences)}. Received: {names}"
        )
    original.arguments["negatives"] = negatives
    return len(set(names))


def _read(original: Original, setting: str, default: Any) -> tuple[Names, ...]:
    value = original.setting(setting, default)
    # A tuple is one history, a list has several.
    value = value if isinstance(value, list) else [value]
    return tuple((n,) if isinstance(n, str) else tuple(n) for n in value)


def read_named_histories(
    original: Original, setting: str, prefix: str = "hist_"
) -> tuple[Names, Names]:
    """Reads the one history whose sequences are named after their fields.

    It becomes the arguments `histories` and `targets`.

    Args:
        original: `Original`.
        setting: string, that of the list of the fields.
        prefix: string, with which the names of sequences begin.

    Returns:
        The names of its sequences, and of the others.

    Raises:
        ValueError: if the fields have no sequence each.
    """
    columns, fields = original.columns, original.setting(setting, ())
    named = [f"{prefix}{each}" for each in fields]
    # DeepCTR-Torch has both in the order of the columns, not of the list.
    targets = tuple(name for name in columns.categorical if name in fields)
    history = tuple(name for name in columns.sequences if name in named)
    if not fields or not len(fields) == len(targets) == len(history):
        raise ValueError(
            f"`config['{setting}']` must list fields of `features`, each with "
            f"a sequence whose name is the field's behind '{prefix}'. "
            f"Received: config['{setting}']={fields!r} with the fields "
            f"{[*columns.categorical]} and the sequences {[*columns.sequences]}"
        )
    original.arguments.update(histories=(history,), targets=(targets,))
    others = tuple(name for name in columns.sequences if name not in history)
    return history, others
