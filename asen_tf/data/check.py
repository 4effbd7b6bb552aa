"""Looks at the image files of a manifest before a long run depends on them."""

import concurrent.futures
import os
import warnings
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from asen_tf.core.errors import unknown_name
from asen_tf.core.progress import Progress
from asen_tf.data.manifest import Manifest, Problem
from asen_tf.data.root import Root

LEVELS = ("full", "exists", "none")
MAX_PIXELS = 100_000_000
# What tf.io.decode_image reads. MPO is JPEG with further pictures behind the first.
FORMATS = ("JPEG", "MPO", "PNG", "GIF", "BMP", "WEBP")
CHUNK = 256


def check_images(
    manifest: Manifest,
    level: str = "full",
    max_pixels: int = MAX_PIXELS,
    progress: type[Progress] = Progress,
) -> list[Problem]:
    """Finds the images that training could not read.

    At every level a path that leaves the root is a problem: an absolute one, one with `..`, or
    one that a symbolic link leads out. The file behind such a path is not opened.

    Args:
      manifest: whose images.
      level: "full": every image is decoded. "exists": the file is there and not empty. "none":
        the paths alone.
      max_pixels: an image whose header declares more is not decoded and is a problem.
      progress: what says how it goes.

    Returns:
      One problem an image that is bad, in the order of the manifest.

    Raises:
      ValueError: an unknown level.
    """
    if level not in LEVELS:
        raise ValueError(unknown_name("check level (data.check)", level, LEVELS))
    checker = _Checker(manifest, level, max_pixels)
    chunks = [range(at, min(at + CHUNK, len(manifest))) for at in range(0, len(manifest), CHUNK)]
    problems = []
    executor = concurrent.futures.ThreadPoolExecutor(min(32, 2 * (os.cpu_count() or 1)))
    with warnings.catch_warnings(), progress("checking", len(manifest), "images") as meter:
        # `max_pixels` stands in for the size from which Pillow warns.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            for chunk, found in zip(chunks, executor.map(checker.check, chunks), strict=True):
                problems += found
                meter.update(len(chunk))
        finally:
            executor.shutdown(cancel_futures=True)
    return problems


class _Checker:
    """What the threads share."""

    def __init__(self, manifest: Manifest, level: str, max_pixels: int):
        self._manifest = manifest
        self._level = level
        self._max_pixels = max_pixels
        self._root = Root(manifest.root)

    def check(self, rows: range) -> list[Problem]:
        problems = []
        for row in rows:
            name = str(self._manifest.images[row])
            message = self._message(name)
            if message:
                problems.append(self._manifest.problem(row, f"{name}: {message}"))
        return problems

    def _message(self, name: str) -> str | None:
        if self._level == "none":
            return self._root.path_problem(name)
        problem = self._root.file_problem(name)
        if problem or self._level == "exists":
            return problem
        return decoding_problem(self._root.path(name), self._max_pixels)


def decoding_problem(path: str | os.PathLike, max_pixels: int = MAX_PIXELS) -> str | None:
    """Says why `tf.io.decode_image` could not read an image, or read it wrongly; None if it can.

    A JPEG is decoded at an eighth of its size, which still reads all of its entropy-coded data.
    """
    try:
        with open(path, "rb") as file, Image.open(file) as image:
            # Before anything else is read: in a JPEG, Pillow has stopped at the first scan.
            scan = file.tell()
            width, height = image.size
            if image.format not in FORMATS:
                return f"{image.format} is not read; expected JPEG, PNG, GIF, BMP or WebP"
            if width * height > max_pixels:
                return f"declares {width} x {height} pixels, more than the {max_pixels} allowed"
            return _DECODERS.get(image.format, _decode)(image, file, scan)
    except Image.DecompressionBombError as error:
        return f"declares too many pixels ({error})"
    except UnidentifiedImageError:
        return "not an image, or its header is broken"
    except Exception as error:  # Pillow raises many types on broken files
        return f"broken or truncated ({error})"


def _decode(image: Image.Image, file: BinaryIO, scan: int) -> str | None:
    image.load()
    return None


def _decode_jpeg(image: Image.Image, file: BinaryIO, scan: int) -> str | None:
    image.draft(None, (1, 1))
    image.load()
    return _end_problem(file, scan, b"\xff\xd9")


def _decode_png(image: Image.Image, file: BinaryIO, scan: int) -> str | None:
    # Loading does not look at all checksums, verifying does not decompress.
    image.verify()
    file.seek(0)
    with Image.open(file) as again:
        again.load()
    return _end_problem(file, scan, b"IEND\xaeB`\x82")


def _end_problem(file: BinaryIO, start: int, mark: bytes) -> str | None:
    """Pillow forgives a missing end of the file, TensorFlow does not."""
    file.seek(start)
    return None if mark in file.read() else "broken or truncated (the end is missing)"


def _decode_bmp(image: Image.Image, file: BinaryIO, scan: int) -> str | None:
    image.load()
    file.seek(28)
    bits = int.from_bytes(file.read(2), "little")
    if image.mode == "P" or bits not in (8, 24, 32):
        return f"BMP with {bits} bits a pixel or a palette; expected gray or 24 or 32 bits"
    return None


def _decode_webp(image: Image.Image, file: BinaryIO, scan: int) -> str | None:
    image.load()
    if image.n_frames > 1 or image.mode != "RGB":
        return "animated WebP or WebP with transparency; expected a single opaque picture"
    return None


_DECODERS = {
    "JPEG": _decode_jpeg,
    "MPO": _decode_jpeg,
    "PNG": _decode_png,
    "BMP": _decode_bmp,
    "WEBP": _decode_webp,
}
