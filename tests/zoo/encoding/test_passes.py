import pytest

from zoo.encoding.passes import field_groups


@pytest.mark.parametrize(
    ("num_tokens", "expected"),
    [
        ([4, 3, 3], [(0, 1, 2)]),
        ([4, 3, 4], [(0, 1), (2,)]),
        ([11, 1, 1], [(0,), (1, 2)]),
        ([1, 11, 1], [(0,), (1,), (2,)]),
        ([11], [(0,)]),
        ([0, 0], [(0, 1)]),
    ],
)
def test_groups_of_at_most_ten_tokens(monkeypatch, num_tokens, expected):
    monkeypatch.setattr("zoo.encoding.passes._BYTES_PER_TOKEN", 40)
    monkeypatch.setattr("zoo.encoding.passes._SHARE_OF_MEMORY", 0.4)
    assert [tuple(g) for g in field_groups(num_tokens, 1000)] == expected
