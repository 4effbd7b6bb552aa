"""How photographs behind URLs are read."""

import dataclasses
import os
from pathlib import Path

# What a server takes in one message; more is no photograph of a catalogue.
MAX_BYTES = 64 * 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Remote:
    """How photographs behind URLs are read.

    Attributes:
      threads: photographs that are read at once.
      seconds: that one may take, from looking up its host to its last byte.
      attempts: how often one is asked for, where a server does not answer, or says that it cannot
        now.
      allow_private: read addresses of this machine and of private networks, and through a proxy,
        which hides addresses. A table from a stranger could then read the inside of a network.
      cache: folder in which photographs are kept; None: `asen_tf/photographs` in the user's cache.
      cache_bytes: of all that are kept there, the latest ones; 0: none.
      max_bytes: of a photograph.

    Raises:
      ValueError: a number out of range.
    """

    threads: int = 16
    seconds: float = 30.0
    attempts: int = 3
    allow_private: bool = False
    cache: str | os.PathLike | None = None
    cache_bytes: int = 4 * 1024**3
    max_bytes: int = MAX_BYTES

    def __post_init__(self):
        for name, least in (("threads", 1), ("attempts", 1), ("cache_bytes", 0), ("max_bytes", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be {least} or more, got {getattr(self, name)}")
        if not self.seconds > 0:
            raise ValueError(f"seconds must be above 0, got {self.seconds}")

    @property
    def folder(self) -> Path:
        """Where photographs are kept."""
        if self.cache is not None:
            return Path(self.cache)
        caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(caches, "asen_tf", "photographs")
