"""What was written since the last segment, an entry a write."""

import errno
import itertools
import json
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from asen_tf.catalogue.storage.durable import sync_folder

# Mark, bytes of text, bytes of vectors, CRC-32 of both, CRC-32 of the fields before.
_HEADER = struct.Struct("<4sQQI")
_CHECK = struct.Struct("<I")
_MARK = b"ASL1"
_HEAD_SIZE = _HEADER.size + _CHECK.size
_SECTOR = 512


def read(path: Path) -> Iterator[tuple[Any, np.ndarray, int]]:
    """The whole entries of a log: content, vectors float32 [M], and the position after it.

    An entry that was cut off at the end of the file, or whose end is blank there as after a power
    cut, was never acknowledged, and is left out.

    Raises:
      ValueError: another entry is damaged.
    """
    size, start = path.stat().st_size, 0
    with open(path, "rb") as file:
        while head := file.read(_HEAD_SIZE):
            if not (sizes := _sizes(head)):
                if not _is_torn(head, file.read()):
                    raise _damaged(path, start)
                return
            text, vectors, check = sizes
            end = start + _HEAD_SIZE + text + vectors
            body = file.read(text + vectors) if end <= size else b""
            if len(body) < text + vectors:
                return
            if zlib.crc32(body) != check:
                if end < size or not _has_blank_sector(body, start + _HEAD_SIZE):
                    raise _damaged(path, start)
                return
            content = json.loads(body[:text])
            yield content, np.frombuffer(body, "<f4", offset=text), end
            start = end


class Log:
    """Appends entries to a log, made if it is not there; what follows `end` is cut off."""

    def __init__(self, path: Path, end: int = 0):
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - open until it is closed
        self._path = path
        self._failure: OSError | None = None
        self.size = end
        if os.path.getsize(path) != end:
            self._cut()
        sync_folder(path.parent)

    def append(self, content: Any, vectors: np.ndarray) -> None:
        """Writes content that JSON can hold, and vectors, float32 of any shape.

        It is on the disk when this returns, and nothing of it if it raises OSError: no room, say.
        """
        if self._failure:
            # Not its own number, which may be that of a full disk: room would not mend this.
            raise OSError(
                errno.EIO,
                f"an earlier write failed and could not be taken back ({self._failure}); open the "
                "store anew",
                str(self._path),
            )
        # Texts are padded so that the vectors lie at a multiple of their size.
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        flat = memoryview(np.ascontiguousarray(vectors, "<f4").reshape(-1)).cast("B")
        check = zlib.crc32(flat, zlib.crc32(text))
        head = _HEADER.pack(_MARK, len(text), len(flat), check)
        try:
            for part in (head + _CHECK.pack(zlib.crc32(head)) + text, flat):
                self._write(part)
            os.fsync(self._file.fileno())
        except BaseException:
            self._take_back()
            raise
        self.size += _HEAD_SIZE + len(text) + len(flat)

    def close(self) -> None:
        self._file.close()

    def _write(self, part: bytes | memoryview) -> None:
        part = memoryview(part)
        while part:
            part = part[self._file.write(part) :]

    def _take_back(self) -> None:
        try:
            self._cut()
        except OSError as error:
            # What follows a broken entry would not be found again.
            self._failure = error

    def _cut(self) -> None:
        self._file.truncate(self.size)
        os.fsync(self._file.fileno())


def _sizes(head: bytes) -> tuple[int, int, int] | None:
    """Bytes of text and of vectors, and their check; none where the header was cut off."""
    if len(head) < _HEAD_SIZE or zlib.crc32(head[:-4]) != _CHECK.unpack(head[-4:])[0]:
        return None
    mark, text, vectors, check = _HEADER.unpack(head[:-4])
    return (text, vectors, check) if mark == _MARK else None


def _is_torn(head: bytes, after: bytes) -> bool:
    """Whether a header that makes no sense, and what comes after it, is of a write never ended."""
    rest = head + after
    at = rest.find(_MARK, 1)
    while at >= 0:
        if _sizes(rest[at : at + _HEAD_SIZE]):
            return False
        at = rest.find(_MARK, at + 1)
    return not head.strip(b"\0") or len(rest.rstrip(b"\0")) < _HEAD_SIZE


def _has_blank_sector(body: bytes, start: int) -> bool:
    """Whether a sector of the disk was not written, or what a body has of one."""
    bounds = [0, *range(-start % _SECTOR, len(body), _SECTOR), len(body)]
    return any(not any(body[a:b]) for a, b in itertools.pairwise(bounds) if a < b)


def _damaged(path: Path, start: int) -> ValueError:
    return ValueError(
        f"{path}: the entry at byte {start} is damaged; bring the file back from a backup, or "
        "index the catalogue anew, into another store"
    )
