import pytest

from .sizes import ON_CARD
from .sizes import ON_CPU


@pytest.fixture(scope="session")
def on_card(request):
    """Whether this is `nox -s gpu`, and not the tests on any machine."""
    return request.config.getoption("--accelerator")


@pytest.fixture(scope="session")
def sizes(on_card):
    return ON_CARD if on_card else ON_CPU
