"""The reports of a study's runs, in one file beside its table."""

import csv
import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from zoo.files.csv_table import write_table
from zoo.scaling.results import PACKED_FILE
from zoo.scaling.results import RESULTS_FILE
from zoo.scaling.results import pack_runs
from zoo.scaling.results import read_runs
from zoo.scaling.results import run_name
from zoo.scaling.results import write_run

RESULTS = Path(__file__).parents[3] / "benchmarks" / "results" / "scaling"
STUDIES = sorted(path.parent.name for path in RESULTS.glob(f"*/{PACKED_FILE}"))


@pytest.fixture
def unpacked(tmp_path):
    """A study as it was before reports were packed: a file for each run."""
    reports = read_runs(RESULTS / "gowalla_faster")
    for report in reports.values():
        write_run(tmp_path, report)
    assert len(list((tmp_path / "runs").glob("*.json"))) == len(reports) == 11
    return tmp_path, reports


def test_the_committed_studies_are_packed():
    assert len(STUDIES) == 12
    assert not list(RESULTS.glob("*/runs"))


@pytest.mark.parametrize("study", STUDIES)
def test_committed_reports_make_the_committed_table(study, tmp_path):
    table = RESULTS / study / RESULTS_FILE
    with table.open() as file:
        names = [
            run_name(
                line["model"],
                line["rule"],
                line["variant"],
                int(line["embedding_batch_size"]),
                int(line["seed"]),
            )
            for line in csv.DictReader(file)
        ]
    reports = read_runs(RESULTS / study)
    assert sorted(names) == list(reports)
    ours = tmp_path / RESULTS_FILE
    write_table([reports[name].row() for name in names], ours)
    assert ours.read_bytes() == table.read_bytes()


@pytest.mark.parametrize("variant", ["long name " * 30, "变体" * 100])
def test_a_long_variant_has_a_name_that_a_file_can_have(tmp_path, variant):
    report = next(iter(read_runs(RESULTS / "gowalla_faster").values()))
    for each in (variant, variant + "a"):
        write_run(tmp_path, replace(report, variant=each))
    found = read_runs(tmp_path)
    assert [r.variant for r in found.values()].count(variant) == 1
    assert len(found) == 2


@pytest.mark.parametrize("study", STUDIES)
def test_a_report_is_written_as_it_was_read(study):
    packed = gzip.decompress((RESULTS / study / PACKED_FILE).read_bytes())
    reports = read_runs(RESULTS / study).values()
    assert packed.decode().splitlines() == [
        json.dumps(report.to_json()) for report in reports
    ]


def test_packing_keeps_every_report(unpacked):
    folder, reports = unpacked
    assert read_runs(folder) == reports
    pack_runs(folder)
    assert [path.name for path in folder.iterdir()] == [PACKED_FILE]
    assert read_runs(folder) == reports
    lines = gzip.decompress((folder / PACKED_FILE).read_bytes()).splitlines()
    assert [json.loads(line) for line in lines] == [
        report.to_json() for report in reports.values()
    ]


def test_the_same_reports_make_the_same_bytes(unpacked, tmp_path_factory):
    folder, reports = unpacked
    pack_runs(folder)
    other = tmp_path_factory.mktemp("other")
    for report in reversed(reports.values()):
        write_run(other, report)
    pack_runs(other)
    first, second = (path / PACKED_FILE for path in (folder, other))
    assert first.read_bytes() == second.read_bytes()
    # No file name and no time: bytes 3 to 7 of the header.
    assert first.read_bytes()[3:8] == bytes(5)


def test_a_packed_study_takes_more_runs(unpacked):
    folder, reports = unpacked
    pack_runs(folder)
    repeated, *_ = reports.values()
    write_run(folder, replace(repeated, auc=0.5))
    write_run(folder, replace(repeated, variant="another"))
    more = read_runs(folder)
    assert len(more) == 12
    pack_runs(folder)
    assert read_runs(folder) == more
    # The newer report of a run counts.
    assert [report.auc for report in more.values()].count(0.5) == 1
    before = (folder / PACKED_FILE).read_bytes()
    pack_runs(folder)
    assert (folder / PACKED_FILE).read_bytes() == before


@pytest.mark.parametrize("broken", ["os.replace", "pathlib.Path.unlink"])
def test_packing_that_breaks_off_loses_no_report(broken, unpacked, monkeypatch):
    folder, reports = unpacked

    def fail(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(broken, fail)
        with pytest.raises(KeyboardInterrupt):
            pack_runs(folder)
    assert read_runs(folder) == reports
    pack_runs(folder)
    assert read_runs(folder) == reports
    assert [path.name for path in folder.iterdir()] == [PACKED_FILE]


def test_checkpoints_of_a_run_under_way_stay(unpacked):
    folder, _ = unpacked
    checkpoint = folder / "runs" / "dcn.checkpoints" / "step-00000032"
    checkpoint.mkdir(parents=True)
    pack_runs(folder)
    assert checkpoint.is_dir()


def test_a_folder_without_a_study_has_no_reports(tmp_path):
    assert read_runs(tmp_path / "absent") == {}
    pack_runs(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-20],
        lambda content: content[:40] + bytes(40) + content[80:],
        lambda content: b"",
        lambda content: b"no gzip",
        lambda content: gzip.compress(b'{"model": "deepfm"\n'),
        lambda content: gzip.compress(b'{"model": "deepfm"}\n'),
    ],
    ids=["cut", "overwritten", "empty", "no gzip", "no JSON", "no report"],
)
def test_a_damaged_file_is_named(damage, tmp_path):
    packed = tmp_path / PACKED_FILE
    shutil.copy(RESULTS / "gowalla_faster" / PACKED_FILE, packed)
    packed.write_bytes(damage(packed.read_bytes()))
    with pytest.raises(
        ValueError, match=r"remove the file.*Received: .*runs\.jsonl\.gz"
    ):
        read_runs(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-9],
        lambda text: text.replace('"auc"', '"area"'),
        lambda text: f"[{text}]",
    ],
    ids=["cut", "another key", "a list"],
)
def test_a_damaged_report_is_named(damage, unpacked):
    folder, _ = unpacked
    path = min((folder / "runs").iterdir())
    path.write_text(damage(path.read_text()))
    with pytest.raises(
        ValueError, match=f"remove the file.*Received: .*{path.name}"
    ):
        read_runs(folder)
