"""What long work says on stderr: how far it is."""

import sys
import time

_QUIET_SECONDS = 2.0
_TERMINAL_SECONDS = 1.0
_FILE_SECONDS = 30.0


class Progress:
    """Counts work done and says how far it is; nothing in the first two seconds.

    On a terminal one line is renewed once a second, in a file a line follows every half minute.

    Args:
      what: what is being done, for example "decoding".
      total: how much there is to do.
      unit: of what is counted, for example "images".
    """

    def __init__(self, what: str, total: int, unit: str):
        self.what = what
        self.total = total
        self.unit = unit
        self.done = 0
        self._terminal = sys.stderr.isatty()
        self._began = time.monotonic()
        self._next = self._began + _QUIET_SECONDS
        self._open = False

    def add(self, count: int) -> None:
        """So much more is done."""
        self.done += count
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_TERMINAL_SECONDS if self._terminal else _FILE_SECONDS)
        rate = self.done / (now - self._began)
        left = (self.total - self.done) / rate if rate else 0.0
        self._write(
            f"{self.what} {self.done}/{self.total} {self.unit}, "
            f"{rate:.0f} {self.unit}/s, {duration(left)} left"
        )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_) -> None:
        if self._open:
            say("")

    def _write(self, text: str) -> None:
        self._open = self._terminal
        # The blanks wipe the rest of a longer line before.
        say(f"\r{text}  " if self._terminal else text, end="" if self._terminal else "\n")


class Quiet(Progress):
    """Says nothing."""

    def _write(self, text: str) -> None:
        pass


def say(text: str, end: str = "\n") -> None:
    """Writes to stderr at once."""
    print(text, end=end, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Seconds as people read them: 8 s, 3:07 min, 2:05 h."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d} h"
