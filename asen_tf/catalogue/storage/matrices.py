"""The vectors of a store: a matrix for each attribute, appended to, and mapped into memory."""

import concurrent.futures
import contextlib
import dataclasses
import mmap
import os
import threading
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from asen_tf.catalogue.storage.database import damaged
from asen_tf.catalogue.storage.durable import sync_folder
from asen_tf.core.choices import FLOAT32

# Rows that have one CRC-32.
BLOCK = 1024

# dtype of a store's numbers -> what its files end with.
SUFFIXES = {FLOAT32: "f32", "float16": "f16"}

Block = tuple[int, int, bytes]


@dataclasses.dataclass(frozen=True)
class Layout:
    """What the files have.

    Attributes:
      attributes: a file each.
      dimension: numbers in a row.
      dtype: of the numbers, a key of `SUFFIXES`.
    """

    attributes: int
    dimension: int
    dtype: str = FLOAT32

    @property
    def stored(self) -> np.dtype:
        """Little-endian, whatever the machine."""
        return np.dtype(self.dtype).newbyteorder("<")

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return self.dimension * self.stored.itemsize

    def paths(self, folder: Path) -> list[Path]:
        """The files, in the order of the attributes."""
        return [folder / f"{number}.{SUFFIXES[self.dtype]}" for number in range(self.attributes)]


class Matrices:
    """The files of a folder as far as they count; rows are checked when they are first read."""

    def __init__(self, folder: Path, layout: Layout):
        self.folder = folder
        self._layout = layout
        self._paths = layout.paths(folder)
        self._files: list[BinaryIO] = []
        self._mapped = [np.empty((0, layout.dimension), layout.stored)] * layout.attributes
        self._blocks: list[Block] = []
        self._firsts = np.empty(0, np.int64)
        self._whole = [0] * layout.attributes  # so many blocks from the first on are checked
        self._checked: set[tuple[int, int]] = set()
        self._lock = threading.Lock()

    @property
    def rows(self) -> int:
        """How many rows have been told of."""
        return sum(self._blocks[-1][:2]) if self._blocks else 0

    def extend(self, blocks: Iterable[Block]) -> None:
        """Tells of more rows, which follow those before.

        Raises:
          FileNotFoundError: one of the files is missing.
          ValueError: one is shorter than these rows.
        """
        with self._lock:
            for block in blocks:
                if block[0] == self.rows:
                    self._blocks.append(block)
            self._firsts = np.array([first for first, *_ in self._blocks], np.int64)
            if self.rows and not self._files:
                with contextlib.ExitStack() as stack:
                    files = [stack.enter_context(open(path, "rb", 0)) for path in self._paths]
                    stack.pop_all()
                self._files = files
            for file, path in zip(self._files, self._paths, strict=False):
                if os.fstat(file.fileno()).st_size < self.rows * self._layout.row_bytes:
                    raise damaged(path, f"shorter than its {self.rows} rows")

    def matrix(self, attribute: int, rows: int) -> np.ndarray:
        """The first rows [rows, D] as they are stored; ValueError: they are damaged."""
        end = int(np.searchsorted(self._firsts, rows))
        self._check(attribute, range(self._whole[attribute], end))
        self._whole[attribute] = max(self._whole[attribute], end)
        return self._map(attribute, rows)[:rows]

    def holding(self, attribute: int, rows: np.ndarray) -> np.ndarray:
        """The stored matrix in which these rows hold; ValueError: they are damaged."""
        if not len(rows):
            return self._mapped[attribute]
        blocks = np.unique(np.searchsorted(self._firsts, rows, "right") - 1)
        self._check(attribute, blocks.tolist())
        return self._map(attribute, int(rows.max()) + 1)

    def take(self, attribute: int, rows: np.ndarray) -> np.ndarray:
        """Some rows, float32 [N, D]; ValueError: they are damaged."""
        return self.holding(attribute, rows)[rows].astype(np.float32, copy=False)

    def close(self) -> None:
        """What is mapped stays."""
        for file in self._files:
            file.close()

    # Those that a writer has replaced are let go by the last search that uses them.
    __del__ = close

    def _check(self, attribute: int, blocks: Iterable[int]) -> None:
        left = [n for n in blocks if (attribute, n) not in self._checked]
        if not left:
            return
        mapped = self._map(attribute, sum(self._blocks[max(left)][:2]))

        def is_whole(number: int) -> bool:
            first, count, crcs = self._blocks[number]
            expected = np.frombuffer(crcs, "<u4")[attribute]
            return zlib.crc32(mapped[first : first + count]) == expected

        with concurrent.futures.ThreadPoolExecutor() as threads:
            whole = list(threads.map(is_whole, left))
        if not all(whole):
            first, count, _ = self._blocks[left[whole.index(False)]]
            raise damaged(self._paths[attribute], f"rows {first} to {first + count - 1}")
        self._checked.update((attribute, n) for n in left)

    def _map(self, attribute: int, rows: int) -> np.ndarray:
        with self._lock:
            if len(self._mapped[attribute]) < rows:
                file, size = self._files[attribute], self.rows * self._layout.row_bytes
                content = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
                found = np.frombuffer(content, self._layout.stored)
                self._mapped[attribute] = found.reshape(-1, self._layout.dimension)
            return self._mapped[attribute]


class Writer:
    """Appends to the matrices of a folder; where no rows count yet, it makes them.

    Raises:
      FileNotFoundError, ValueError: a file is missing, or shorter than the rows that count.
    """

    def __init__(self, folder: Path, layout: Layout, rows: int):
        self._layout = layout
        if not rows:
            folder.mkdir(exist_ok=True)
        self._files: list[int] = []
        try:
            for path in layout.paths(folder):
                self._files.append(os.open(path, os.O_WRONLY | (0 if rows else os.O_CREAT), 0o666))
                if os.fstat(self._files[-1]).st_size < rows * layout.row_bytes:
                    raise damaged(path, f"shorter than its {rows} rows")
            sync_folder(folder)
            sync_folder(folder.parent)
        except BaseException:
            self.close()
            raise

    def append(self, first: int, vectors: np.ndarray) -> list[Block]:
        """Writes vectors float32 [N, A, D] from row `first` on; `keep` makes them lasting."""
        blocks = []
        for start in range(0, len(vectors), BLOCK):
            some, row = vectors[start : start + BLOCK], first + start
            crcs = []
            for file, matrix in zip(self._files, some.swapaxes(0, 1), strict=True):
                content = np.ascontiguousarray(matrix, self._layout.stored)
                crcs.append(zlib.crc32(content))
                _write(file, content, row * self._layout.row_bytes)
            blocks.append((row, len(some), np.array(crcs, "<u4").tobytes()))
        return blocks

    def keep(self) -> None:
        """Returns when what was appended is on the disk."""
        for file in self._files:
            os.fsync(file)

    def close(self) -> None:
        while self._files:
            os.close(self._files.pop())


def _write(file: int, content: np.ndarray, at: int) -> None:
    left = memoryview(content.reshape(-1)).cast("B")
    while left:
        written = os.pwrite(file, left, at)
        left, at = left[written:], at + written
