"""Photographs that are the same under several names."""

import os
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from asen_tf.core import files
from asen_tf.data.manifest import Manifest

_END = 4096


def identical_files(manifest: Manifest) -> list[np.ndarray]:
    """Rows whose files have the same content under different names, a group each, ascending.

    Files of one size are compared by their ends, and those that agree by all they hold. One that
    is not there is passed over.
    """
    rows = defaultdict(list)
    for row, path in enumerate(manifest.paths.tolist()):
        rows[path].append(row)
    groups = [list(rows)]
    with ThreadPoolExecutor(min(32, 2 * (os.cpu_count() or 1))) as executor:
        for key in (_size, _end, _digest):
            groups = [one for group in groups for one in _parted(group, key, executor)]
    found = [np.sort(np.concatenate([rows[path] for path in group])) for group in groups]
    return sorted(found, key=lambda group: group[0])


def _parted(
    paths: Iterable[str], key: Callable[[str], Hashable], executor: ThreadPoolExecutor
) -> list[list[str]]:
    """The paths that share their key with another one."""
    paths = list(paths)
    groups = defaultdict(list)
    for path, found in zip(paths, executor.map(key, paths), strict=True):
        if found is not None:
            groups[found].append(path)
    return [group for group in groups.values() if len(group) > 1]


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def _end(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.path.getsize(path) - _END))
            return file.read(_END)
    except OSError:
        return None


def _digest(path: str) -> bytes | None:
    try:
        return files.digest(path)
    except OSError:
        return None
