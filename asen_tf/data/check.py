"""Looks at the image files of a manifest before a long run depends on them."""

import concurrent.futures
import os
import warnings

from PIL import Image

from asen_tf import images
from asen_tf.core.errors import unknown_name
from asen_tf.core.progress import Progress
from asen_tf.data.manifest import Manifest, Problem
from asen_tf.data.root import Root

LEVELS = ("full", "exists", "none")
CHUNK = 256


def check_images(
    manifest: Manifest,
    level: str = "full",
    max_pixels: int = images.MAX_PIXELS,
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
        return images.problem(self._root.path(name), self._max_pixels)
