"""The photographs of the catalogue's items, read from under one folder."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import cachetools

from asen_tf.app import photographs, problems
from asen_tf.catalogue import Catalogue
from asen_tf.data.root import Root


class Pictures:
    """Reads items' photographs, and makes and keeps small ones.

    A photograph lies where the item's metadata `image` says, or else its id, under the root.

    Args:
      catalogue: knows the items.
      root: folder that no photograph may lie outside of.
      max_pixels: of a photograph.
      kept_bytes: of small pictures in memory.
    """

    def __init__(self, catalogue: Catalogue, root: Root, max_pixels: int, kept_bytes: int):
        self._catalogue = catalogue
        self._root = root
        self._max_pixels = max_pixels
        self._small = cachetools.LRUCache(kept_bytes, len)
        self._lock = threading.Lock()

    def read(self, items: Sequence[str]) -> list[bytes | None]:
        """The encoded photographs of items; None where there is none.

        Raises:
          Problem: an unknown item.
        """
        return [path and Path(path).read_bytes() for path in self._paths(items)]

    def small(self, item: str, side: int) -> bytes:
        """A small picture of an item as JPEG.

        Raises:
          Problem: an unknown item, or there is no photograph.
        """
        [path] = self._paths([item])
        if path is None:
            title = "The item's photograph is not at hand."
            raise problems.Problem(404, "no_picture", title, "See --images of asen-app.")
        key = (path, os.stat(path).st_mtime_ns, side)
        with self._lock:
            found = self._small.get(key)
        if found is None:
            found = photographs.preview(Path(path).read_bytes(), side, self._max_pixels)
            with self._lock:
                self._small[key] = found
        return found

    def any_there(self, items: Sequence[str]) -> bool:
        """Whether one of these items has its photograph under the root."""
        return any(self._paths(items))

    def _paths(self, items: Sequence[str]) -> list[str | None]:
        with problems.store_problems():
            records = self._catalogue.engine.records(items)
        named = [
            str(record.metadata.get("image") or item)
            for item, record in zip(items, records, strict=True)
        ]
        return [None if self._root.file_problem(name) else self._root.path(name) for name in named]
