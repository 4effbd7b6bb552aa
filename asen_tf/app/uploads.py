"""Photographs that visitors sent, kept in memory for a while."""

import secrets
import threading
from typing import NamedTuple

import cachetools
import numpy as np

from asen_tf.app import problems
from asen_tf.app.limits import MEGABYTE
from asen_tf.app.photographs import Photograph


class Upload(NamedTuple):
    """A visitor's photograph, and its unit vectors, float32 [A, D]."""

    photograph: Photograph
    vectors: np.ndarray


class Uploads:
    """Keeps the latest photographs under names that cannot be guessed.

    Args:
      max_bytes: of all that is kept.
    """

    def __init__(self, max_bytes: int):
        self._kept = cachetools.LRUCache(max_bytes, _size)
        self._lock = threading.Lock()

    def add(self, upload: Upload) -> str:
        """Keeps a photograph; gives its name.

        Raises:
          Problem: it is larger than all that may be kept.
        """
        name = secrets.token_urlsafe(16)
        with self._lock:
            if _size(upload) > self._kept.maxsize:
                limit = f"{self._kept.maxsize / MEGABYTE:g} MB"
                raise problems.too_large("The photograph", limit)
            self._kept[name] = upload
        return name

    def get(self, name: str) -> Upload:
        """The photograph of this name; raises Problem where it was forgotten."""
        with self._lock:
            found = self._kept.get(name)
        if found is None:
            raise problems.photograph_gone()
        return found


def _size(upload: Upload) -> int:
    return len(upload.photograph.encoded) + upload.vectors.nbytes
