"""Text for a terminal: names and values from files are shown and never obeyed."""

import re
import sys
from typing import Any, TextIO

# C0 and C1 but tab and line feed, delete, and what ends lines or turns their direction round.
_CONTROLS = "\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_OF_LINES = re.compile(f"[{_CONTROLS}]")
_OF_NAMES = re.compile(f"[{_CONTROLS}\t\n]")
# By which bars of progress draw over themselves.
_OF_BARS = re.compile(r"\r|\n*(?:\x1b\[A)*\Z")


def printable(name: object) -> str:
    """A name or value as part of one line, its control characters as Python writes them."""
    return _OF_NAMES.sub(_escaped, str(name))


def one_line(text: str) -> str:
    """A text of one line, as an example of many: a blank for each sign that cannot be printed."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def guard() -> None:
    """From now on, control characters that are written to stdout and stderr are escaped.

    What an encoding lacks is escaped as well.
    """
    sys.stdout, sys.stderr = _Guarded(sys.stdout), _Guarded(sys.stderr, of_bars=True)


def _escaped(found: re.Match) -> str:
    return found[0].encode("unicode_escape").decode()


class _Guarded:
    def __init__(self, stream: TextIO, of_bars: bool = False):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
        self._stream, self._of_bars = stream, of_bars

    def write(self, text: str) -> int:
        kept = _OF_BARS.match(text).end() if self._of_bars and _OF_BARS.match(text) else 0
        self._stream.write(text[:kept] + _OF_LINES.sub(_escaped, text[kept:]))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
