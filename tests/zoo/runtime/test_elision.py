import pytest

from zoo.runtime.elision import elide
from zoo.runtime.elision import width


@pytest.mark.parametrize(
    "text, shown",
    [
        ("", ""),
        ("site", "site"),
        ("0123456789", "0123456789"),
        ("0123456789a", "01234…789a"),
        ("价格区间用", "价格区间用"),
        # Each is two letters wide.
        ("价格区间用户", "价格…用户"),
        (["a", r"\u4ef7", r"\u4ef8", "b"], r"a\u4ef7…b"),
    ],
)
def test_the_middle_is_left_out(text, shown):
    assert elide(text, 10) == shown
    assert width(shown) <= 10
