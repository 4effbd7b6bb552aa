"""Decoded photographs by row number: from memory, from disk, or decoded anew."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import filelock
import numpy as np
import tensorflow as tf

from asen_client.core.errors import unknown_name
from asen_client.core.limits import BOX_MARGIN
from asen_tf.core import files
from asen_tf.core.choices import CACHES
from asen_tf.core.limits import DECODING
from asen_tf.core.progress import Progress, say
from asen_tf.data.manifest import Manifest
from asen_tf.data.rows import places_of, read_rows
from asen_tf.images import graph
from asen_tf.tracing import mapped

# Row numbers int64 [B] -> images uint8 [B, S, S, 3]; runs in a graph.
ImageLoader = Callable[[tf.Tensor], tf.Tensor]

_CHECKSUM = tf.int64


def open_images(
    manifest: Manifest,
    rows: np.ndarray,
    size: int,
    mode: str = "auto",
    memory_bytes: float = 4e9,
    folder: str | Path | None = None,
    fit: str = "crop",
    box_margin: float = BOX_MARGIN,
) -> ImageLoader:
    """A function from rows of the manifest to their images, cropped or padded to squares.

    Photographs are cut to the boxes of their garments before.

    Args:
      manifest: the photographs.
      rows: int64, those that will be loaded.
      size: side of an image in pixels.
      mode: "memory": all of them are decoded now and kept; "disk": likewise, as raw files in
        `folder`, where a later run finds them, with checksums: a damaged one is decoded anew;
        "none": each is decoded when it is asked for; "auto": the first of these that fits.
      memory_bytes: what "memory" may take.
      folder: of the disk cache; without it "auto" does not use the disk.
      fit: how photographs become squares, see `asen_tf.images.graph.to_square`.
      box_margin: share of the sides of a garment's box that is added around it.
    """
    if mode not in CACHES:
        raise ValueError(unknown_name("cache", mode, CACHES))
    graph.check_fit(fit)
    need = len(rows) * size * size * 3
    if mode == "auto":
        on_disk = folder is not None and need < 0.5 * _free_bytes(Path(folder))
        mode = "memory" if need <= memory_bytes else "disk" if on_disk else "none"
        if mode != "memory":
            say(f"{need / 1e9:.1f} GB of images exceed data.cache_gb: using {mode}")

    def read(path, region):
        return graph.read_square(path, size, fit, region)

    photographs = manifest.paths, manifest.regions(box_margin)
    if mode == "memory":
        return _in_memory(photographs, rows, read, size)
    if mode == "disk":
        if folder is None:
            raise ValueError("the disk cache needs a folder: set data.cache_dir")
        return _on_disk(photographs, rows, read, size, fit, Path(folder))
    return _from_files(photographs, read, size)


def _decoded(photographs, rows, read):
    """Yields the images of these rows, in order, saying how far it is."""
    wanted = tf.data.Dataset.from_tensor_slices(tuple(column[rows] for column in photographs))
    batches = mapped(wanted, read, os.cpu_count() or 1).batch(64).prefetch(1)
    with Progress("decoding", len(rows), "images") as progress:
        for batch in batches:
            yield from np.asarray(memoryview(batch))  # not copied
            progress.update(len(batch))


def _in_memory(photographs, rows, read, size):
    table = np.empty((len(rows), size, size, 3), np.uint8)
    for place, image in enumerate(_decoded(photographs, rows, read)):
        table[place] = image
    places = tf.constant(places_of(rows, len(photographs[0])))
    return lambda wanted: read_rows(table, tf.gather(places, wanted))


def _on_disk(photographs, rows, read, size, fit, folder):
    folder.mkdir(parents=True, exist_ok=True)
    paths, regions = (column.tolist() for column in photographs)
    names = [""] * len(paths)
    for row in rows:
        # All that an image depends on: one that was replaced gets another name.
        key = DECODING, size, fit, regions[row], files.digest(paths[row]).hex()
        name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]
        names[row] = str(folder / f"{name}.raw")
    with filelock.FileLock(folder / ".lock"):
        files.remove_drafts(folder)
        missing = np.array([row for row in rows if not _is_whole(names[row], size)], np.int64)
        for row, image in zip(missing, _decoded(photographs, missing, read), strict=True):
            with files.written_whole(names[row]) as draft:
                pixels = image.tobytes()
                draft.write_bytes(pixels + _checksum(pixels).numpy().tobytes())

    def read_raw(file, path, region):
        content = tf.io.read_file(file)
        pixels = tf.strings.substr(content, 0, size * size * 3)
        sum_of_it = tf.strings.substr(content, size * size * 3, _CHECKSUM.size)
        whole = tf.reduce_all(tf.io.decode_raw(sum_of_it, _CHECKSUM) == _checksum(pixels))
        return tf.cond(
            whole,
            lambda: tf.reshape(tf.io.decode_raw(pixels, tf.uint8), (size, size, 3)),
            lambda: read(path, region),
        )

    return _from_files((names, *photographs), read_raw, size)


def _checksum(pixels: bytes | tf.Tensor) -> tf.Tensor:
    """One that costs little inside graphs, and never changes."""
    return tf.strings.to_hash_bucket_fast(pixels, _CHECKSUM.max)


def _is_whole(name, size):
    need = size * size * 3 + _CHECKSUM.size
    return os.path.exists(name) and os.path.getsize(name) == need


def _from_files(columns, read, size):
    """`read` gets of each row what the columns have."""
    columns = tuple(map(tf.constant, columns))
    spec = tf.TensorSpec((size, size, 3), tf.uint8)

    def load(rows):
        wanted = tuple(tf.gather(column, rows) for column in columns)
        return tf.map_fn(lambda row: read(*row), wanted, fn_output_signature=spec)

    return load


def _free_bytes(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free
