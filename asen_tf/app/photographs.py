"""Photographs of visitors and of the catalogue: checked before they are decoded, made small."""

import contextlib
import logging
import secrets
import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cachetools
import numpy as np

from asen_client.images.boxes import Box, checked_box
from asen_tf import images
from asen_tf.app import problems
from asen_tf.app.limits import MEGABYTE
from asen_tf.catalogue import Catalogue, Record
from asen_tf.catalogue.indexing import BOX
from asen_tf.data.root import is_url
from asen_tf.photographs import Source

_LOG = logging.getLogger(__name__)


class Photograph(NamedTuple):
    """An encoded photograph, and its size in pixels when it is upright."""

    encoded: bytes
    width: int
    height: int


def received(encoded: bytes, max_pixels: int) -> Photograph:
    """A photograph and the size that it declares, undecoded; Problem: none, or too large."""
    with _told(max_pixels):
        height, width = images.size_of(encoded, max_pixels)
    return Photograph(encoded, width, height)


def preview(encoded: bytes, side: int, max_pixels: int) -> bytes:
    """A small picture as JPEG, upright, its longer side `side` pixels at most.

    Raises:
      Problem: it is no image, is broken, or has more pixels than `max_pixels`.
    """
    with _told(max_pixels):
        return images.thumbnail(encoded, side, max_pixels)


class Upload(NamedTuple):
    """A visitor's photograph, its unit vectors, float32 [A, D], and the garment's box in it."""

    photograph: Photograph
    vectors: np.ndarray
    box: Box | None = None


class Uploads:
    """Keeps the latest photographs under names that cannot be guessed.

    Args:
      max_bytes: of all that is kept.
    """

    def __init__(self, max_bytes: int):
        self._kept = cachetools.LRUCache(max_bytes, _size)
        self._lock = threading.Lock()

    def add(self, upload: Upload) -> str:
        """Keeps a photograph and gives its name; Problem where it exceeds all that may be kept."""
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
            title = "The photograph is no longer kept here."
            raise problems.Problem(410, "photograph_gone", title, "Choose it again.")
        return found


def _size(upload: Upload) -> int:
    return len(upload.photograph.encoded) + upload.vectors.nbytes


class Pictures:
    """Reads items' photographs, and makes and keeps small ones.

    A photograph is what the item's metadata `image` names, or else its id; its metadata `box` is
    that of the garment.

    Args:
      source: of the photographs.
      max_pixels: of a photograph.
      kept_bytes: of small pictures in memory.
    """

    def __init__(self, catalogue: Catalogue, source: Source, max_pixels: int, kept_bytes: int):
        self._catalogue = catalogue
        self._source = source
        self._max_pixels = max_pixels
        self._small = cachetools.LRUCache(kept_bytes, len)
        self._lock = threading.Lock()

    def read(self, items: Sequence[str]) -> list[tuple[bytes, Box | None] | None]:
        """The encoded photographs of items and boxes in them, None where there is no photograph.

        Problem: an unknown item.
        """
        contents = [(self._content(name), record) for name, record in self._named(items)]
        return [content and (content, _box(record)) for content, record in contents]

    def small(self, item: str, side: int) -> bytes:
        """A small picture of an item as JPEG; Problem: an unknown item, or no photograph."""
        [(name, _)] = self._named([item])
        # Of a URL, what was embedded tells of a change.
        version = self._source.version(name) or self._catalogue.engine.marks([item]).get(item)
        key = (name, version, side)
        with self._lock:
            found = self._small.get(key)
        if found is None:
            content = self._content(name)
            if content is None:
                title = "The item's photograph is not at hand."
                raise problems.Problem(404, "no_picture", title, "See --images of asen-app.")
            found = preview(content, side, self._max_pixels)
            with self._lock:
                self._small[key] = found
        return found

    def any_there(self, items: Sequence[str]) -> bool:
        """Whether one of these items has its photograph under the root, or behind a URL."""
        return any(is_url(name) or self._source.version(name) for name, _ in self._named(items))

    def _content(self, name: str) -> bytes | None:
        try:
            return self._source.read(name).content
        except (OSError, ValueError) as error:
            _LOG.info("%s: %s", name, error)
            return None

    def _named(self, items: Sequence[str]) -> list[tuple[str, Record]]:
        """What names each item's photograph, and what is known of the item."""
        with problems.store_problems():
            records = self._catalogue.engine.records(items)
        return [
            (str(record.metadata.get("image") or item), record)
            for item, record in zip(items, records, strict=True)
        ]


def _box(record: Record) -> Box | None:
    """What asen-index noted, and no other text."""
    try:
        return checked_box(str(record.metadata.get(BOX)).split())
    except ValueError:
        return None


@contextlib.contextmanager
def _told(max_pixels: int) -> Iterator[None]:
    """Turns what reading raises into problems."""
    try:
        yield
    except images.TooManyPixels as error:
        title = f"The photograph has {error.declared} pixels, which is too large."
        advice = f"The limit is {max_pixels / 1e6:g} megapixels; scale it down first."
        raise problems.Problem(413, "too_large", title, advice) from error
    except images.UnknownKind as error:
        raise problems.no_photograph("it is in none of the known formats") from error
    except images.UNREADABLE as error:
        raise problems.no_photograph("it is broken") from error
