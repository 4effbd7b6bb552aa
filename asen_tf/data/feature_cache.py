"""Feature maps of photographs by row number: computed once, kept in files, mapped into memory."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import filelock
import numpy as np
import tensorflow as tf

from asen_tf.core import files
from asen_tf.data.manifest import Manifest
from asen_tf.data.rows import places_of, read_rows

# Rows int64 [N], attributes int32 [N, M] -> what a model takes in place of images; runs in a graph.
FeatureLoader = Callable[[tf.Tensor, tf.Tensor], dict[str, tf.Tensor]]

_PART = ".part"
DTYPE = np.dtype("float16")


def contents(manifest: Manifest, rows: np.ndarray, box_margin: float) -> str:
    """A hash of the photographs of these rows, in their order, and of what is cut out of them."""
    digest = hashlib.sha256(np.ascontiguousarray(manifest.regions(box_margin)[rows]))
    for path in manifest.paths[rows]:
        digest.update(files.digest(path))
    return digest.hexdigest()


def needed_bytes(rows: np.ndarray, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """What the maps of these rows take."""
    return len(rows) * DTYPE.itemsize * sum(map(np.prod, shapes.values()))


def open_features(
    folder: str | Path,
    key: Mapping[str, object],
    rows: np.ndarray,
    shapes: Mapping[str, tuple[int, ...]],
    compute: Callable[[], Iterable[Mapping[str, np.ndarray]]],
) -> FeatureLoader:
    """A function from rows of a manifest to their feature maps, float16.

    Args:
      folder: of such maps; each key has a folder of its own there.
      key: all that they depend on, as JSON takes it. Files with another key are never used, nor are
        those of a process that was killed while it wrote them, nor damaged ones.
      rows: int64, those that will be asked for.
      shapes: of one row's maps, by name: [h, w, C], or [A, h, w, C], one for each attribute, of
        which the function gives those that it is asked for.
      compute: batches of the maps of all rows, in their order; called where there are no files.
    """
    text = json.dumps(key, indent=1, sort_keys=True)
    folder = Path(folder) / hashlib.sha256(text.encode()).hexdigest()[:32]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(f"{folder}.lock"):
        if not _is_whole(folder, len(rows), shapes):
            _remove_unfinished(folder.parent)
            _write(folder, text, len(rows), shapes, compute())
    places = places_of(rows, rows.max(initial=-1) + 1)
    kept = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in shapes}
    return lambda wanted, attributes: {
        name: _read(maps, tf.gather(places, wanted), attributes) for name, maps in kept.items()
    }


def _read(maps, places, attributes):
    """The rows' maps; where they are of attributes, those of each row's."""
    if maps.ndim == 4:
        return read_rows(maps, places)
    return read_rows(maps, places[:, None], attributes)


def _is_whole(folder, count, shapes):
    if not (folder / "key.json").exists():
        return False
    try:
        kept = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in shapes]
    except (OSError, ValueError):  # missing, or cut off
        return False
    if [maps.shape for maps in kept] != [(count, *shape) for shape in shapes.values()]:
        return False
    try:
        return files.read_json(folder / "sums.json") == _sums(folder, shapes)
    except (OSError, ValueError):
        return False


def _sums(folder, names):
    found = {}
    for name in names:
        found[name] = files.digest(folder / f"{name}.npy").hex()
    return found


def _remove_unfinished(folder):
    """What killed processes left, of other keys; whoever writes now holds the lock of its own."""
    for part in folder.glob(f".*{_PART}"):
        name = part.name.removeprefix(".").removesuffix(_PART)
        with contextlib.suppress(filelock.Timeout), filelock.FileLock(folder / f"{name}.lock", 0):
            shutil.rmtree(part, ignore_errors=True)


def _write(folder, text, count, shapes, batches):
    aside = folder.with_name(f".{folder.name}{_PART}")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    aside.mkdir()
    try:
        _fill(aside, count, shapes, batches)
        (aside / "sums.json").write_text(json.dumps(_sums(aside, shapes)))
        (aside / "key.json").write_text(text)
        os.rename(aside, folder)
    except BaseException as error:
        shutil.rmtree(aside, ignore_errors=True)
        if isinstance(error, KeyboardInterrupt):  # unlike what else a program goes on with
            where = " ".join(error.args) or "while computing features"
            error.args = (f"{where}; the same command computes them anew",)
        raise


def _fill(folder, count, shapes, batches):
    written = {}
    for name, shape in shapes.items():
        path = folder / f"{name}.npy"
        written[name] = np.lib.format.open_memmap(path, "w+", DTYPE, (count, *shape))
        # Where there is no room: an error now, instead of a signal when a page is written.
        if hasattr(os, "posix_fallocate"):
            with open(path, "r+b") as file:
                os.posix_fallocate(file.fileno(), 0, os.path.getsize(path))
    start = 0
    for batch in batches:
        stop = start + len(next(iter(batch.values())))
        for name, maps in batch.items():
            written[name][start:stop] = maps
        start = stop
    for file in written.values():
        file.flush()
