import pytest

from .sizes import ON_CPU
from .sizes import ON_GPU


@pytest.fixture(scope="session")
def on_gpu(request):
    """Whether this is `nox -s gpu`, and not the tests on any machine."""
    return request.config.getoption("--accelerator")


@pytest.fixture(scope="session")
def sizes(on_gpu):
    return ON_GPU if on_gpu else ON_CPU
