import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib import rcParams
from matplotlib.figure import Figure

from zoo.runtime.figure_text import drawable
from zoo.runtime.figure_text import fonts_for
from zoo.runtime.figure_text import wrapped


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Installs a font that has the two characters \u4ef7 and \u683c alone."""
    pen = TTGlyphPen(None)
    for point in ((0, 0), (0, 700), (700, 700)):
        (pen.lineTo if point != (0, 0) else pen.moveTo)(point)
    pen.closePath()
    names = [".notdef", "price", "grid"]
    font = FontBuilder(1000)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({0x4EF7: "price", 0x683C: "grid"})
    font.setupGlyf(dict.fromkeys(names, pen.glyph()))
    font.setupHorizontalMetrics(dict.fromkeys(names, (800, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": "Two Glyphs", "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(tmp_path / "two.ttf")
    manager = font_manager.fontManager
    monkeypatch.setattr(manager, "ttflist", [*manager.ttflist])
    manager.addfont(tmp_path / "two.ttf")


@pytest.fixture
def usual_fonts(monkeypatch):
    """Hides all fonts of this machine but those of Matplotlib."""
    manager = font_manager.fontManager
    own = [e for e in manager.ttflist if "mpl-data" in e.fname]
    monkeypatch.setattr(manager, "ttflist", own)


@pytest.mark.parametrize(
    "text, drawn",
    [
        ("site_1", "site_1"),
        ("$a$", r"\$a\$"),
        ("d\\", "d\\"),
        ("цена", "цена"),
        ("价a", r"\u4ef7a"),
        ("🎉", r"\U0001f389"),
        ("a\tb\n", r"a\u0009b\u000a"),
        ("a" * 41, "a" * 20 + "…" + "a" * 19),
        # No escape is cut.
        ("价" * 10, r"\u4ef7\u4ef7\u4ef7…\u4ef7\u4ef7\u4ef7"),
    ],
)
def test_what_no_font_has_is_escaped(usual_fonts, text, drawn):
    assert drawable(text) == drawn


def test_an_installed_font_draws_what_the_usual_one_lacks(
    usual_fonts, installed, tmp_path
):
    usual = list(rcParams["font.family"])
    assert drawable("a价格户") == r"a价格\u6237"
    with fonts_for(["a价格户"]):
        assert rcParams["font.family"] == [*usual, "Two Glyphs"]
        figure = Figure()
        axes = figure.subplots()
        axes.set_xticks([0, 1], [drawable("价格"), "b"])
        figure.suptitle(drawable("a价格户"))
        # It warns, which is an error here, if there is a box in it.
        figure.savefig(tmp_path / "names.png")
    assert rcParams["font.family"] == usual
    figure = Figure()
    figure.suptitle("价")
    with pytest.warns(UserWarning, match="Glyph 20215 .* missing"):
        figure.savefig(tmp_path / "names.png")


def test_latin_names_need_no_other_font(installed):
    with fonts_for(["site", "$a$"]):
        assert "Two Glyphs" not in rcParams["font.family"]


@pytest.mark.parametrize(
    "text, lines",
    [
        ("", [""]),
        ("deepfm of shop", ["deepfm of", "shop"]),
        ("a\nb", ["a", "b"]),
        ("abc\ndeepfm of shop", ["abc", "deepfm of", "shop"]),
        ("/a/very/long/path", ["/a/very/lo", "ng/path"]),
        ("of /a/very/long", ["of", "/a/very/lo", "ng"]),
        ("价格区间用户", ["价格区间用", "户"]),
        (r"123456789\$", ["123456789", r"\$"]),
        (r"12345\u4ef7", ["12345", r"\u4ef7"]),
    ],
)
def test_lines_are_broken(text, lines):
    assert wrapped(text, 10).split("\n") == lines
