"""A catalogue's table: `image[,id][,x1,y1,x2,y2]`, columns of labels, others with metadata."""

import dataclasses
import re
from collections.abc import Iterable
from pathlib import Path

from asen_tf.data.formats import garment_boxes
from asen_tf.data.formats.attributes_file import split_values
from asen_tf.data.formats.garment_boxes import BoxColumns
from asen_tf.data.formats.table import Table
from asen_tf.data.manifest import Problem
from asen_tf.data.root import clean_name
from asen_tf.images.boxes import Box

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_SHOWN = 50


@dataclasses.dataclass(frozen=True)
class CatalogueRow:
    """One item.

    Attributes:
      id: its name.
      image: path of its photograph relative to the data root.
      labels: attribute -> values, where the cell is not blank.
      metadata: the other columns, where the cell is not blank.
      box: of the garment, in pixels of the upright photograph; None: all of it counts.
    """

    id: str
    image: str
    labels: dict[str, list[str]]
    metadata: dict[str, str | int | float]
    box: Box | None = None


def read_catalogue(
    manifest: Path, attributes: Iterable[str], boxes_file: Path | None = None
) -> list[CatalogueRow]:
    """Reads a CSV in UTF-8 with a header; without the column `id` an image's path is its name.

    A column in which all cells that are not blank are numbers holds numbers; `007` is text.

    Args:
      manifest: the table.
      attributes: names of the columns that hold labels, several in a cell as `a|b`.
      boxes_file: the garments' boxes, where they are not columns of the table, see
        `formats.garment_boxes`.

    Raises:
      ValueError: it is no such table, a row is incomplete, a box is none, or two rows have the same
        id; lists the lines.
      FileNotFoundError: there is no such file.
    """
    table = Table(manifest.parent, manifest.name, required=["image"])
    problems: list[Problem] = []
    lines = list(table.rows(problems))
    texts = [cells for _, cells in lines]
    attributes = [name for name in attributes if name in table.header]
    box_columns = BoxColumns(table)
    boxes = _boxes_of(boxes_file, box_columns, problems) if boxes_file else {}
    known = ("id", "image", *garment_boxes.COLUMNS, *attributes)
    others = [name for name in table.header if name not in known]
    columns = dict(zip(table.header, zip(*texts, strict=True), strict=False))
    numbers = {name for name in others if _are_numbers(columns.get(name, ()))}
    rows, seen = [], {}
    for (line, _), cells in zip(lines, texts, strict=True):
        given = dict(zip(table.header, cells, strict=True))
        given["image"] = clean_name(given["image"])
        name = given.get("id", given["image"])
        message = _problem(name, given["image"], seen)
        try:
            box = box_columns.read([given[side] for side in box_columns.names])
        except ValueError as error:
            message = message or str(error)
        if message:
            problems.append(Problem(table.source, line, message))
            continue
        seen[name] = line
        labels = {a: list(split_values(given[a])) for a in attributes if given[a]}
        metadata = {
            key: _number(given[key]) if key in numbers else given[key]
            for key in others
            if given[key]
        }
        box = box or boxes.get(given["image"], (0, None))[1]
        rows.append(CatalogueRow(name, given["image"], labels, metadata, box))
    if problems:
        shown = sorted(problems, key=lambda problem: problem.line)[:_SHOWN]
        lines = [f"{len(problems)} problems in the catalogue", *map(str, shown)]
        if len(problems) > _SHOWN:
            lines.append(f"... and {len(problems) - _SHOWN} more")
        raise ValueError("\n".join(lines))
    if not rows:
        raise ValueError(f"{table.source}: only a header")
    return rows


def _boxes_of(
    file: Path, columns: BoxColumns, problems: list[Problem]
) -> dict[str, tuple[int, Box]]:
    if columns.names:
        raise ValueError(
            f"garments' boxes are in {file.name} and in the columns {', '.join(columns.names)}: "
            "leave one of them out"
        )
    return garment_boxes.read_file(file.parent, file.name, problems)


def _problem(name: str, image: str, seen: dict[str, int]) -> str | None:
    if not name or not image:
        return "no image path" if name else "no id"
    if name in seen:
        return f"id {name!r} is on line {seen[name]} already; every row needs its own"
    return None


def _are_numbers(cells: Iterable[str]) -> bool:
    found = [cell for cell in cells if cell]
    return bool(found) and all(_NUMBER.fullmatch(cell) for cell in found)


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)
