"""`--json` prints the numbers for a script, and nothing else."""

import json

import pytest

import zoo
from zoo.cli import app as cli


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An encoded log, and an untrained model of it."""
    folder = tmp_path_factory.mktemp("json")
    raw = folder / "train.txt"
    zoo.datasets.synthetic.write_raw_log(raw, rows=1000, max_vocabulary=5)
    zoo.prepare(
        zoo.datasets.SYNTHETIC, raw, folder / "encoded", show_progress=False
    )
    log = zoo.EncodedLog.load(folder / "encoded")
    model = zoo.DeepFM(log.schema, hidden_units=(4,))
    model.save_to_preset(folder / "model", log.encoder)
    return folder


def printed(capfd, *arguments):
    """All that a command leaves on stdout, as JSON."""
    capfd.readouterr()
    with pytest.raises(SystemExit, match="0"):
        cli.main([*map(str, arguments), "--json"])
    return json.loads(capfd.readouterr().out)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_evaluate_prints_the_metrics(folder, capfd, split):
    metrics = printed(
        capfd,
        *("evaluate", folder / "model", "--data", folder / "encoded"),
        *("--split", split),
    )
    log = zoo.EncodedLog.load(folder / "encoded")
    assert metrics == zoo.evaluate(folder / "model", log, split)


def test_evaluate_groups_by_several_fields(folder, capfd):
    metrics = printed(
        capfd,
        *("evaluate", folder / "model", "--data", folder / "encoded"),
        *("--group-by", "C9", "--group-by", "C6"),
    )
    log = zoo.EncodedLog.load(folder / "encoded")
    assert metrics == zoo.evaluate(folder / "model", log, group_by=["C9", "C6"])
    assert list(metrics["groups"]) == ["C9", "C6"]


def test_describe_prints_the_card(folder, capfd):
    card = printed(capfd, "describe", folder / "encoded")
    expected = zoo.describe(folder / "encoded", show_progress=False)
    for name in ("source", "splits", "missing"):
        assert card[name] == expected[name]
    assert list(card["fields"]) == list(expected["fields"])
    for name, field in card["fields"].items():
        counts = expected["fields"][name].pop("counts").tolist()
        assert field.pop("most_frequent") == max(counts) / sum(counts)
        assert field.pop("seen_once") == counts.count(1) / len(counts)
        assert field == expected["fields"][name]


def test_describe_prints_shares_of_lists_and_none_of_an_empty_field(
    tmp_path, capfd
):
    raw = tmp_path / "clicks.csv"
    raw.write_text("click,site,tags\n" + "1,,a|a|b|a\n0,,a|a|b|a\n" * 50)
    log_format = zoo.LogFormat(
        name="empty",
        label="click",
        categorical=["site"],
        sequences={"tags": zoo.ListColumn(max_length=4)},
        delimiter=",",
        header=True,
    )
    zoo.prepare(log_format, raw, tmp_path / "encoded", show_progress=False)
    card = printed(capfd, "describe", tmp_path / "encoded")
    field, tags = card["fields"]["site"], card["sequences"]["tags"]
    assert field["missing"] == 1.0
    assert field["most_frequent"] is field["seen_once"] is None
    assert (tags["most_frequent"], tags["seen_once"]) == (0.75, 0.0)


def test_another_split_is_refused(folder, read_stderr):
    with pytest.raises(SystemExit) as exit:
        cli.main(
            [
                *("evaluate", str(folder / "model"), "--split", "holdout"),
                *("--data", str(folder / "encoded")),
            ]
        )
    assert exit.value.code == 2
    message = "'holdout' is not one of 'train', 'validation', 'test'"
    assert message in read_stderr()
