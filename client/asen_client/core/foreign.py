"""Files from outside, of which nothing is known before they are read."""

import contextlib
import os
import re
from collections.abc import Iterator

_POINTERS = {
    re.compile(rb"version https://git-lfs.github.com/spec/"): ("Git LFS", "git lfs pull"),
    re.compile(rb"[^\0-\x1f]*[/\\]annex[/\\]objects[/\\]"): ("git-annex", "git annex get"),
}
# What Git and archives leave of a link where links cannot be made: the path that it led to, which
# is that of a file where it begins as any text.
_LINK = re.compile(
    rb"(?:\.\.?/|/)[^\0-\x1f]{1,500}|[^\0-\x1f]{1,500}\.(?P<ending>[A-Za-z0-9]{1,5})"
)
_SHOWN = 80


class FormatError(ValueError):
    """A file is not what its reader takes.

    Attributes:
      source: the file.
      line: counted from 1, 0 where it has none.
      byte: counted from 0, None where it is not known.
    """

    def __init__(
        self, source: str | os.PathLike, message: str, *, line: int = 0, byte: int | None = None
    ):
        self.source, self.line, self.byte = os.fspath(source), line, byte
        place = f":{line}" if line else "" if byte is None else f", byte {byte}"
        super().__init__(f"{self.source}{place}: {message}")


@contextlib.contextmanager
def reading(path: str | os.PathLike, expected: str) -> Iterator[None]:
    """Whatever a library raises while it reads a file becomes a FormatError that names it.

    Args:
      path: of the file.
      expected: what it should be.
    """
    try:
        yield
    except (FormatError, FileNotFoundError):
        raise
    except Exception as error:
        raise FormatError(path, stand_in_of(path) or f"{expected} ({str(error)[:200]})") from error


def check_stand_in(path: str | os.PathLike, source: str | None = None) -> None:
    """Raises FormatError where something else lies in the place of a file, see `stand_in`.

    Args:
      path: of the file.
      source: what the message calls it; None: its path.
    """
    if found := stand_in_of(path):
        raise FormatError(path if source is None else source, found)


def stand_in_of(path: str | os.PathLike) -> str | None:
    """See `stand_in`; a link led to a file of the same kind, unlike a list of one name."""
    with open(path, "rb") as file:
        head = file.read(512)
    link = _LINK.fullmatch(head)
    ending = os.path.splitext(path)[1].lstrip(".").lower()
    if link and link["ending"] and os.fsdecode(link["ending"]).lower() != ending:
        return None
    return stand_in(head)


def stand_in(head: bytes) -> str | None:
    """Says what often lies in the place of a file, by its first bytes; None: something else."""
    for start, (system, command) in _POINTERS.items():
        if start.match(head):
            return f"it is a pointer of {system}, not the file: fetch that with `{command}`"
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return "it looks like a web page: open it to see what the download said"
    if _LINK.fullmatch(head):
        target = shown(os.fsdecode(head))
        return f"it is a symbolic link to {target} that was copied as a text: copy the file itself"
    return None


def text_lines(path: str | os.PathLike, source: str) -> Iterator[tuple[int, str]]:
    """The lines of a file in UTF-8 and their numbers, from 1.

    Args:
      path: of the file.
      source: what messages call it.

    Raises:
      FormatError: it is not in UTF-8, or a stand-in.
      OSError: it cannot be read.
    """
    check_stand_in(path, source)
    try:
        with open(path, encoding="utf-8-sig") as file:
            yield from enumerate(file, 1)
    except UnicodeDecodeError as error:
        raise not_utf8(path, source) from error


def not_utf8(path: str | os.PathLike, source: str) -> FormatError:
    """Says so of a file that could not be decoded, with the first such line and what it may be."""
    with open(path, "rb") as file:
        wide = file.read(2) in (b"\xff\xfe", b"\xfe\xff")
    found = "UTF-16" if wide else "another encoding, such as Latin-1 or Windows-1252"
    message = f"not UTF-8 but {found}; save it as UTF-8 (in spreadsheets: CSV UTF-8)"
    return FormatError(source, message, line=_bad_line(path))


def _bad_line(path: str | os.PathLike) -> int:
    """The first that is not UTF-8: text is decoded some thousands of bytes at a time."""
    with open(path, "rb") as file:
        for line, raw in enumerate(file, 1):
            if raw.decode("utf-8", "replace") != raw.decode("utf-8", "ignore"):
                return line
    return 0


def shown(value: object) -> str:
    """A text or number of a file as messages show it: as Python writes it, cut where it is long."""
    text = value if isinstance(value, str) else str(value)
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}..."
