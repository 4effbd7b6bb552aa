"""Photographs by the names that a table gives them."""

import collections
import hashlib
import os
import threading
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import NamedTuple

from asen_client.images.boxes import Box, Boxed, text
from asen_tf.core.files import version
from asen_tf.core.remote import Remote
from asen_tf.data.root import Root, is_url, name_problem
from asen_tf.photographs.cache import Cache
from asen_tf.photographs.fetched import Fetched, Unreachable, too_large
from asen_tf.photographs.stores import STORES, Stores

# A host from which so many photographs in a row were not to be had, after all attempts, is not
# asked again.
_MOST_FAILED = 20

# Seconds before a second attempt, twice as many before each one more; and at most.
_PAUSE, _MOST_WAITED = 0.5, 30.0


def mark_of(version: str, box: str | None) -> str:
    """The mark of a photograph of a version, and of its box: what vectors were made of."""
    return f"{version} {box}" if version and box else version


class Found(NamedTuple):
    """A photograph, encoded, and a text that tells whether it has changed since; no blanks."""

    content: bytes
    version: str


class Read(NamedTuple):
    """A photograph, with its box if it has one, and its mark, see `mark_of`."""

    photograph: bytes | Boxed
    mark: str


def boxed(found: Found, box: Box | None) -> Read:
    """A photograph and the box of what counts in it."""
    if box is None:
        return Read(*found)
    return Read(Boxed(found.content, box), mark_of(found.version, text(box)))


class Source:
    """Photographs by name: a path relative to a root, file://, http://, https://, s3:// or gs://.

    Threads may share it. A host that gives nothing is left alone until another `Source` is made.

    Args:
      root: folder of the paths, which they, and file://, do not leave; or a URL that they follow.
      follow_links: whether links may lead out of the folder.
      remote: how URLs are read; None: as `Remote` does by default.
    """

    def __init__(
        self, root: str | os.PathLike, follow_links: bool = False, remote: Remote | None = None
    ):
        root = os.fspath(root)
        self._base = root.rstrip("/") + "/" if is_url(root) else ""
        self._root = None if self._base else Root(root, follow_links)
        self._settings = remote or Remote()
        self._cache = Cache(self._settings.folder, self._settings.cache_bytes)
        self._readers = {}
        self._failed = collections.Counter()  # by host, in a row
        self._lock = threading.Lock()

    def version(self, name: str) -> str | None:
        """That of `read`, without reading; None where only reading tells, or nothing is there."""
        try:
            place = self._place(name)
            if is_url(place) or self._root.path_problem(place):
                return None
        except ValueError:
            return None
        return version(self._root.path(place)) or None

    def read(self, name: str, known: str = "") -> Found | None:
        """A photograph; None where it is still the one of the version `known`.

        Raises:
          ValueError, OSError: there is none; says why.
        """
        place = self._place(name)
        if is_url(place):
            return self._remote(place, known)
        if problem := self._root.file_problem(place):
            raise ValueError(problem)
        path = self._root.path(place)
        found = version(path)  # before the content: what comes then is read again
        if (size := os.path.getsize(path)) > self._settings.max_bytes:
            raise too_large(size, self._settings.max_bytes)
        return Found(Path(path).read_bytes(), found)

    def _place(self, name: str) -> str:
        """A URL, or a path relative to the root."""
        scheme, _, rest = name.partition("://")
        if not is_url(name):
            if self._root:
                return name
            if problem := name_problem(name):
                raise ValueError(problem)
            is_web = self._base.startswith("http")
            return self._base + (urllib.parse.quote(name) if is_web else name)
        if scheme.lower() != "file":
            return f"{scheme.lower()}://{rest}"
        path = urllib.request.url2pathname(rest.removeprefix("localhost"))
        if not path.startswith("/") or not self._root:
            raise ValueError("expected file:///PATH, of a file under a root on this machine")
        folder = os.path.realpath(os.path.dirname(path))
        return os.path.relpath(os.path.join(folder, os.path.basename(path)), self._root.folder)

    def _remote(self, url: str, known: str) -> Found | None:
        key = hashlib.sha256(url.encode()).hexdigest()
        of, content_known, validator = [*known.split("-", 2), "", ""][:3]
        same = of == key[:16]
        kept = None if same else self._cache.get(key)
        asked = urllib.parse.unquote(validator) if same else kept.validator if kept else ""
        fetched = self._fetched(url, asked)
        if fetched is None and same:
            return None
        if fetched is None:
            fetched = kept
        elif not fetched.content:
            raise ValueError("the file is empty")
        else:
            self._cache.put(key, *fetched)
        digest = hashlib.sha256(fetched.content).hexdigest()[:16]
        if digest == content_known:
            return None
        validator = urllib.parse.quote(fetched.validator, safe="")
        return Found(fetched.content, f"{key[:16]}-{digest}-{validator}")

    def _fetched(self, url: str, validator: str) -> Fetched | None:
        """From where the URL says, after some attempts."""
        reader, host = self._reader(url), url.split("/", 3)[2]
        with self._lock:
            if self._failed[host] >= _MOST_FAILED:
                raise ValueError(
                    f"{host} did not give {_MOST_FAILED} photographs in a row, and was not asked "
                    "again"
                )
        for attempt in range(self._settings.attempts):
            try:
                found = reader.fetch(url, validator)
                self._note(host, failed=False)
                return found
            except Unreachable as error:
                failure = error
            except ValueError:
                self._note(host, failed=False)
                raise
            if attempt + 1 < self._settings.attempts:
                time.sleep(min(max(failure.after, _PAUSE * 2**attempt), _MOST_WAITED))
        self._note(host, failed=True)
        tried = self._settings.attempts
        raise ValueError(f"{failure}" + (f", in {tried} attempts" if tried > 1 else ""))

    def _note(self, host: str, failed: bool) -> None:
        with self._lock:
            self._failed[host] = self._failed[host] + 1 if failed else 0

    def _reader(self, url: str):
        scheme = url.partition("://")[0]
        with self._lock:
            if scheme not in self._readers:
                self._readers[scheme] = self._made(scheme)
            return self._readers[scheme]

    def _made(self, scheme: str):
        if scheme in STORES:
            return Stores(self._settings)
        if scheme not in ("http", "https"):
            raise ValueError(
                f"{scheme}:// is not read; expected a path, https://, http://, s3://, gs:// or "
                "file://"
            )
        try:
            from asen_tf.photographs.http import Http
        except ImportError as error:
            raise ValueError(f'{scheme}:// needs pip install "asen_tf[remote]"') from error
        return Http(self._settings)
