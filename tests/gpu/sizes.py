"""Sizes the tests of this folder, with a GPU and without one."""

from typing import NamedTuple


class Sizes(NamedTuple):
    """All sizes of one kind of device.

    Attributes:
        num_ids: rows of the table.
        batch_size: rows a step.
        steps: steps an epoch.
        embedding_dim: length of an id's embedding.
        hidden_units: widths of the layers.
        large_tables: by what they stand for, `(num_ids, batch_size,
            embedding_dim)`.
        other_bytes: what memory may hold besides the tables, their moments
            and gradients: the outputs of the layers, and on a CPU the program.
    """

    num_ids: int
    batch_size: int
    steps: int
    embedding_dim: int
    hidden_units: tuple[int, ...]
    large_tables: dict[str, tuple[int, int, int]]
    other_bytes: int


ON_GPU = Sizes(
    num_ids=1_000_000,
    batch_size=8192,
    steps=20,
    embedding_dim=10,
    hidden_units=(400, 400, 400),
    large_tables={
        "10M": (10_000_000, 131_072, 10),
        "33M": (33_000_000, 131_072, 10),
    },
    # 128K rows with some 1300 outputs, their gradients and copies.
    other_bytes=4 * 2**30,
)
# Tables for memory are wide, to stand out from what the program itself takes.
ON_CPU = Sizes(
    num_ids=2000,
    batch_size=256,
    steps=8,
    embedding_dim=4,
    hidden_units=(8, 8),
    large_tables={"a thirtieth of 33M": (1_000_000, 1024, 32)},
    other_bytes=200 * 2**20,
)
