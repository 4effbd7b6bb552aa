"""One process writes at a time."""

import contextlib
import fcntl
import os
from pathlib import Path


class Lock:
    """Held from here to `close`, or to the end of the process, however it ends.

    Args:
      path: of the file, which is made if it is not there.
      held: what whoever holds it does, for the message.
      advice: what to do where it is held, for the message.

    Raises:
      BlockingIOError: another process, or another object of this one, holds it.
    """

    def __init__(self, path: Path, held: str, advice: str):
        self._file = open(path, "a+")  # noqa: SIM115 - it is open for as long as it is held
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read().strip()
            self._file.close()
            raise BlockingIOError(
                error.errno,
                f"process {holder or '(unknown)'} {held}. {advice}",
                str(path.parent),
            ) from error
        # For the message above only; a full disk is no reason to refuse reading.
        with contextlib.suppress(OSError):
            self._file.truncate(0)
            self._file.write(str(os.getpid()))
            self._file.flush()

    def close(self) -> None:
        self._file.close()
