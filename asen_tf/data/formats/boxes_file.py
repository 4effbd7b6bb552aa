"""The boxes file: CSV `image,attribute,left,top,right,bottom`, pixels of the original image."""

import dataclasses
import math
from collections.abc import Iterator, Mapping

import numpy as np

from asen_client.core.errors import unknown_name
from asen_client.images.boxes import in_shares
from asen_tf import images
from asen_tf.data.manifest import Manifest, Problem
from asen_tf.data.root import Root, clean_name
from asen_tf.data.tables import Table

COLUMNS = ("image", "attribute", "left", "top", "right", "bottom")


def with_boxes(
    manifest: Manifest, problems: list[Problem], source: str, measured: bool = False
) -> tuple[Manifest, list[Problem]]:
    """Adds the boxes in the file `source` (relative to the root) to what a format has read.

    A box belongs to every row of its image. Rows about an unknown image or attribute, and boxes
    that are not four numbers with left < right and top < bottom, are left out and added to the
    problems; so are, if `measured`, boxes that leave their photograph. An empty `source` changes
    nothing.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: the file is not a CSV table with these columns, or its numbers are no pixels.
    """
    if not source:
        return manifest, problems
    table = Table(manifest.root, source, COLUMNS)
    order = [table.header.index(name) for name in COLUMNS]
    first = {}
    first_row = np.array(
        [first.setdefault(name, row) for row, name in enumerate(manifest.images.tolist())], int
    )
    attributes = {name: index for index, name in enumerate(manifest.space)}
    boxes = np.full((len(manifest), len(attributes), 4), np.nan, np.float32)
    lines = {}
    problems = list(problems)
    for line, cells in table.rows(problems):
        image, attribute, *numbers = (cells[i] for i in order)
        image = clean_name(image)
        box = _box(numbers)
        if image not in first:
            problems.append(Problem(source, line, f"{image!r} is not an image of the manifest"))
        elif attribute not in attributes:
            message = unknown_name("attribute", attribute, attributes)
            problems.append(Problem(source, line, message))
        elif box is None:
            message = f"expected numbers left < right, top < bottom, found {', '.join(numbers)}"
            problems.append(Problem(source, line, message))
        else:
            boxes[first[image], attributes[attribute]] = box
            lines[line] = image, box
    if shares := in_shares(boxes):
        raise ValueError(f"{source}: {shares}")
    if measured:
        problems += _outside(manifest, source, lines)
    return dataclasses.replace(manifest, boxes=boxes[first_row]), problems


def _outside(
    manifest: Manifest, source: str, lines: Mapping[int, tuple[str, list[float]]]
) -> Iterator[Problem]:
    """The boxes that leave their photograph; one that cannot be read is left to `check`."""
    root = Root(manifest.root)
    for line, (image, box) in lines.items():
        if root.file_problem(image):
            continue
        try:
            size = images.size_of(root.path(image))
        except (ValueError, OSError):
            continue
        try:
            images.Boxed(image, box).region(size)
        except ValueError as error:
            yield Problem(source, line, f"{image}: {error}")


def _box(numbers: list[str]) -> list[float] | None:
    try:
        left, top, right, bottom = map(float, numbers)
    except ValueError:
        return None
    good = left < right and top < bottom and math.isfinite(right - left + bottom - top)
    return [left, top, right, bottom] if good else None
