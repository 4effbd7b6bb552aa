"""A catalogue's table: `image[,id][,product][,x1,y1,x2,y2]`, columns of labels, of metadata."""

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from absl import logging

from asen_client.images.boxes import Box
from asen_tf.core.choices import PRODUCT
from asen_tf.data.doubts import NO_VALUE, some
from asen_tf.data.formats import garment_boxes
from asen_tf.data.formats.attributes_file import split_values
from asen_tf.data.formats.garment_boxes import BoxColumns
from asen_tf.data.manifest import Problem
from asen_tf.data.root import clean_name
from asen_tf.data.tables import Frame, Table

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_WITH_COMMA = re.compile(r"-?(0|[1-9]\d*|[1-9]\d{0,2}(\.\d{3})+)(,\d{1,2})?")
_WITH_THOUSANDS = re.compile(r"-?(0|[1-9]\d*|[1-9]\d{0,2}(,\d{3})+)(\.\d+)?")
_TO_PLAIN = {
    _WITH_COMMA: str.maketrans({".": "", ",": "."}),
    _WITH_THOUSANDS: str.maketrans("", "", ","),
}
_CURRENCY = re.compile(
    r"[$€£¥₹₺₩]|(?<![^\W\d_])"
    r"(?:EUR|USD|GBP|CHF|JPY|CNY|INR|CAD|AUD|SEK|NOK|DKK|PLN|CZK|kr|zł)(?![^\W\d_])"
)
_SPACE = re.compile(r"(?<=\d)[\s'\u2019](?=\d{3}(?!\d))")  # between thousands
_DIGITS = re.compile(r"-?\d[\d.,]*")
_CODE = re.compile(r"0\d+")
_FEW = 5  # at most one in so many cells of a column of numbers is odd
_SHOWN = 50


@dataclasses.dataclass(frozen=True)
class CatalogueRow:
    """One item.

    Attributes:
      id: its name.
      image: path of its photograph relative to the data root.
      labels: attribute -> values, where the cell is not blank.
      metadata: the other columns, `product` among them, where the cell is not blank.
      box: of the garment, in pixels of the upright photograph; None: all of it counts.
    """

    id: str
    image: str
    labels: dict[str, list[str]]
    metadata: dict[str, str | int | float]
    box: Box | None = None


def read_catalogue(
    manifest: Path | Frame,
    attributes: Iterable[str],
    boxes_file: Path | None = None,
    names: Mapping[str, str] | None = None,
) -> list[CatalogueRow]:
    """Reads a table of `asen_tf.data.tables`; without the column `id` an image's path is its name.

    A column holds numbers if most cells that are not blank are, or most are as `12,90`, some
    perhaps as `1.299,00`, or some as `1,299.00`; all may name one currency, `39,90 €`, of which
    `1.299 €` is more than a thousand. The log names odd ones, which are left out. One with many odd
    cells, or with one such as `007`, is text, which the log says, too.

    Args:
      manifest: the table, a file or a frame.
      attributes: names of the columns that hold labels, several in a cell as `a|b`.
      boxes_file: the garments' boxes, where they are not columns of the table, see
        `formats.garment_boxes`.
      names: what columns are called in the table: `{"image": "photo_url", "collar": "Kragen"}`.

    Raises:
      ValueError: it is no such table, a row is incomplete, a box is none, or two rows have the same
        id; lists the lines.
      FileNotFoundError: there is no such file.
    """
    table = Table.at(manifest, ["image"], names or {})
    problems: list[Problem] = []
    lines = list(table.rows(problems))
    texts = [cells for _, cells in lines]
    attributes = [name for name in attributes if name in table.header]
    box_columns = BoxColumns(table)
    boxes = _boxes_of(boxes_file, box_columns, problems) if boxes_file else {}
    known = ("id", "image", *garment_boxes.COLUMNS, *attributes)
    others = [name for name in table.header if name not in known]
    columns = dict(zip(table.header, zip(*texts, strict=True), strict=False))
    at = [line for line, _ in lines]
    plain = {name: _plain(columns.get(name, ())) for name in others}
    able = [name for name in others if name != PRODUCT]  # of which `07` and `7` are two
    numbers = {n for n in able if _holds_numbers(table.source, n, at, plain[n])}
    rows, seen = [], {}
    for row, (line, cells) in enumerate(lines):
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
            key: _number(plain[key][row]) if key in numbers else given[key]
            for key in others
            if given[key] and (key not in numbers or _NUMBER.fullmatch(plain[key][row]))
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


def columns_told(rows: Iterable[CatalogueRow], attributes: Iterable[str]) -> str:
    """A line about which columns hold labels, numbers and texts, and which attributes have none."""
    kinds: dict[str, dict[str, None]] = {"labels": {}, "numbers": {}, "texts": {}}
    products = set()
    for row in rows:
        kinds["labels"].update(dict.fromkeys(row.labels))
        products.add(row.metadata.get(PRODUCT))
        for name, value in row.metadata.items():
            kinds["texts" if isinstance(value, str) else "numbers"][name] = None
    found = [f"{kind} {', '.join(names)}" for kind, names in kinds.items() if names]
    if known := products - {None}:
        found.append(f"{len(known)} products")
    if without := [name for name in attributes if name not in kinds["labels"]]:
        found.append(f"no labels of {', '.join(without)}")
    return f"columns: {'; '.join(found)}"


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


def _holds_numbers(source: str, name: str, lines: Sequence[int], cells: Sequence[str]) -> bool:
    """Whether a column holds numbers; the log names the cells that are none where most are."""
    given = [(line, cell) for line, cell in zip(lines, cells, strict=False) if cell]
    odd = [(line, cell) for line, cell in given if not _NUMBER.fullmatch(cell)]
    found = len(given) - len(odd)
    words = [cell for _, cell in odd if cell.casefold() not in NO_VALUE]
    code = next((one for one in odd if _CODE.fullmatch(one[1])), None)
    holds = found > len(odd) and _FEW * len(words) <= len(given) and not code
    if odd and found > len(odd):
        so = "left out are" if holds else "kept as text because of"
        shown = some([f"line {line} {cell!r}" for line, cell in ([code] if code else odd)], 5)
        logging.warning(
            "%s: column %s: %d of %d cells are numbers; %s %s",
            source,
            name,
            found,
            len(given),
            so,
            shown,
        )
    return bool(given) and holds


def _plain(cells: Sequence[str]) -> list[str]:
    """A column as Python writes numbers, without its currency; one that names several has none.

    Money has three digits behind a mark between thousands, unless another cell speaks against it.
    """
    named = {mark for cell in cells for mark in _CURRENCY.findall(cell)}
    if len(named) != 1:
        return _with_points(cells)
    mark = re.escape(named.pop())
    bare = (re.sub(rf"^(-?)\s*{mark}\s*|\s*{mark}$", r"\1", cell) for cell in cells)
    cells = [_SPACE.sub("", cell) for cell in bare]
    digits = [*filter(_DIGITS.fullmatch, cells)]
    for form in _TO_PLAIN:
        if all(map(form.fullmatch, digits)):
            return _from(form, cells)
    return _with_points(cells)


def _with_points(cells: Sequence[str]) -> list[str]:
    """A column with points for decimal commas, where most cells have those.

    A point is then one between thousands; where any is not, the column stays as it is. Where a cell
    has commas before its point, those of all cells are between thousands.
    """
    if any("," in c and "." in c and _WITH_THOUSANDS.fullmatch(c) for c in cells):
        return _from(_WITH_THOUSANDS, cells)
    able = [bool(_WITH_COMMA.fullmatch(cell)) for cell in cells]
    commas = sum(ok and "," in cell for cell, ok in zip(cells, able, strict=True))
    other = any("." in cell and not ok for cell, ok in zip(cells, able, strict=True))
    if other or 2 * commas <= sum(map(bool, cells)):
        return list(cells)
    return _from(_WITH_COMMA, cells)


def _from(form: re.Pattern, cells: Sequence[str]) -> list[str]:
    return [c.translate(_TO_PLAIN[form]) if form.fullmatch(c) else c for c in cells]


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)
