"""A line on the terminal that says how far long work is."""

import sys
import time


class Progress:
    """Counts work done; writes a line to stderr at most once a second, nothing in the first two.

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
        self._began = time.monotonic()
        self._written = self._began + 1.0

    def add(self, count: int) -> None:
        """So much more is done."""
        self.done += count
        now = time.monotonic()
        if now - self._written >= 1.0:
            self._written = now
            rate = self.done / (now - self._began)
            left = (self.total - self.done) / rate if rate else 0.0
            self._write(
                f"\r{self.what} {self.done}/{self.total} {self.unit}, "
                f"{rate:.0f} {self.unit}/s, {duration(left)} left "
            )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_) -> None:
        if self._written > self._began + 1.0:
            self._write("\n")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()


def duration(seconds: float) -> str:
    """Seconds as people read them: 8 s, 3:07 min, 2:05 h."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d} h"


class Quiet(Progress):
    """Says nothing."""

    def _write(self, text: str) -> None:
        pass
