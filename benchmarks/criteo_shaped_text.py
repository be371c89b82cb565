"""Writes a raw log in Criteo's layout, of any size, to measure the encoder.

Per row about 250 bytes: the label, 13 integers with long tails, blanks and a
few negative ones, and 26 tokens of 8 hexadecimal digits from vocabularies of
Criteo's sizes, drawn with probabilities that fall as `rank ** -1.05`. The
labels are drawn independently: this log is for speed, not for learning.

With a history there is one more column: so many tokens of the column C4, with
`|` between, another 450 bytes for 50.

    python benchmarks/criteo_shaped_text.py --rows 20_000_000 --output raw.txt
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv

VOCABULARIES = (
    1460, 583, 10131227, 2202608, 305, 24, 12517, 633, 3, 93145, 5683,
    8351593, 3194, 27, 14992, 5461306, 10, 5652, 2173, 4, 7046547, 18, 15,
    286181, 105, 142572,
)  # fmt: skip
EXPONENT = 1.05
CLICK_RATE = 0.25
# Shares of blank values, cycled through the columns.
BLANK_SHARES = (0.0, 0.0, 0.03, 0.0, 0.2)
BLOCK_ROWS = 250_000
HEX_DIGITS = np.frombuffer(b"0123456789abcdef", "uint8")


def write_log(path: Path, rows: int, seed: int = 0, history: int = 0) -> None:
    """Writes `rows` lines; the same seed gives the same file.

    With a `history` they are the same lines with so many tokens more.
    """
    options = pa.csv.WriteOptions(
        include_header=False, delimiter="\t", quoting_style="none"
    )
    with path.open("wb") as file:
        for start in range(0, rows, BLOCK_ROWS):
            random = np.random.default_rng([seed, start])
            table = _block(random, min(BLOCK_ROWS, rows - start))
            if history:
                lists = _histories(random, table.num_rows, history)
                table = table.append_column("history", lists)
            pa.csv.write_csv(table, file, options)


def _block(random: np.random.Generator, rows: int) -> pa.Table:
    columns = {"label": pa.array((random.random(rows) < CLICK_RATE) * 1)}
    for i in range(13):
        counts = np.exp(random.normal(1.5, 1.5, rows)).astype("int64")
        values = counts - (2 if i == 1 else 0)
        columns[f"I{i + 1}"] = pa.array(values, mask=_blank(random, rows, i))
    for i, size in enumerate(VOCABULARIES):
        tokens = _hexadecimal(_draw_ranks(random, rows, size), salt=i)
        blank = pa.array(_blank(random, rows, i + 1))
        missing = pa.scalar(None, pa.string())
        columns[f"C{i + 1}"] = pa.compute.if_else(blank, missing, tokens)
    return pa.table(columns)


def _histories(random: np.random.Generator, rows: int, length: int) -> pa.Array:
    ranks = _draw_ranks(random, rows * length, VOCABULARIES[3])
    offsets = np.arange(0, rows * length + 1, length, dtype="int32")
    lists = pa.ListArray.from_arrays(offsets, _hexadecimal(ranks, salt=3))
    return pa.compute.binary_join(lists, "|")


def _blank(random: np.random.Generator, rows: int, column: int) -> np.ndarray:
    share = BLANK_SHARES[column % len(BLANK_SHARES)]
    return random.random(rows) < share


def _draw_ranks(
    random: np.random.Generator, rows: int, size: int
) -> np.ndarray:
    """Inverts the distribution function of a continuous power law."""
    power = 1 - EXPONENT
    end = (size + 1.0) ** power
    ranks = (1 + random.random(rows) * (end - 1)) ** (1 / power)
    return np.minimum(ranks.astype("uint64"), size) - 1


def _hexadecimal(ranks: np.ndarray, salt: int) -> pa.Array:
    # An odd factor makes every rank another token, as a hash would.
    codes = (ranks * 2_654_435_761 + salt * 97_531) & 0xFFFFFFFF
    shifts = np.arange(28, -4, -4, dtype="uint64")
    digits = HEX_DIGITS[(codes[:, None] >> shifts) & 15]
    offsets = np.arange(0, 8 * len(ranks) + 1, 8, dtype="int32")
    return pa.StringArray.from_buffers(
        len(ranks), pa.py_buffer(offsets), pa.py_buffer(digits.tobytes())
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--history", type=int, default=0)
    arguments = parser.parse_args()
    write_log(
        arguments.output, arguments.rows, arguments.seed, arguments.history
    )


if __name__ == "__main__":
    main()
