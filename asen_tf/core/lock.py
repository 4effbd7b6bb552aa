"""One process writes at a time."""

import contextlib
import errno
import os
from pathlib import Path

import filelock


def hold(path: Path, held: str, advice: str) -> filelock.BaseFileLock:
    """A lock that is held from here to its `release`, or to the end of the process.

    Args:
      path: of the file, which is made if it is not there.
      held: what whoever holds it does, for the message.
      advice: what to do where it is held, for the message.

    Raises:
      BlockingIOError: another process, or another lock of this one, holds it.
    """
    taken = filelock.FileLock(path, thread_local=False)
    try:
        taken.acquire(blocking=False)
    except filelock.Timeout:
        holder = path.read_text().strip() or "(unknown)"
        raise BlockingIOError(
            errno.EAGAIN, f"process {holder} {held}. {advice}", str(path.parent)
        ) from None
    # For the message above only; a full disk is no reason to refuse reading.
    with contextlib.suppress(OSError):
        path.write_text(str(os.getpid()))
    return taken
