import datasets
import huggingface_hub
import numpy as np
import pytest

from zoo.encoding import LogFormat


@pytest.fixture(autouse=True)
def quiet():
    datasets.disable_progress_bars()


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*args, **options):
        pytest.fail(f"reached for the network: {args}, {options}")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)


@pytest.fixture
def cache(tmp_path):
    """A folder for typed rows of this test alone."""
    return tmp_path / "cache"


@pytest.fixture
def cached(cache):
    """Lists the data sets in the cache that look whole, or are half made."""

    def cached():
        return [
            path.name
            for path in cache.glob("*/*/*")
            if path.is_dir() and any(path.iterdir())
        ]

    return cached


@pytest.fixture
def numbered():
    """A format whose dense column tells the number of the row."""
    return LogFormat(
        name="numbered",
        columns=("click", "n", "hour"),
        label="click",
        dense=("n",),
        categorical=("hour",),
        delimiter=",",
        header=True,
        day=("hour", 2),
    )


@pytest.fixture
def numbered_lines():
    """Lines for `numbered`, rows `start` to `stop`, three days of hours."""

    def numbered_lines(start, stop, total=600):
        lines = ["click,n,hour"]
        for row in range(start, stop):
            day = 10 + 3 * row // total
            lines.append(f"{row * 7 % 3 % 2},{row},{day}{row % 24:02d}")
        return "\n".join(lines) + "\n"

    return numbered_lines


@pytest.fixture
def criteo_rows():
    """Rows of text as in Criteo's log: label, 13 integers, 26 hashes."""

    def criteo_rows(count, seed=0):
        rng = np.random.default_rng(seed)
        rows = []
        for _ in range(count):
            numbers = [
                "" if rng.random() < 0.2 else str(rng.integers(-3, 3000))
                for _ in range(13)
            ]
            hashes = [
                "" if rng.random() < 0.1 else f"{rng.integers(2**32):08x}"
                for _ in range(26)
            ]
            rows.append([str(rng.integers(0, 2)), *numbers, *hashes])
        return rows

    return criteo_rows


@pytest.fixture
def typed():
    """What a row of text means, by the rules of the documentation."""

    def typed(names, row, number=int, num_dense=13):
        values = [int(row[0])]
        for text in row[1 : 1 + num_dense]:
            values.append(number(text) if text else None)
        values += [text or None for text in row[1 + num_dense :]]
        return dict(zip(names, values, strict=True))

    return typed
