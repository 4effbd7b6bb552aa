"""A large array in memory, or in a temporary file where memory would not do."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

Allocate = Callable[[int, int], np.ndarray]


@contextlib.contextmanager
def float_arrays(memory_limit_bytes: int, folder: str | None = None) -> Iterator[Allocate]:
    """Gives a function (rows, columns) -> float32 array; files it made are removed at the end.

    Args:
      memory_limit_bytes: larger arrays become memory-mapped files.
      folder: where the temporary files go (default: the system's temporary folder).

    Raises:
      OSError: the disk has no room for the file.
    """
    with contextlib.ExitStack() as stack:

        def allocate(rows: int, columns: int) -> np.ndarray:
            size = rows * columns * 4
            if size <= memory_limit_bytes:
                return np.empty((rows, columns), np.float32)
            path = Path(
                stack.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix="asen_tf_"))
            )
            free = shutil.disk_usage(path).free
            if size > free:  # writing to a map on a full disk would kill the process
                raise OSError(
                    f"{size} bytes of embeddings do not fit on the disk of {path} ({free} bytes "
                    "free): name another scratch_folder, or raise memory_limit_bytes"
                )
            return np.memmap(path / "array.f32", np.float32, "w+", shape=(rows, columns))

        yield allocate
