"""`store.db`, a file of SQLite."""

import contextlib
import errno
import os
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path

from asen_tf.catalogue.storage import cells

NAME = "store.db"

# What SQLite makes beside it.
FILES = {NAME, *(f"{NAME}-{kind}" for kind in ("wal", "shm", "journal"))}

_FORMAT = 4
_TABLES = (
    # `rows` of the matrices in folder number `folder` count, `compacted` of them since it was made.
    "CREATE TABLE store (fingerprint TEXT, settings TEXT, generation INTEGER, folder INTEGER, "
    "rows INTEGER, items INTEGER, compacted INTEGER)",
    "CREATE TABLE items (row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, "
    "mark TEXT NOT NULL, record TEXT NOT NULL, crc INTEGER NOT NULL)",
    cells.TABLE,
    # CRC-32 of these rows in each matrix, uint32.
    "CREATE TABLE blocks (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, crcs BLOB NOT NULL)",
)
_NO_ROOM = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_SHMOPEN,
}
_FAILED = {
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
}
_SECONDS, _HEAD = 30, 100


def connect(path: Path, write: bool) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time.

    Raises:
      FileNotFoundError: it is not there and is not to be written.
      ValueError: it is damaged.
    """
    check_size(path, write)
    # Nobody writes where nobody may, and SQLite needs to write even to read.
    mode = "rwc" if write else "rw" if os.access(path.parent, os.W_OK) else "ro&immutable=1"
    with explained(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            if write:
                connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA {'synchronous = FULL' if write else 'query_only = ON'}")
        except BaseException:
            connection.close()
            raise
        return connection


def make(connection: sqlite3.Connection, path: Path, fingerprint: str, settings: str) -> None:
    """Makes the tables of an empty store, unless they are there."""
    with writing(connection, path):
        for table in _TABLES:
            connection.execute(table)
        connection.execute(
            "INSERT INTO store VALUES (?, ?, 0, 1, 0, 0, 0)", (fingerprint, settings)
        )
        connection.execute(f"PRAGMA user_version = {_FORMAT}")


def is_made(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether `make` was through; ValueError: another version's, or no store at all."""
    with explained(path):
        [[version]] = connection.execute("PRAGMA user_version")
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if not version and not tables:
        return False
    if version != _FORMAT:
        raise ValueError(
            f"{path}: not a store of this library: format {version}, expected {_FORMAT}"
        )
    return True


@contextlib.contextmanager
def writing(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """A transaction, on the disk at the end, of which nothing is left where it fails."""
    with explained(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def check_size(path: Path, write: bool) -> None:
    """Raises ValueError where the file was cut off, before SQLite does something about it."""
    if write and not path.exists():
        return
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    log = path.with_name(f"{path.name}-wal")
    if not head or (log.exists() and log.stat().st_size):
        return  # the log may have the rest
    if len(head) < _HEAD or head[:16] != b"SQLite format 3\0":
        raise damaged(path, "no file of SQLite")
    [size], [pages] = struct.unpack(">H", head[16:18]), struct.unpack(">I", head[28:32])
    if path.stat().st_size < pages * (65536 if size == 1 else size):
        raise damaged(path, "cut off")


def damaged(path: Path, what: str) -> ValueError:
    """The error of a file that is not as it was written."""
    return ValueError(
        f"{path} is damaged: {what}; bring the file back from a backup, or index the catalogue "
        "anew, into another store"
    )


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into what `Engine` raises."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except UnicodeDecodeError as error:  # of text, or of SQLite's message about it
        raise damaged(path, str(error)) from error
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0)
        if code in _NO_ROOM:
            raise OSError(errno.ENOSPC, str(error), str(path)) from error
        if code & 0xFF in _FAILED:
            raise OSError(errno.EIO, str(error), str(path)) from error
        raise damaged(path, str(error)) from error
