"""The figures of a study hold names of any length and script."""

from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from zoo.scaling import figures
from zoo.scaling.results import read_runs

STUDY = Path(__file__).parents[3] / "benchmarks/results/scaling/gowalla_faster"


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Returns the figure that a function has saved."""

    def drawn(plot, *arguments):
        saved = []
        save = Figure.savefig

        def keep(figure, *rest, **options):
            save(figure, *rest, **options)
            saved.append(figure)

        monkeypatch.setattr(Figure, "savefig", keep)
        plot(*arguments, tmp_path / "figure.png")
        return saved[0]

    return drawn


def check_inside(figure):
    # The file had another resolution.
    figure.draw_without_rendering()
    texts = list(figure.texts)
    for axes in figure.axes:
        legend = axes.get_legend()
        texts += legend.get_texts() if legend else []
    assert texts
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.width


@pytest.mark.parametrize(
    "name",
    ["/data/" + "long_folder/" * 12, "日志" * 50],
    ids=["path", "script"],
)
@pytest.mark.parametrize("plot", ["metrics", "seconds", "clipped_share"])
def test_long_names_stay_inside(drawn, plot, name):
    reports = [
        replace(report, data=name, hardware=name, variant=name)
        for report in read_runs(STUDY).values()
    ]
    if plot == "clipped_share":
        figure = drawn(figures.plot_clipped_share, reports, name)
    else:
        rows = [report.row() for report in reports]
        figure = drawn(getattr(figures, f"plot_{plot}"), rows)
    assert figure.get_suptitle().count("\n") > 0
    check_inside(figure)


@pytest.mark.parametrize("count", [3, 12])
def test_many_names_stand_beside_the_panels(drawn, count):
    report = next(iter(read_runs(STUDY).values()))
    rows = [
        replace(report, variant=f"variant {number}").row()
        for number in range(count)
    ]
    figure = drawn(figures.plot_metrics, rows)
    [axes, *_] = figure.axes
    assert bool(figure.legends) == (axes.get_legend() is None) == (count == 12)
    check_inside(figure)
