"""A folder of items: what is there, and writing that survives a kill."""

import dataclasses
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import filelock
import numpy as np

from asen_tf.catalogue.items import Items, Record
from asen_tf.catalogue.storage import log as logs
from asen_tf.catalogue.storage.durable import explained, sync_folder
from asen_tf.catalogue.storage.layout import LOCK, STORE, Layout
from asen_tf.catalogue.storage.parts import Part, Row, Segment, Tail, rows_of, write_segment
from asen_tf.core.lock import hold
from asen_tf.embedders import Fingerprint

# A log of so many bytes becomes a segment. As much memory holds its vectors.
LOG_BYTES = 128 * 1024 * 1024

# Attempts of a reader to open files that a writer replaces at the same time.
_ATTEMPTS = 10

_FIRST_LOG = "log-000001"


class ItemStore:
    """Items in a folder, which is made if it is not there and a fingerprint is given.

    Args:
      settings: of the engine, kept with the store.
      read_only: nothing is written, and nobody is kept from writing; the items are those of now.
      on_segment: called with each new segment, which is complete then but does not count yet.

    Raises:
      BlockingIOError: another process writes to it.
      FileNotFoundError, ValueError: no store, a damaged one, or one of another model.
    """

    def __init__(
        self,
        folder: Path,
        fingerprint: Fingerprint | None,
        settings: dict | None = None,
        read_only: bool = False,
        on_segment: Callable[[Segment], None] = lambda segment: None,
    ):
        self.folder = folder
        self._read_only = read_only
        self._on_segment = on_segment
        self._lock: filelock.BaseFileLock | None = None
        self._log: logs.Log | None = None
        try:
            if not read_only:
                self._make(fingerprint, settings or {})
            self._open()
            if fingerprint is not None:
                self.fingerprint.check(fingerprint)
        except BaseException:
            self.close()
            raise

    @property
    def fingerprint(self) -> Fingerprint:
        return self._layout.fingerprint

    @property
    def settings(self) -> dict:
        """What the engine that made the store gave."""
        return self._layout.settings

    @property
    def parts(self) -> list[Part]:
        """All items, in the order in which they were written."""
        return [*self._segments, self._tail]

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def place(self, name: str) -> tuple[Part, int] | None:
        """Part and row of an item; none where there is no such item."""
        return self._places.get(name)

    def put(self, items: Items) -> None:
        """Adds items in place of those of the same ids; on the disk when this returns."""
        rows = rows_of(items)
        self._write({"put": rows}, items.vectors)
        self._add(rows, items.vectors)

    def delete(self, ids: Iterable[str]) -> int:
        """Removes items, on the disk when this returns; gives how many were there."""
        self._check_writable()
        ids = [name for name in dict.fromkeys(ids) if name in self._places]
        if ids:
            self._write({"delete": ids}, np.empty(0, np.float32))
            self._remove(ids)
        return len(ids)

    def record(self, name: str) -> Record:
        part, row = self._places[name]
        return part.record(row)

    def compact(self) -> None:
        """Makes all living items one segment."""
        self._check_writable()
        if len(self._segments) == 1 and not self._log.size and self._segments[0].alive.all():
            return
        with explained(self.folder):
            self._replace_parts(0)

    def close(self) -> None:
        """Lets others write."""
        log, lock = self._log, self._lock
        self._log = self._lock = None
        try:
            if log:
                log.close()
        finally:
            if lock:
                lock.release()

    def _make(self, fingerprint: Fingerprint | None, settings: dict) -> None:
        if fingerprint is None:
            Layout.read(self.folder)
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
            # A process that was killed in these lines leaves only what they make themselves.
            own = {LOCK, _FIRST_LOG, f"{STORE}.new"}
            others = {path.name for path in self.folder.iterdir()} - own
            if others and STORE not in others:
                raise ValueError(f"{self.folder}: neither empty nor a store; name another folder")
            self._lock = hold(
                self.folder / LOCK,
                "has this store open for writing",
                "Wait for it, or open the store read-only",
            )
            if (self.folder / STORE).exists():
                return
            logs.Log(self.folder / _FIRST_LOG).close()
            Layout(fingerprint, settings, (), _FIRST_LOG, 2).write(self.folder)

    def _open(self) -> None:
        for attempt in range(_ATTEMPTS):
            self._layout = Layout.read(self.folder)
            try:
                self._load()
                break
            except FileNotFoundError as error:
                # A writer has replaced the files since.
                if not self._read_only or attempt == _ATTEMPTS - 1:
                    raise ValueError(
                        f"{error.filename} is missing; {STORE} names it. Bring it back from a "
                        "backup, or index the catalogue anew, into another store"
                    ) from None
        if not self._read_only:
            self._layout.remove_others(self.folder)

    def _load(self) -> None:
        self._segments: list[Segment] = []
        self._places: dict[str, tuple[Part, int]] = {}
        for name, check in self._layout.segments:
            segment = Segment(self.folder / name, self._shape, check)
            self._drop(segment.deleted)
            self._take(segment, 0)
            self._segments.append(segment)
        self._tail = Tail(self._shape)
        end, path = 0, self.folder / self._layout.log
        for content, vectors, end in logs.read(path):  # noqa: B007 - the last end counts
            if "delete" in content:
                self._remove(content["delete"])
            else:
                rows = content["put"]
                self._add(rows, vectors.reshape(len(rows), *self._shape))
        if not self._read_only:
            with explained(self.folder):
                self._log = logs.Log(path, end)

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self.fingerprint.attributes), self.fingerprint.dimension

    def _write(self, content: dict, vectors: np.ndarray) -> None:
        self._check_writable()
        with explained(self.folder):
            # Before and not after the write: should it fail, the write has not been made.
            if self._log.size > LOG_BYTES:
                self._seal()
            self._log.append(content, vectors)

    def _check_writable(self) -> None:
        if self._read_only:
            raise ValueError(f"{self.folder} was opened read-only")
        if self._log is None:
            raise ValueError(f"{self.folder} is closed")

    def _add(self, rows: Sequence[Row], vectors: np.ndarray) -> None:
        self._drop(row[0] for row in rows)
        start = len(self._tail)
        self._tail.append(rows, vectors)
        self._take(self._tail, start)

    def _remove(self, ids: Sequence[str]) -> None:
        self._drop(ids)
        self._tail.deleted.update(ids)

    def _drop(self, ids: Iterable[str]) -> None:
        for name in ids:
            if found := self._places.pop(name, None):
                part, row = found
                part.alive[row] = False

    def _take(self, part: Part, start: int) -> None:
        """Makes the rows from `start` on the places of their ids."""
        self._drop(part.ids[start:])
        self._places.update((name, (part, row)) for row, name in enumerate(part.ids[start:], start))

    def _seal(self) -> None:
        """Makes the log a segment, together with the segments before it that are not larger.

        So the sizes of segments grow from the newest to the oldest at least twofold, there are
        few, and an item is copied a number of times that grows with the logarithm of all.
        """
        first, rows = len(self._segments), int(self._tail.alive.sum())
        while first and int(self._segments[first - 1].alive.sum()) < 2 * rows:
            first -= 1
            rows += int(self._segments[first].alive.sum())
        dead = sum(len(part) - int(part.alive.sum()) for part in self._segments)
        self._replace_parts(0 if dead > len(self) else first)

    def _replace_parts(self, first: int) -> None:
        """Makes the log and the segments from number `first` on one segment, and starts a log."""
        old, number = self.parts[first:], self._layout.next
        deleted = set().union(*(part.deleted for part in old)) if first else set()
        folder = self.folder / f"segment-{number:06d}"
        log = None
        try:
            check = write_segment(folder, old, self._shape[0], deleted)
            segment = Segment(folder, self._shape, check)
            self._on_segment(segment)
            log = logs.Log(self.folder / f"log-{number + 1:06d}")
            kept = self._layout.segments[:first]
            layout = dataclasses.replace(
                self._layout,
                segments=(*kept, (folder.name, check)),
                log=f"log-{number + 1:06d}",
                next=number + 2,
            )
            layout.write(self.folder)
        except BaseException:
            # Whether the new layout counts is not known if its write was the last to fail: then
            # both logs and all segments stay until the store is opened anew.
            if log:
                log.close()
            if Layout.read(self.folder) == self._layout:
                shutil.rmtree(folder, ignore_errors=True)
                (self.folder / f"log-{number + 1:06d}").unlink(missing_ok=True)
            else:
                self.close()
            raise
        self._log.close()
        self._layout, self._log = layout, log
        self._segments[first:] = [segment]
        self._tail = Tail(self._shape)
        for row, name in enumerate(segment.ids):
            self._places[name] = (segment, row)
        layout.remove_others(self.folder)
