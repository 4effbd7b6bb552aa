"""Looks at the image files of a manifest before a long run depends on them."""

import concurrent.futures
import os
import warnings

from PIL import Image

from asen_client.core.errors import unknown_name
from asen_tf import images
from asen_tf.core.choices import CHECKS
from asen_tf.core.progress import Progress
from asen_tf.data.manifest import Manifest, Problem
from asen_tf.data.root import Root

CHUNK = 256


def check_images(
    manifest: Manifest,
    level: str = "full",
    max_pixels: int = images.MAX_PIXELS,
    progress: type[Progress] = Progress,
    follow_links: bool = False,
) -> list[Problem]:
    """Finds the images that training could not read.

    At every level a path that leaves the root is a problem: an absolute one, one with `..`, or
    one that a symbolic link leads out. The file behind such a path is not opened.

    Args:
      manifest: whose images.
      level: "full": every image is decoded, and garments' boxes have to lie inside. "exists": the
        file is there and not empty. "none": the paths alone.
      max_pixels: an image whose header declares more is not decoded and is a problem.
      progress: what says how it goes.
      follow_links: whether symbolic links may lead out of the root.

    Returns:
      One problem an image that is bad, in the order of the manifest.

    Raises:
      ValueError: an unknown level.
    """
    if level not in CHECKS:
        raise ValueError(unknown_name("check level (data.check)", level, CHECKS))
    root = Root(manifest.root, follow_links)

    def box_problem(row: int, name: str) -> Problem | None:
        shown = manifest.photograph(row)
        try:
            if isinstance(shown, images.Boxed):
                images.size_of(shown)
        except ValueError as error:
            found = manifest.garment_boxes
            return Problem(found.source, int(found.lines[row]), f"{name}: {error}", row)
        return None

    def check(row: int) -> Problem | None:
        name = str(manifest.images[row])
        message = root.path_problem(name) if level == "none" else root.file_problem(name)
        if not message and level == "full":
            message = images.problem(root.path(name), max_pixels)
            if not message and (outside := box_problem(row, name)):
                return outside
        return manifest.problem(row, f"{name}: {message}") if message else None

    chunks = [range(at, min(at + CHUNK, len(manifest))) for at in range(0, len(manifest), CHUNK)]
    problems = []
    executor = concurrent.futures.ThreadPoolExecutor(min(32, 2 * (os.cpu_count() or 1)))
    with warnings.catch_warnings(), progress("checking", len(manifest), "images") as meter:
        # `max_pixels` stands in for the size from which Pillow warns.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            found = executor.map(lambda rows: [check(row) for row in rows], chunks)
            for of_chunk in found:
                problems += filter(None, of_chunk)
                meter.update(len(of_chunk))
        finally:
            executor.shutdown(cancel_futures=True)
    return problems
