"""Photographs that were read over a network, kept in a folder up to a number of bytes."""

import contextlib
import hashlib
import os
import threading
from pathlib import Path

from asen_tf.core.files import written_whole
from asen_tf.photographs.fetched import Fetched

# Room is made for this part of the bound at once.
_SPARE = 0.1


class Cache:
    """A folder of photographs by keys, which processes may share; the latest used ones stay.

    A file is the SHA-256 of its content, a line with the validator, the content. What is damaged is
    not there. Where the disk is full, or the folder cannot be written, nothing is kept.

    Args:
      folder: made with the first photograph.
      most: bytes of all; 0: nothing is kept.
    """

    def __init__(self, folder: Path, most: int):
        self._folder, self._most = folder, most
        self._lock = threading.Lock()
        self._room = 0.0  # bytes until the folder is looked at again

    def get(self, key: str) -> Fetched | None:
        """What is kept of a key."""
        if not self._most:
            return None
        path = self._path(key)
        try:
            digest, validator, content = path.read_bytes().split(b"\n", 2)
            os.utime(path)
        except (OSError, ValueError):
            return None
        if hashlib.sha256(validator + content).hexdigest().encode() != digest:
            return None
        return Fetched(content, validator.decode("ascii", "replace"))

    def put(self, key: str, content: bytes, validator: str) -> None:
        """Keeps a photograph in place of what was kept of the key."""
        size = len(content)
        if size > _SPARE * self._most:
            return
        note = validator.encode("ascii")
        digest = hashlib.sha256(note + content).hexdigest().encode()
        with contextlib.suppress(OSError):
            path = self._path(key)
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock:
                self._room -= size
                if self._room < 0:
                    self._make_room()
                    self._room -= size
            with written_whole(path) as draft:
                draft.write_bytes(b"\n".join((digest, note, content)))

    def _make_room(self) -> None:
        """Deletes those that were not used for the longest time, until there is room again."""
        found = []
        for path in self._folder.glob("*/[!.]*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= (1 - _SPARE) * self._most:
                break
            path.unlink(missing_ok=True)
            total -= size
        self._room = self._most - total

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key
