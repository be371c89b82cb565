"""The rows of each split are those that `prepare` gives it."""

import hashlib
import pickle

import datasets
import pyarrow as pa
import pytest

from zoo.datasets import load_clicks
from zoo.encoding import prepare

ROWS = 600
SCHEMES = [
    {},
    {"seed": 3},
    {"test_fraction": 0.3, "validation_fraction": 0.05, "seed": -1},
    {"split": "random", "validation_fraction": 0.0},
    {"split": "sequential"},
    {"split": "sequential", "test_fraction": 0.2, "validation_fraction": 0.3},
    {"split": "day"},
]


@pytest.fixture
def log(tmp_path, numbered_lines):
    (tmp_path / "log.csv").write_text(numbered_lines(0, ROWS))
    return tmp_path / "log.csv"


@pytest.fixture
def prepared(numbered, tmp_path):
    """The numbers of the rows of each split, as `prepare` splits."""

    def prepared(source, **options):
        folder = tmp_path / "prepared"
        prepare(
            numbered,
            source,
            folder,
            dense_transform="none",
            show_progress=False,
            overwrite=True,
            **options,
        )
        splits = {}
        for name in ("train", "validation", "test"):
            rows = []
            for path in sorted((folder / name).glob("part-*.arrow")):
                with pa.ipc.open_stream(path) as reader:
                    table = reader.read_all()
                rows += [int(n) for (n,) in table["dense"].to_pylist()]
            if rows:
                splits[name] = rows
        return splits

    return prepared


@pytest.mark.parametrize("options", SCHEMES)
def test_same_rows_as_prepare(log, numbered, prepared, cache, options):
    data = load_clicks(numbered, log, cache_dir=cache, **options)
    expected = prepared(log, **options)
    assert {split: data[split]["n"][:] for split in data} == expected
    assert sum(map(len, expected.values())) == ROWS
    # Encoding what was loaded keeps the splits, and the rows in them.
    assert prepared(data) == expected


def test_random_rows_by_their_documented_rule(log, numbered, cache):
    data = load_clicks(numbered, log, cache_dir=cache, seed=5)
    for split in data:
        for row in data[split]["n"]:
            digest = hashlib.md5(f"5:{row}".encode()).hexdigest()
            share = int(digest[:8], 16) / 16**8
            rule = "validation" if share < 0.2 else "train"
            assert split == ("test" if share < 0.1 else rule)


@pytest.mark.parametrize("kind", ["list", "folder", "provider"])
def test_files_like_prepare(
    kind, tmp_path, numbered, numbered_lines, prepared, cache
):
    folder = tmp_path / "log"
    folder.mkdir()
    names = ("test.csv", "train.csv", "val.csv")
    if kind != "provider":
        names = ("day_1.csv", "day_2.csv", "day_10.csv")
    ends = (0, 100, 350, ROWS)
    for number, name in enumerate(names):
        lines = numbered_lines(ends[number], ends[number + 1])
        (folder / name).write_text(lines)
    source = folder
    if kind == "list":
        source = [folder / name for name in reversed(names)]
    schemes = [{}, {"split": "sequential"}, {"split": "day"}, {"seed": 2}]
    for options in schemes:
        data = load_clicks(numbered, source, cache_dir=cache, **options)
        expected = prepared(source, **options)
        assert {split: data[split]["n"][:] for split in data} == expected
        if kind == "provider" and options == {}:
            assert len(data["train"]) == 250


@pytest.mark.parametrize("kind", ["file", "data set", "dict"])
def test_streams_have_the_same_rows(kind, log, numbered, cache):
    source = log
    if kind != "file":
        source = load_clicks(numbered, log, cache_dir=cache)
        if kind == "data set":
            source = datasets.concatenate_datasets(list(source.values()))
    for options in (SCHEMES[1], SCHEMES[2], SCHEMES[3]):
        data = load_clicks(numbered, source, cache_dir=cache, **options)
        streams = load_clicks(
            numbered, source, cache_dir=cache, streaming=True, **options
        )
        assert list(streams) == list(data)
        for split, stream in streams.items():
            # Data loaders send streams to other processes.
            stream = pickle.loads(pickle.dumps(stream))
            assert list(stream) == data[split].to_list()
            # Workers must not share a split whose rows are numbered.
            assert stream.num_shards == 1


@pytest.mark.parametrize("split", ["sequential", "day"])
def test_what_a_stream_can_not_split(split, log, numbered, cache):
    with pytest.raises(ValueError, match="`streaming` can't.*Received: stream"):
        load_clicks(numbered, log, split=split, streaming=True, cache_dir=cache)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"split": "train"}, r"`split` must be one of.*split='train'"),
        ({"split": "provider"}, "`split` can be 'provider' only where"),
        ({"split": "day", "test_fraction": 0.1}, "are for random and sequent"),
        ({"test_fraction": 1.0}, "must sum to less than 1"),
        ({"seed": 0.5}, "`seed` must be an integer"),
    ],
)
def test_arguments_out_of_range(options, match, log, numbered, cache):
    with pytest.raises(ValueError, match=match):
        load_clicks(numbered, log, cache_dir=cache, **options)


def test_too_few_days(tmp_path, numbered, numbered_lines, cache, cached):
    (tmp_path / "log.csv").write_text(numbered_lines(0, 300))
    with pytest.raises(ValueError, match="at least three days.*Received: 2"):
        load_clicks(
            numbered, tmp_path / "log.csv", split="day", cache_dir=cache
        )
    assert cached() == []


@pytest.mark.parametrize("streaming", [True, False])
def test_split_without_a_row(
    streaming, tmp_path, numbered, numbered_lines, cache, cached
):
    (tmp_path / "log.csv").write_text(numbered_lines(0, 2))
    options = {"test_fraction": 1e-9, "validation_fraction": 0.0}
    options["streaming"] = streaming
    with pytest.raises(ValueError, match="the test split would have no row"):
        list(
            load_clicks(
                numbered, tmp_path / "log.csv", cache_dir=cache, **options
            )["test"]
        )
    assert cached() == []


def test_unknown_split_names(log, numbered, cache):
    data = datasets.Dataset.from_dict({"click": [0], "n": [1], "hour": ["1"]})
    for source in ({"holdout": log}, datasets.DatasetDict({"holdout": data})):
        with pytest.raises(ValueError, match="Received: 'holdout'"):
            load_clicks(numbered, source, cache_dir=cache)
