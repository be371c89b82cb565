from pathlib import Path

import pytest

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def sample():
    """Path of a real sample, which is no part of the repository."""

    def sample(name):
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"the real sample {path} is not on this machine")
        return path

    return sample
