"""Photographs lie under one folder, the data root; nothing else may be read."""

import functools
import os
import re
import unicodedata
from pathlib import Path

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")

LEADS_OUT = "a symbolic link leads out of the data root"
FOLLOW_ADVICE = (
    "data.follow_links=true (--follow_links) reads photographs that are links to other folders; or "
    "name a folder above both as the root"
)


def is_url(text: str) -> bool:
    """Whether a table names a photograph by a URL, not by a path."""
    return "://" in text and bool(_URL.match(text))


def clean_name(text: str) -> str:
    """A path as tables have it, spelled in one way: no blanks around it, no `./`, no `//`, NFC."""
    text = text.strip()
    if is_url(text):
        return text
    parts = [p for p in unicodedata.normalize("NFC", text).split("/") if p not in ("", ".")]
    return "/" * text.startswith("/") + "/".join(parts)


def name_problem(name: str) -> str | None:
    """Says whether a path leaves the root, or is none, by its text alone; None if all is well."""
    if "\0" in name:
        return "no path: it holds a character NUL"
    if is_url(name):
        return "a URL, which asen-index and asen-embed read; expected a path here"
    if os.path.isabs(name) or ".." in name.replace("\\", "/").split("/"):
        return "the path leaves the data root; expected one relative to it, without '..'"
    return None


class Root:
    """A folder that paths must not leave, be it by their text or over symbolic links.

    Attributes:
      folder: the folder, all links resolved.

    Args:
      folder: any path of it.
      follow_links: whether links may lead out of it.
    """

    def __init__(self, folder: str | os.PathLike, follow_links: bool = False):
        self.folder = os.path.realpath(folder)
        self._follow_links = follow_links
        self._folder_inside = functools.cache(self._is_inside)

    def path(self, name: str) -> str:
        """The full path of a name relative to the root."""
        return os.path.join(self.folder, self.spelled(name))

    def spelled(self, name: str) -> str:
        """The name as the disk spells it: accents have two Unicode forms, which look the same."""
        if name.isascii():
            return name
        forms = (name, *(unicodedata.normalize(form, name) for form in ("NFC", "NFD")))
        return next((f for f in forms if os.path.lexists(os.path.join(self.folder, f))), name)

    def path_problem(self, name: str) -> str | None:
        """Says whether a path leaves the root; None if it does not. The file is not opened."""
        if problem := name_problem(name):
            return problem
        if self._follow_links:
            return None
        path = self.path(name)
        folder_inside = self._folder_inside(os.path.dirname(path))
        if not folder_inside or (os.path.islink(path) and not self._is_inside(path)):
            return LEADS_OUT
        return None

    def file_problem(self, name: str) -> str | None:
        """Says whether a path leaves the root or is no file with content; None if all is well."""
        if problem := self.path_problem(name):
            return problem
        path = self.path(name)
        if not os.path.isfile(path):
            if os.path.exists(path):
                return "not a file"
            return "no such file" + ("; write / instead of \\" if "\\" in name else "")
        return None if os.path.getsize(path) else "the file is empty"

    def _is_inside(self, path: str) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(self.folder)
