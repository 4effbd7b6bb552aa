"""Photographs lie under one folder, the data root; nothing else may be read."""

import functools
import os
from pathlib import Path


def name_problem(name: str) -> str | None:
    """Says whether a path leaves the root by its text alone; None if it does not."""
    if os.path.isabs(name) or ".." in name.replace("\\", "/").split("/"):
        return "the path leaves the data root; expected one relative to it, without '..'"
    return None


class Root:
    """A folder that paths must not leave, be it by their text or over symbolic links.

    Attributes:
      folder: the folder, all links resolved.
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = os.path.realpath(folder)
        self._folder_inside = functools.cache(self._is_inside)

    def path(self, name: str) -> str:
        """The full path of a name relative to the root."""
        return os.path.join(self.folder, name)

    def path_problem(self, name: str) -> str | None:
        """Says whether a path leaves the root; None if it does not. The file is not opened."""
        if problem := name_problem(name):
            return problem
        path = self.path(name)
        folder_inside = self._folder_inside(os.path.dirname(path))
        if not folder_inside or (os.path.islink(path) and not self._is_inside(path)):
            return "a symbolic link leads out of the data root"
        return None

    def file_problem(self, name: str) -> str | None:
        """Says whether a path leaves the root or is no file with content; None if all is well."""
        if problem := self.path_problem(name):
            return problem
        path = self.path(name)
        if not os.path.isfile(path):
            return "not a file" if os.path.exists(path) else "no such file"
        return None if os.path.getsize(path) else "the file is empty"

    def _is_inside(self, path: str) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(self.folder)
