import pytest

from zoo.server import Limits


@pytest.mark.parametrize("value", [0, -1, 1.5, True])
@pytest.mark.parametrize(
    "name", ["max_rows", "max_bytes", "max_queued_rows", "max_seconds"]
)
def test_a_limit_must_be_a_positive_integer(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be a positive"):
        Limits(**{name: value})


def test_a_request_must_be_able_to_wait():
    with pytest.raises(ValueError, match=r"`max_queued_rows`.*at least 9000"):
        Limits(max_rows=9000)
