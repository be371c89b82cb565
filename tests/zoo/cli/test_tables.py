import io

from rich.console import Console

from zoo.cli.tables import card_tables


def test_names_are_shown_as_they_are_and_long_ones_with_both_ends():
    names = ["first_" + "x" * 300 + "_last", "[bold]price[/]"]
    field = {"distinct": 2, "unseen": {}}
    field |= {"most_frequent": 2 / 3, "seen_once": None}
    rates = {"[red]buy[/]": 0.5}
    card = {
        "source": "[dim]log",
        "splits": {
            "train": {"rows": 3, "click_rate": 0.5, "click_rates": rates}
        },
        "missing": dict.fromkeys(names, 0.0),
        "fields": dict.fromkeys(names, field),
    }
    text = io.StringIO()
    Console(file=text, width=120).print(*card_tables(card))
    assert "first_xxxxxxxxxx…xxxxxxxxxx_last" in text.getvalue()
    for name in ("[bold]price[/]", "[red]buy[/] rate", "[dim]log"):
        assert name in text.getvalue()
    assert "66.67" in text.getvalue()
