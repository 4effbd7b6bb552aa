"""Texts of any script in figures. Case 36-letters-as-boxes."""

import warnings

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from asen_tf.figures import fonts, style
from asen_tf.figures.picture import encode


def forget():
    for cached in (fonts._drawable_letter, fonts._family, fonts._entries, fonts._say_missing):
        cached.cache_clear()


@pytest.fixture
def installed(monkeypatch):
    """A function that makes some font files those of the system; matplotlib has its own."""
    own = [e for e in font_manager.fontManager.ttflist if e.name.startswith("DejaVu")]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)

    def installed(*files):
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [*map(str, files)])
        forget()

    yield installed
    forget()


def font(path, letters):
    """A font in which each of the letters is a black square."""
    pen = TTGlyphPen(None)
    for corner in ((0, 0), (0, 900), (900, 900), (900, 0)):
        (pen.lineTo if corner != (0, 0) else pen.moveTo)(corner)
    pen.closePath()
    glyph, names = pen.glyph(), [".notdef", *(f"u{ord(letter):04X}" for letter in letters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(dict(zip(map(ord, letters), names[1:], strict=True)))
    builder.setupGlyf(dict.fromkeys(names, glyph))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=900, descent=0)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return path


def drawn(string):
    """The picture of a line, without a warning of matplotlib."""
    axes = style.page(2, 0.4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        style.text(axes, 0.1, 0.3, string, width=1.8)
        return encode(axes.figure, ".png")


def test_letters_come_from_a_font_that_has_them(installed, tmp_path, capsys):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    sans, serif = font(tmp_path / "Some Sans.ttf", "品色"), font(tmp_path / "A Serif.ttf", "品한")
    installed(broken, serif, sans)
    assert fonts.families("color 品色") == ["DejaVu Sans", "Some Sans"]
    assert fonts.families("한") == ["DejaVu Sans", "A Serif"]
    assert drawn("品色") != drawn("品品品") and drawn("品色") == drawn("色品")
    assert style.text_width("品色", 72) == pytest.approx(2, abs=0.01)
    assert capsys.readouterr().err == ""


def test_a_script_without_a_font_is_said_once(installed, tmp_path, capsys):
    installed(font(tmp_path / "Last Resort High-Efficiency.ttf", "品色"))
    assert drawn("red 品") == drawn("red 色") == drawn("red □")
    [said] = capsys.readouterr().err.splitlines()
    assert "CJK" in said and "fonts-noto-cjk" in said
    assert fonts.drawable("ꦲ") == "□"
    assert "Noto Sans Javanese" in capsys.readouterr().err


def test_a_line_is_one_line_in_one_unicode_form(installed):
    installed()
    assert fonts.drawable("long\r\nsleeve\tx") == "long sleeve x"
    assert fonts.drawable("e\u0301te\u0301") == fonts.drawable("\xe9t\xe9") == "\xe9t\xe9"
    assert fonts.drawable("a\u200d\u202eb") == "ab"
    assert drawn("$x$ \\alpha _^%") and np.isfinite(style.text_width("", 8))
