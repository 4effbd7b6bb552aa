"""Letters of any script: from the fonts of this machine that have them."""

import contextlib
import functools
import re
import unicodedata
from collections.abc import Container

from matplotlib import font_manager

from asen_tf.core.progress import say

FONT = "DejaVu Sans"  # comes with matplotlib
_NO_LETTERS = "Last Resort"  # comes with it, too, and has a box for every letter there is

_CONTROLS = re.compile(r"[\0-\x1f\x7f-\x9f\u2028\u2029]+")
_EMPTY = "\u25a1"
_CJK = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "FULLWIDTH", "IDEOGRAPHIC")


def drawable(string: str) -> str:
    """One line that can be drawn: line breaks are blanks, a letter that no font has is a box."""
    string = unicodedata.normalize("NFC", _CONTROLS.sub(" ", string))
    return "".join(map(_drawable_letter, string))


def families(string: str) -> list[str]:
    """The fonts that a line is drawn in: `FONT`, and those that have the letters that it lacks."""
    return list(dict.fromkeys([FONT, *filter(None, map(_family, string))]))


@functools.cache
def _drawable_letter(letter: str) -> str:
    if unicodedata.category(letter) == "Cf":  # joins or turns letters, and is none
        return ""
    if _family(letter):
        return letter
    _say_missing(unicodedata.name(letter, "UNKNOWN").split()[0])
    return _EMPTY


@functools.cache
def _family(letter: str) -> str | None:
    if ord(letter) in _letters(font_manager.findfont(FONT)):
        return FONT
    return next((e.name for e in _entries() if ord(letter) in _letters(e.fname)), None)


@functools.cache
def _entries() -> list[font_manager.FontEntry]:
    """All fonts, the plainest first, with those that came after matplotlib made its list."""
    manager = font_manager.fontManager
    known = {entry.fname for entry in manager.ttflist}
    for file in sorted(set(font_manager.findSystemFonts()) - known):
        with contextlib.suppress(Exception):  # many types, of files that are no fonts
            manager.addfont(file)
    return sorted(
        (entry for entry in manager.ttflist if not entry.name.startswith(_NO_LETTERS)),
        key=lambda e: ("Sans" not in e.name, e.style != "normal", e.weight != 400, e.name, e.fname),
    )


@functools.cache
def _letters(file: str) -> Container[int]:
    try:
        font = font_manager.get_font(file)
    except (OSError, RuntimeError):  # gone, or of bitmaps
        return ()
    return font.get_charmap().keys() if font.scalable else ()


@functools.cache
def _say_missing(script: str) -> None:
    advice = "Noto Sans CJK" if script in _CJK else f"Noto Sans {script.title()}"
    package = "fonts-noto-cjk" if script in _CJK else "fonts-noto-core"
    say(
        f"no font of this machine has all letters of {script}: some are drawn as boxes. Install "
        f"one that has, such as {advice} (Debian: apt install {package})"
    )
