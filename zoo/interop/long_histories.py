"""Reads what FuxiCTR's networks for long histories (`LongCTR`) share.

Their feature map has no sequences. In a batch, each column of an item
(`"source": "item"`) has the values of the items of the history, and last that
of the item that is offered. In the zoo it is a field and a sequence of one
vocabulary: a column `item_id` becomes the field `item_id` and the sequence
`item_id_history`, as long as the setting `max_len`. The sequences are parallel,
and come after all fields, in the order of the columns.
"""

from dataclasses import replace

from zoo.interop.fuxictr_original import FuxiCTR
from zoo.sequence import Sequence

# The default of LongCTR's loader.
DEFAULT_LENGTH = 50


def read_long_history(
    original: FuxiCTR, length: int | None = None
) -> dict[str, str]:
    """Gives an original the history that its feature map does not have.

    Args:
        original: `FuxiCTR`, whose columns it replaces.
        length: integer, that of the history, if the weights tell it. Defaults
            to `None`, the setting `max_len`.

    Returns:
        Dict from the history's sequences to the fields of the item.

    Raises:
        ValueError: if there is no column of an item, or one that is no field.
    """
    columns = original.columns
    items = columns.roles.get("item", [])
    if not items or any(name not in columns.categorical for name in items):
        raise ValueError(
            "`features` must have a column of `source` 'item', of which a "
            "history is made, and all of these must be categorical. "
            f"Received: {items}"
        )
    if length is None:
        length = original.setting("max_len", DEFAULT_LENGTH)
    sequences = {
        f"{name}_history": Sequence(
            name,
            max_length=length,
            parallel_to=f"{items[0]}_history" if name != items[0] else None,
        )
        for name in items
    }
    original.columns = columns = replace(
        columns,
        sequences={**columns.sequences, **sequences},
        order=[
            *(name for name in columns.order if name not in items),
            *items,
            *sequences,
        ],
    )
    original.arguments["schema"] = columns.schema
    original.arguments.pop("field_order", None)
    if columns.order != columns.usual_order:
        original.arguments["field_order"] = tuple(columns.order)
    return dict(zip(sequences, items, strict=True))


def read_compared_history(
    original: FuxiCTR, length: int | None = None
) -> tuple[str, ...]:
    """Reads a history that is compared with the item, for `HistoryModel`.

    Args:
        original, length: as `read_long_history` takes them.

    Returns:
        The names of its sequences.
    """
    targets = read_long_history(original, length)
    original.arguments.update(
        histories=(tuple(targets),), targets=(tuple(targets.values()),)
    )
    return tuple(targets)


def read_long_network(original: FuxiCTR, length: int | None = None) -> int:
    """Takes what `LongHistoryModel` has: tables, attention and perceptron.

    Args:
        original: `FuxiCTR`.
        length: as `read_long_history` takes it.

    Returns:
        The length of an item's vector.
    """
    sequences = read_compared_history(original, length)
    width = len(sequences) * original.embeddings()
    original.arguments.update(
        num_heads=original.setting("num_heads", 1),
        attention_dropout=float(original.setting("attention_dropout", 0)),
        # The setting also counts the place of the target.
        recent_length=original.setting("short_seq_len", 50) - 1,
        original_masks=True,
    )
    original.dnn(original.width + width)
    return width


def take_attention(
    original: FuxiCTR, prefix: str, layer: str, width: int, key: str = "W_k"
) -> None:
    """Takes a `MultiHeadTargetAttention`.

    Args:
        original: `FuxiCTR`.
        prefix: string, what the original calls it.
        layer: string, what the zoo does.
        width: integer, that of an item's vector.
        key: string, what the original calls the keys' projection.
    """
    units = original.state.shape(f"{prefix}.W_q.weight")[0]
    original.arguments["attention_units"] = original.size(
        "attention_dim", units
    )
    for ours, theirs, shape in (
        ("query", "W_q", (units, width)),
        ("key", key, (units, width)),
        ("value", "W_v", (units, width)),
        ("output", "W_o", (width, units)),
    ):
        kernel = original.take(f"{prefix}.{theirs}.weight", *shape)
        original.put(f"{layer}/{ours}_kernel", kernel.T)
