"""The guide's code runs as it stands."""

from pathlib import Path

import pytest

from tests.documentation.examples import run_examples

GUIDE = (Path(__file__).parents[2] / "docs" / "own_network.md").read_text()


@pytest.mark.trained_often
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_guide_runs(workplace):
    workplace(GUIDE)
    run_examples(GUIDE, "own_network.md")
    assert (Path("runs") / "tower" / "report.json").exists()
