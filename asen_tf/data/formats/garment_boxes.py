"""The box of the garment in each photograph: columns of a table, or a file of their own.

Columns are `x1,y1,x2,y2`, or `box` with all four in one cell ("62 62 165 300", or with commas):
left, top, right and bottom in pixels of the upright photograph. Blank: no box, the whole photograph
counts. A file of their own has `image` beside them. (The boxes of `boxes_file` are others: of the
part of a garment that shows an attribute.)
"""

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asen_client.images.boxes import SIDES, Box, checked_box
from asen_tf.data.manifest import GarmentBoxes, Manifest, Problem
from asen_tf.data.root import clean_name
from asen_tf.data.tables import Table

COLUMN = "box"
# Names of columns that are never attributes, nor metadata of a catalogue.
COLUMNS = (COLUMN, *SIDES)

_BETWEEN = re.compile(r"[\s,]+")


class BoxColumns:
    """The columns of a table that hold boxes; `names` is empty where it has none.

    Raises:
      ValueError: some of the four are missing, or there are two kinds.
    """

    def __init__(self, table: Table):
        self.names = [name for name in COLUMNS if name in table.header]
        if self.names not in ([], [COLUMN], [*SIDES]):
            raise ValueError(
                f"{table.heading}: expected the columns {', '.join(SIDES)} or {COLUMN}, found "
                f"{', '.join(self.names)}"
            )

    def read(self, cells: Sequence[str]) -> Box | None:
        """The box in the cells of `names`; None: blank. ValueError, naming the column: no box."""
        texts = list(cells)
        if not any(texts):
            return None
        if self.names == [COLUMN]:
            [text] = texts
            texts = _BETWEEN.split(text)
            if len(texts) != 4:
                expected = f"four numbers as {COLUMN}, {' '.join(SIDES)}"
                raise ValueError(f"expected {expected}, got {text!r}")
        return checked_box(texts)


def read_file(root: Path, source: str, problems: list[Problem]) -> dict[str, tuple[int, Box]]:
    """The boxes file `source`, relative to `root`: path of a photograph -> line and box.

    Rows that are bad, or about a photograph that had a row, are left out and added to `problems`.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: the file is not a CSV table with these columns.
    """
    table = Table(root, source, ["image"])
    columns = BoxColumns(table)
    if not columns.names:
        raise ValueError(
            f"{table.heading}: no columns {', '.join(SIDES)} beside image, nor {COLUMN}"
        )
    image, *order = (table.header.index(name) for name in ("image", *columns.names))
    found: dict[str, tuple[int, Box]] = {}
    for line, cells in table.rows(problems):
        name = clean_name(cells[image])
        try:
            if name in found:
                raise ValueError(f"{name} has a box on line {found[name][0]} already")
            if box := columns.read([cells[at] for at in order]):
                found[name] = line, box
        except ValueError as error:
            problems.append(Problem(source, line, str(error)))
    return found


def with_garment_boxes(
    manifest: Manifest, problems: list[Problem], source: str
) -> tuple[Manifest, list[Problem]]:
    """Adds the boxes in the file `source` (relative to the root) to what a format has read.

    A box belongs to every row of its photograph. What `read_file` leaves out, and boxes of
    photographs that the manifest does not have, are problems. An empty `source` changes nothing.

    Raises:
      FileNotFoundError, ValueError: as `read_file`; or the manifest has boxes already.
    """
    if not source:
        return manifest, problems
    if manifest.garment_boxes is not None:
        raise ValueError(
            f"garments' boxes are in {manifest.garment_boxes.source} and in {source}: leave "
            "data.garment_boxes empty, or remove the columns"
        )
    problems = list(problems)
    found = read_file(manifest.root, source, problems)
    boxes = np.full((len(manifest), 4), np.nan)
    lines = np.zeros(len(manifest), np.int32)
    for row, name in enumerate(manifest.images.tolist()):
        if name in found:
            lines[row], boxes[row] = found[name]
    problems += [
        Problem(source, found[name][0], f"{name!r} is not an image of the manifest")
        for name in found.keys() - set(manifest.images.tolist())
    ]
    garment_boxes = GarmentBoxes(boxes, lines, source)
    return dataclasses.replace(manifest, garment_boxes=garment_boxes), problems
