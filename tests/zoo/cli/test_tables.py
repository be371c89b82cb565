import io

import numpy as np
from rich.console import Console

from zoo.cli.tables import card_tables


def test_a_long_name_is_shown_with_both_ends():
    names = ["first_" + "x" * 300 + "_last", "[bold]price[/]"]
    field = {"distinct": 2, "unseen": {}, "counts": np.array([2, 1])}
    card = {
        "source": "log",
        "splits": {"train": {"rows": 3, "click_rate": 0.5}},
        "missing": dict.fromkeys(names, 0.0),
        "fields": dict.fromkeys(names, field),
    }
    text = io.StringIO()
    Console(file=text, width=120).print(*card_tables(card))
    assert "first_xxxxxxxxxx…xxxxxxxxxx_last" in text.getvalue()
    assert "[bold]price[/]" in text.getvalue()
