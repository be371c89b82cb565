"""The table and the figure of the networks' speed, from given times."""

import importlib
from pathlib import Path

import pytest

from zoo.registry import NAMES

SPEED = Path(__file__).parents[2] / "benchmarks" / "speed"


@pytest.fixture
def networks(monkeypatch):
    monkeypatch.syspath_prepend(str(SPEED))
    return importlib.import_module("networks")


def line(network, measured, **values):
    empty = dict.fromkeys(
        ("step_ms", "forward_backward_ms", "original_ms", "ratio", "peak_mib"),
        "",
    )
    return {
        "network": network,
        "measured": measured,
        **empty,
        "parameters": "1500000",
        "hardware": "2 cores",
        "versions": "keras 3",
        **values,
    }


def test_a_row_has_each_backend_and_the_ratio(networks, tmp_path):
    lines = [
        line("afm", "torch", step_ms="20.0", peak_mib="900"),
        line("afm", "jax", step_ms="10.0", peak_mib="800"),
        line(
            "afm",
            "FuxiCTR",
            forward_backward_ms="5.0",
            original_ms="10.0",
            ratio="0.50",
        ),
    ]
    table = networks.markdown(lines)
    assert "| afm |  | 10.0 | 20.0 | 5.0 / 10.0 = 0.50 | 1.50 | 900 |" in table
    assert "2 cores; keras 3" in table
    networks.draw(lines, tmp_path / "networks.png")
    assert (tmp_path / "networks.png").stat().st_size > 5000


def test_pairs_are_of_networks_of_the_zoo(networks):
    assert set(networks.SETTINGS) <= set(NAMES)
