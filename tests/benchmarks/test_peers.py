"""The comparison with other libraries, with scripts in their place."""

import argparse
import csv
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

SPEED = Path(__file__).parents[2] / "benchmarks" / "speed"
# As the scripts of `benchmarks/speed/peers`, without a library.
FAKE = """
import argparse, json, numpy
parser = argparse.ArgumentParser()
for option in ("--data", "--windows", "--window-seconds"):
    parser.add_argument(option)
options = parser.parse_args()
data = numpy.load(options.data)
rows = len(data["labels"])
assert data["ids"].shape == (rows, 26) and len(data["sizes"]) == 26
assert data["dense"].shape == (rows, 13) and data["sizes"].sum() <= 2_000
if rows > {most_rows}:
    raise MemoryError("no room for the batch")
times = [{step_ms} + i for i in range(int(options.windows))]
print("talk of the library")
print(json.dumps({{
    "contestants": [{{"name": "bare step", "step_ms": times}}],
    "versions": {{"fake": "1.2", "torch": "2"}},
}}))
"""


@pytest.fixture(scope="module")
def peers():
    sys.path.insert(0, str(SPEED))
    yield importlib.import_module("peers")
    sys.path.remove(str(SPEED))


@pytest.fixture
def fake(peers, tmp_path):
    """Makes a peer that needs no environment of its own."""

    class Fake(peers.Peer):
        def prepare(self, environments):
            pass

        def _python(self, environments):
            return sys.executable

    def fake(name, most_rows=1_000, step_ms=2, kind=Fake):
        script = FAKE.format(most_rows=most_rows, step_ms=step_ms)
        peer = kind(name, "torch", folder=tmp_path)
        (tmp_path / f"run_{peer.file_name}.py").write_text(script)
        return peer

    return fake


@pytest.fixture
def arguments(tmp_path):
    return argparse.Namespace(
        batch_sizes=[100, 200],
        num_ids=2_000,
        rounds=2,
        windows=3,
        window_seconds=0.1,
        timeout=60,
        environments=tmp_path / "environments",
        output=tmp_path / "results",
    )


def read(arguments):
    with (arguments.output / "peers.csv").open() as file:
        lines = list(csv.DictReader(file))
    cells = {
        (line["contestant"], line["way"], int(line["batch_size"])): line
        for line in lines
    }
    assert len(cells) == len(lines)
    return cells


def test_results_of_all_rounds_are_written(peers, fake, arguments, capsys):
    contestants = [fake("Fast-CTR"), fake("Small", most_rows=150, step_ms=4)]
    peers.compare(contestants, [], arguments)
    lines = read(arguments)
    assert len(lines) == 2 * 2 * 2
    fast = lines["Fast-CTR", "Adam, bare step", 200]
    # 200 rows in 2, 3 and 4 ms, twice.
    assert fast["samples_per_second"] == "66667"
    assert fast["samples_per_second_best"] == "100000"
    assert (fast["rounds"], fast["windows"]) == ("2", "6")
    assert fast["versions"] == "fake 1.2 torch 2"
    assert "cores" in fast["hardware"]
    assert fast["not_run"] == ""
    page = capsys.readouterr().out
    cells = [line for line in page.splitlines() if line.startswith("| ")]
    assert len({row.count("|") for row in cells}) == 1
    assert "| torch | fp32 | 33,333 (50,000) | 66,667 (100,000) |" in page
    assert (arguments.output / "peers.png").stat().st_size > 10_000


def test_what_does_not_run_says_why(peers, fake, arguments, capsys):
    peers.compare([fake("Small", most_rows=150)], [], arguments)
    lines = read(arguments)
    assert lines["Small", "Adam, bare step", 100]["not_run"] == ""
    small = lines["Small", "Adam, bare step", 200]
    assert small["not_run"] == "MemoryError: no room for the batch"
    assert small["samples_per_second"] == ""
    trainer = lines["Small", "Adam, own trainer", 100]
    assert trainer["not_run"] == "its process did not measure it"
    page = capsys.readouterr().out
    assert "| torch | fp32 | 33,333 (50,000) | not run |" in page
    assert "Not run: MemoryError: no room for the batch" in page


def test_a_peer_that_is_not_installed_says_why(
    peers, fake, arguments, monkeypatch
):
    def no_network(*command, **kwargs):
        raise subprocess.CalledProcessError(1, command, stderr="no network\n")

    away = fake("Away", kind=peers.Peer)
    (away.folder / "away.txt").write_text("away==1.0\n")
    monkeypatch.setattr(away.__class__, "prepare", no_network)
    peers.compare([away, fake("Here")], [], arguments)
    lines = read(arguments)
    assert {
        line["not_run"] for (name, *_), line in lines.items() if name == "Away"
    } == {"could not be installed: no network"}


def test_one_that_takes_too_long_is_ended(peers, fake, arguments):
    arguments.timeout = 0.01
    peers.compare([fake("Fast-CTR")], [], arguments)
    assert {line["not_run"] for line in read(arguments).values()} == {
        "took longer than 0.01 seconds"
    }


def test_earlier_lines_stay_or_are_replaced(peers, fake, arguments):
    peers.compare([fake("Fast-CTR"), fake("Other")], [], arguments)
    arguments.batch_sizes = [100]
    peers.compare([fake("Fast-CTR", step_ms=10)], [], arguments)
    lines = read(arguments)
    assert len(lines) == 8
    way = "Adam, bare step"
    assert lines["Fast-CTR", way, 100]["samples_per_second"] == "9091"
    assert lines["Fast-CTR", way, 200]["samples_per_second"] == "66667"
    assert lines["Other", way, 100]["samples_per_second"] == "33333"


def test_halved_precision_is_measured_at_the_largest_batch(
    peers, fake, arguments
):
    halved = fake("Halved")
    peers.compare([fake("Fast-CTR")], [halved], arguments)
    sizes = {size for name, _, size in read(arguments) if name == "Halved"}
    assert sizes == {200}


def test_an_environment_is_made_once(peers, monkeypatch, tmp_path):
    calls = []
    peer = peers.Peer("Fake-CTR", "torch", folder=tmp_path)
    (tmp_path / "fake_ctr.txt").write_text("fake-ctr==1.0\n")

    def call(*command):
        calls.append(command)
        (tmp_path / "made" / "fake_ctr").mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(peers, "call", call)
    peer.prepare(tmp_path / "made")
    assert calls[0][1:3] == ("-m", "venv")
    assert calls[1][-2:] == ("-r", str(tmp_path / "fake_ctr.txt"))
    peer.prepare(tmp_path / "made")
    assert len(calls) == 2
    (tmp_path / "fake_ctr.txt").write_text("fake-ctr==1.1\n")
    peer.prepare(tmp_path / "made")
    assert len(calls) == 4


def test_ours_asks_for_the_same_cell(peers, arguments):
    ours = peers.Ours("jax", "mixed_bfloat16")
    command = ours.command(Path("somewhere", "8192.npz"), arguments)
    assert command[1].endswith("cell.py") and Path(command[1]).exists()
    options = dict(zip(command[2::2], command[3::2], strict=True))
    assert options == {
        "--batch-size": "8192",
        "--precision": "mixed_bfloat16",
        "--num-ids": "2000",
    }


def test_every_peer_has_a_script_and_requirements(peers):
    for peer in peers.PEERS:
        requirements = peer.folder / f"{peer.file_name}.txt"
        for line in requirements.read_text().splitlines():
            assert line.startswith("#") or "==" in line or line == "requests"
        script = peer.command(Path("8.npz"), peers_arguments())[1]
        compile(Path(script).read_text(), script, "exec")


def peers_arguments():
    return argparse.Namespace(environments=Path("environments"))
