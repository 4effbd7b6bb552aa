"""Large arrays in memory, or in temporary files where memory would not do."""

import contextlib
import mmap
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

_DROP = getattr(mmap, "MADV_DONTNEED", None)


class FloatArrays:
    """Makes float32 arrays, see `float_arrays`."""

    def __init__(self, memory_limit_bytes: int, folder: str | None, stack: contextlib.ExitStack):
        self._limit = memory_limit_bytes
        self._folder = folder
        self._stack = stack
        self._maps: list[mmap.mmap] = []

    def __call__(self, rows: int, columns: int) -> np.ndarray:
        """An array [rows, columns], not initialised.

        Raises:
          OSError: the disk has no room for the file.
        """
        size = rows * columns * 4
        if size <= self._limit:
            return np.empty((rows, columns), np.float32)
        made = tempfile.TemporaryDirectory(dir=self._folder, prefix="asen_tf_")
        path = Path(self._stack.enter_context(made))
        free = shutil.disk_usage(path).free
        if size > free:  # writing to a map on a full disk would kill the process
            raise OSError(
                f"{size} bytes of embeddings do not fit on the disk of {path} ({free} bytes "
                "free): name another scratch_folder, or raise memory_limit_bytes"
            )
        with open(path / "array.f32", "w+b") as file:
            file.truncate(size)
            self._maps.append(mmap.mmap(file.fileno(), size))
        return np.frombuffer(self._maps[-1], np.float32).reshape(rows, columns)

    def release(self) -> None:
        """Takes what is mapped out of this process's memory; the files keep it."""
        for mapped in self._maps if _DROP is not None else ():
            mapped.madvise(_DROP)


@contextlib.contextmanager
def float_arrays(
    memory_limit_bytes: int = 2 << 30, folder: str | None = None
) -> Iterator[FloatArrays]:
    """Gives a maker of arrays; files it made are removed at the end.

    Args:
      memory_limit_bytes: larger arrays become memory-mapped files.
      folder: where these go; None: the system's temporary folder.
    """
    with contextlib.ExitStack() as stack:
        yield FloatArrays(memory_limit_bytes, folder, stack)
