"""Photographs lie under one folder, the data root; nothing else may be read."""

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
        self._folders: dict[str, bool] = {}

    def path(self, name: str) -> str:
        """The full path of a name relative to the root."""
        return os.path.join(self.folder, name)

    def path_problem(self, name: str) -> str | None:
        """Says whether a path leaves the root; None if it does not. The file is not opened."""
        if problem := name_problem(name):
            return problem
        if not self._stays_inside(self.path(name)):
            return "a symbolic link leads out of the data root"
        return None

    def file_problem(self, name: str) -> str | None:
        """Says whether a path leaves the root or is no file with content; None if all is well."""
        if problem := self.path_problem(name):
            return problem
        path = self.path(name)
        if not os.path.isfile(path):
            return "no such file" if not os.path.exists(path) else "not a file"
        if not os.path.getsize(path):
            return "the file is empty"
        return None

    def _stays_inside(self, path: str) -> bool:
        folder = os.path.dirname(path)
        if folder not in self._folders:
            self._folders[folder] = self._is_inside(folder)
        return self._folders[folder] and (not os.path.islink(path) or self._is_inside(path))

    def _is_inside(self, path: str) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(self.folder)
