"""Files that are on the disk when a function returns."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from asen_client.core.errors import NO_ROOM


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder lasting."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextlib.contextmanager
def synced(path: Path) -> Iterator[BinaryIO]:
    """A new file, whose content is on the disk at the end; its name only after `sync_folder`."""
    with open(path, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turns what the system says of a full disk into what to do about it."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise OSError(
            error.errno,
            "no room on the disk; this write was not made, all that came before is kept. "
            "Make room and write again",
            str(folder),
        ) from error
