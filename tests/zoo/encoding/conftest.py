import hashlib

import pytest

from tests.zoo.encoding.logs import read_split
from zoo.encoding import LogFormat
from zoo.encoding import prepare


@pytest.fixture
def tiny():
    """A log with every kind of column: label, dense, unused, two fields."""
    return LogFormat(
        name="tiny",
        columns=("click", "n", "unused", "a", "b"),
        label="click",
        dense=("n",),
        categorical=("a", "b"),
        delimiter="\t",
        test_fraction=0.25,
        validation_fraction=0.25,
    )


@pytest.fixture
def split_of():
    """The split of a row, computed anew from its documented rule."""

    def split_of(row, seed=0, test=0.25, validation=0.25):
        digest = hashlib.md5(f"{seed}:{row}".encode()).hexdigest()
        share = int(digest[:8], 16) / 16**8
        if share < test:
            return "test"
        return "validation" if share < test + validation else "train"

    return split_of


@pytest.fixture
def make_lines(split_of):
    """Lines of a tiny log whose training rows are the given (n, a, b).

    The other splits get rows of (`n`, `a`, `b`) = `other`, both labels each.
    """

    def make_lines(train, other=("0", "other", "other")):
        waiting, lines = list(train), []
        labels = {"train": 0, "validation": 0, "test": 0}
        while waiting or min(labels.values()) < 2:
            split = split_of(len(lines))
            row = waiting.pop(0) if split == "train" and waiting else other
            labels[split] += 1
            n, a, b = row
            lines.append(f"{labels[split] % 2}\t{n}\tu\t{a}\t{b}")
        return lines

    return make_lines


@pytest.fixture
def prepare_text(tmp_path, tiny):
    """Writes a raw log, prepares it, and gives the folder and its tables."""

    def prepare_text(text, name="out", **options):
        source = tmp_path / "raw.txt"
        source.write_bytes(text if isinstance(text, bytes) else text.encode())
        output = tmp_path / name
        prepare(tiny, source, output, show_progress=False, **options)
        return output, {
            path.name: read_split(output, path.name)
            for path in output.iterdir()
            if path.name in ("train", "validation", "test")
        }

    return prepare_text
