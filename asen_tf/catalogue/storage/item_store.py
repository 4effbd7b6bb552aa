"""A folder of items: what is there, and writing that survives a kill."""

import contextlib
import errno
import json
import shlex
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from asen_tf.catalogue.items import Items, Record
from asen_tf.catalogue.storage import database, records
from asen_tf.catalogue.storage.durable import explained, sync_folder
from asen_tf.catalogue.storage.matrices import BLOCK, Layout, Matrices, Writer
from asen_tf.catalogue.storage.view import Now, View
from asen_tf.core.choices import FLOAT32
from asen_tf.core.lock import hold
from asen_tf.embedders import Fingerprint

LOCK = "LOCK"

# With more rows of items that are gone than of others, and than these, matrices are written anew.
LEAST_DEAD = 10_000

# Attempts of a reader to open matrices that a writer replaces at the same time.
_ATTEMPTS = 10


class ItemStore:
    """Items in a folder, which is made if it is not there and a fingerprint is given.

    Args:
      settings: of the engine, kept with the store.
      read_only: nothing is written, and nobody is kept from writing.

    Attributes:
      on_matrices: called with matrices that were written anew, and their number of rows, before
        they count; where it is set, they are written anew, too, when they have grown fourfold.

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
    ):
        self.folder = folder
        self._path = folder / database.NAME
        self._read_only = read_only
        self.on_matrices: Callable[[Matrices, int], None] | None = None
        self._failure: OSError | None = None
        self._mutex = threading.Lock()
        with contextlib.ExitStack() as stack:
            self._stack = stack
            self._free: list[sqlite3.Connection] = []
            stack.callback(self._let_go)
            self._now: Now | None = None
            self._writer: sqlite3.Connection | None = None
            if not read_only:
                self._make(fingerprint, settings or {})
            self._read()
            if fingerprint is not None:
                self.fingerprint.check(fingerprint)
            with self.view() as view:
                if not read_only:
                    self._remove_others(view.matrices.folder)
                    self._vectors = self._appending(view.matrices.folder, view.rows)
            self._stack = stack.pop_all()

    def __len__(self) -> int:
        with self.view() as view:
            return view.items

    @contextlib.contextmanager
    def view(self) -> Iterator[View]:
        """What is there now."""
        if self._free is None:
            raise ValueError(f"{self.folder} is closed")
        try:
            connection = self._free.pop()
        except IndexError:
            connection = database.connect(self._path, write=False)
        try:
            with database.explained(self._path):
                yield View(connection, self._begin(connection), self._path)
        finally:
            if connection.in_transaction:
                connection.rollback()
            if self._free is None:
                connection.close()
            else:
                self._free.append(connection)

    def put(self, items: Items) -> None:
        """Adds items in place of those of the same ids; on the disk when this returns."""
        self._maintain()
        with self._writing() as (writer, rows, count):
            blocks = self._vectors.append(rows, items.vectors)
            self._vectors.keep()
            count += len(items) - records.forget(writer, self._path, items.ids)
            given = zip(items.ids, items.marks, items.records, strict=True)
            records.insert(writer, rows, given)
            writer.executemany("INSERT INTO blocks VALUES (?, ?, ?)", blocks)
            writer.execute("UPDATE store SET rows = ?, items = ?", (rows + len(items), count))

    def describe(self, ids: Sequence[str], described: Sequence[Record]) -> None:
        """Gives items other labels and metadata; on the disk when this returns."""
        with self._writing() as (writer, *_):
            kept = "SELECT row, mark, record, crc FROM items WHERE id = ?"
            for name, record in zip(ids, described, strict=True):
                row, mark, *before = writer.execute(kept, (name,)).fetchone()
                records.forget_cells(writer, row, records.record(self._path, name, *before))
                writer.execute("DELETE FROM items WHERE row = ?", (row,))
                records.insert(writer, row, [(name, mark, record)])

    def delete(self, ids: Iterable[str]) -> int:
        """Removes items, on the disk when this returns; gives how many were there."""
        self._check_writable()
        with self.view() as view:
            known = list(view.places(ids))
        if known:
            with self._writing() as (writer, _, count):
                records.forget(writer, self._path, known)
                writer.execute("UPDATE store SET items = ?", (count - len(known),))
        return len(known)

    def compact(self, least: float = 0) -> None:
        """Writes the matrices anew, without the rows of items that are gone.

        Not if these, and those that `on_matrices` was not called with, are no larger share of all.
        """
        self._check_writable()
        with self.view() as view:
            [[compacted]] = self._writer.execute("SELECT compacted FROM store")
            new = view.rows - compacted if self.on_matrices else 0
            if view.rows - view.items + new <= least * view.rows:
                return
            rows = np.flatnonzero(view.mask())
            folder = _folder(self.folder, view.folder + 1)
            vectors = None
            try:
                with explained(self.folder):
                    shutil.rmtree(folder, ignore_errors=True)
                    vectors = Writer(folder, self._layout, 0)
                    blocks = self._copy(view.matrices, rows, vectors)
                    if self.on_matrices:
                        matrices = Matrices(folder, self._layout)
                        matrices.extend(blocks)
                        self.on_matrices(matrices, len(rows))
                        matrices.close()
                self._replace(blocks, len(rows))
            except BaseException:
                if vectors:
                    vectors.close()
                if not self._failure:  # else it may count
                    shutil.rmtree(folder, ignore_errors=True)
                raise
        self._vectors.close()
        self._vectors = vectors
        self._remove_others(folder)

    def close(self) -> None:
        """Lets others write."""
        self._stack.close()

    @property
    def _layout(self) -> Layout:
        dtype = self.settings.get("dtype", FLOAT32)
        return Layout(len(self.fingerprint.attributes), self.fingerprint.dimension, dtype)

    def _make(self, fingerprint: Fingerprint | None, settings: dict) -> None:
        if fingerprint is None and not self._path.exists():
            raise _no_store(self.folder)
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
            # A process that was killed in these lines leaves only what they make themselves.
            others = {path.name for path in self.folder.iterdir()} - {LOCK, *database.FILES}
            if others and not self._path.exists():
                raise _no_store(self.folder, others)
            lock = hold(
                self.folder / LOCK,
                "has this store open for writing",
                "Wait for it, or open the store read-only",
            )
            self._stack.callback(lock.release)
            self._writer = database.connect(self._path, write=True)
            self._stack.callback(self._writer.close)
            if fingerprint is not None and not database.is_made(self._writer, self._path):
                texts = (json.dumps(one) for one in (fingerprint.to_dict(), settings))
                database.make(self._writer, self._path, *texts)
                sync_folder(self.folder)

    def _read(self) -> None:
        try:
            connection = database.connect(self._path, write=False)
        except (FileNotFoundError, NotADirectoryError):
            others = self.folder.iterdir() if self.folder.is_dir() else ()
            raise _no_store(self.folder, {path.name for path in others}) from None
        self._free.append(connection)
        if not database.is_made(connection, self._path):
            raise _no_store(self.folder)
        with database.explained(self._path):
            found = connection.execute("SELECT fingerprint, settings FROM store").fetchall()
        try:
            [(fingerprint, settings)] = found
            self.fingerprint = Fingerprint.from_dict(json.loads(fingerprint))
            self.settings = dict(json.loads(settings))
            if not all(isinstance(value, str) for value in self.settings.values()):
                raise ValueError("options that are no texts")
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise database.damaged(self._path, f"no fingerprint of a model: {error}") from error

    def _begin(self, connection: sqlite3.Connection) -> Now:
        """Starts to read; what is there then."""
        for attempt in range(_ATTEMPTS):
            connection.execute("BEGIN")
            try:
                return self._at(connection)
            except BaseException as error:
                connection.execute("ROLLBACK")
                if not isinstance(error, FileNotFoundError):
                    raise
                # A writer has replaced the files since.
                if attempt == _ATTEMPTS - 1:
                    raise _missing(error) from None
        raise AssertionError

    def _at(self, connection: sqlite3.Connection) -> Now:
        row = connection.execute("SELECT generation, folder, rows, items FROM store").fetchone()
        if row is None or any(type(one) is not int or not 0 <= one < 2**40 for one in row):
            raise database.damaged(self._path, "numbers that make no sense")
        generation, folder, rows, items = row
        with self._mutex:
            now = self._now
            if now and now.generation == generation:
                return now
            matrices = now.matrices if now and now.folder == folder else None
            if matrices is None:
                matrices = Matrices(_folder(self.folder, folder), self._layout)
            blocks = connection.execute(
                "SELECT * FROM blocks WHERE first >= ? ORDER BY first", (matrices.rows,)
            )
            matrices.extend(
                _checked(block, self._layout.attributes, self._path) for block in blocks
            )
            if matrices.rows < rows:
                raise database.damaged(self._path, f"no checks of {rows - matrices.rows} rows")
            self._now = Now(generation, folder, rows, items, matrices)
            return self._now

    @contextlib.contextmanager
    def _writing(self) -> Iterator[tuple[sqlite3.Connection, int, int]]:
        """A transaction: the connection, how many rows count, and how many items there are."""
        self._check_writable()
        writer = self._writer
        try:
            with explained(self.folder), database.writing(writer, self._path):
                [counts] = writer.execute("SELECT rows, items FROM store")
                yield writer, *counts
                writer.execute("UPDATE store SET generation = generation + 1")
        except OSError as error:
            if error.errno == errno.EIO:
                # Whether it is on the disk is not known, so nothing may follow.
                self._failure = error
            raise

    def _check_writable(self) -> None:
        if self._read_only:
            raise ValueError(f"{self.folder} was opened read-only")
        if self._free is None:
            raise ValueError(f"{self.folder} is closed")
        if self._failure:
            raise OSError(
                errno.EIO,
                f"an earlier write failed ({self._failure}); open the store anew",
                str(self.folder),
            )

    def _maintain(self) -> None:
        """Before and not after a write: should it fail, the write has not been made."""
        self._check_writable()
        with database.explained(self._path):
            [[rows, items, compacted]] = self._writer.execute(
                "SELECT rows, items, compacted FROM store"
            )
        grown = self.on_matrices is not None and rows - compacted > max(LEAST_DEAD, 3 * compacted)
        if grown or rows - items > max(LEAST_DEAD, items):
            self.compact()

    def _copy(self, matrices: Matrices, rows: np.ndarray, vectors: Writer) -> list:
        blocks = []
        for start in range(0, len(rows), BLOCK):
            some = rows[start : start + BLOCK]
            found = [matrices.take(attribute, some) for attribute in range(self._layout.attributes)]
            blocks += vectors.append(start, np.stack(found, axis=1))
        vectors.keep()
        return blocks

    def _replace(self, blocks: Sequence, rows: int) -> None:
        """Makes other matrices count, in which the living items have the first rows."""
        with self._writing() as (writer, *_):
            kept = writer.execute("SELECT id, mark, record, crc FROM items ORDER BY row")
            items = [
                (name, mark, records.record(self._path, name, *record))
                for name, mark, *record in kept
            ]
            for table in ("items", "cells", "blocks"):
                writer.execute(f"DELETE FROM {table}")
            records.insert(writer, 0, items)
            writer.executemany("INSERT INTO blocks VALUES (?, ?, ?)", blocks)
            writer.execute(
                "UPDATE store SET folder = folder + 1, rows = ?, compacted = ?", (rows, rows)
            )

    def _appending(self, folder: Path, rows: int) -> Writer:
        try:
            with explained(self.folder):
                return Writer(folder, self._layout, rows)
        except FileNotFoundError as error:
            raise _missing(error) from None

    def _remove_others(self, folder: Path) -> None:
        """Removes matrices that do not count: of a killed process, or replaced."""
        for path in self.folder.glob("vectors-*"):
            if path != folder:
                shutil.rmtree(path, ignore_errors=True)

    def _let_go(self) -> None:
        free, self._free = self._free, None
        for connection in free or ():
            connection.close()
        if self._now:
            self._now.matrices.close()
        if vectors := getattr(self, "_vectors", None):
            vectors.close()


def _folder(store: Path, number: int) -> Path:
    return store / f"vectors-{number:06d}"


def _no_store(folder: Path, others: Iterable[str] = ()) -> Exception:
    if "store.json" in others:
        command = shlex.join(["asen-index", f"--convert=faiss:{folder}", "--store=faiss:NEW"])
        return ValueError(
            f"{folder}: a store of an earlier version; {command} makes one of this version"
        )
    if set(others) - {LOCK, *database.FILES}:
        return ValueError(f"{folder}: neither empty nor a store; name another folder")
    return FileNotFoundError(f"{folder}: no store; asen-index makes one")


def _missing(error: FileNotFoundError) -> ValueError:
    return ValueError(
        f"{error.filename} is missing; bring it back from a backup, or index the catalogue anew, "
        "into another store"
    )


def _checked(block: tuple, attributes: int, path: Path) -> tuple[int, int, bytes]:
    first, count, crcs = block
    if not isinstance(count, int) or not 0 < count <= BLOCK or not isinstance(crcs, bytes):
        raise database.damaged(path, f"the check of row {first}")
    if len(crcs) != 4 * attributes:
        raise database.damaged(path, f"the check of row {first}")
    return first, count, crcs
