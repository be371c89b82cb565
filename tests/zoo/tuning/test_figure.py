"""The figure of a study holds names and values of any length and script."""

import itertools

import pytest
from matplotlib.figure import Figure

from zoo.tuning.figure import plot_study
from zoo.tuning.search_space import SearchSpace

SPACE = SearchSpace(
    {
        "hidden_units": [(400, 400, 400), (200, 200), (64,)],
        "embedding_dim": (8, 64, "log"),
        "dropout": (0.0, 0.5),
        "embedding_batch_size": (1024, 2048),
    },
    {"model": "dcn_v2"},
)
OUTCOMES = ["complete", "complete", "pruned", "failed", "complete", "pruned"]


def rows():
    return [
        {
            "trial": number,
            "outcome": outcome,
            "auc": None if outcome == "failed" else 0.7 + 0.01 * number,
            **{
                name: candidates.ends()[number % len(candidates.ends())]
                for name, candidates in SPACE.candidates.items()
            },
        }
        for number, outcome in enumerate(OUTCOMES, 1)
    ]


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    def drawn(title):
        saved = []
        save = Figure.savefig

        def keep(figure, *rest, **options):
            save(figure, *rest, **options)
            saved.append(figure)

        monkeypatch.setattr(Figure, "savefig", keep)
        plot_study(rows(), SPACE, title, tmp_path / "study.png")
        figure = saved[0]
        # The file had another resolution.
        figure.draw_without_rendering()
        return figure

    return drawn


def box(text):
    return text.get_window_extent()


@pytest.mark.parametrize(
    "title",
    ["dcn", "/data/" + "long_folder/" * 12, "日志" * 50],
    ids=["short", "path", "script"],
)
def test_texts_stay_inside(drawn, title):
    figure = drawn(title)
    [legend] = figure.legends
    for text in (*figure.texts, *legend.get_texts()):
        assert 0 <= box(text).x0 <= box(text).x1 <= figure.bbox.width


def test_there_is_a_panel_for_each_setting(drawn):
    panels = drawn("dcn").axes
    assert [axes.get_xlabel() for axes in panels] == [
        "trial",
        *SPACE.candidates,
    ]


def test_ticks_do_not_touch_each_other(drawn):
    for axes in drawn("dcn").axes:
        low, high = axes.get_xlim()
        shown = [
            box(label)
            for tick, label in zip(
                axes.get_xticks(), axes.get_xticklabels(), strict=True
            )
            if label.get_text() and low <= tick <= high
        ]
        assert len(shown) > 1, axes.get_xlabel()
        for one, next_one in itertools.pairwise(shown):
            assert one.x1 < next_one.x0, axes.get_xlabel()


def test_the_best_so_far_counts_complete_trials_alone(drawn):
    figure = drawn("dcn")
    [line] = [x for x in figure.axes[0].lines if x.get_label() == "best so far"]
    assert [*line.get_xdata()] == [1, 2, 5, 6]
    assert [*line.get_ydata()] == pytest.approx([0.71, 0.72, 0.75, 0.75])
    failed = [x for x in figure.axes[0].lines if x.get_label() == "failed"]
    assert [*failed[0].get_xdata()] == [4]
