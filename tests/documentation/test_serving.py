"""The guide's Python runs, against a server that the guide's command starts."""

from pathlib import Path

import pytest

from tests.documentation.examples import NAMES
from tests.documentation.examples import fenced_blocks
from tests.zoo.server.process import server_process

GUIDE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()
ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def url():
    assert "python -m zoo serve deepfm_synthetic\n" in GUIDE
    with server_process("deepfm_synthetic", "--max-rows", 2) as (_, url):
        yield url


def test_python_of_the_guide_runs(url):
    names = {**NAMES}
    for code in fenced_blocks(GUIDE.replace(ADDRESS, url)):
        exec(compile(code, "<guide>", "exec"), names)
    assert 0 < names["first"] == names["second"] < 1


def test_the_guide_has_every_option_and_its_default(url):
    from zoo.server import Limits

    for name, default in vars(Limits()).items():
        shown = "4 MiB" if name == "max_bytes" else default
        assert f"`--{name.replace('_', '-')}` ({shown})" in GUIDE
