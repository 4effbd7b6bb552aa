"""One CSV table: `image,split[,role][,id][,product][,x1,y1,x2,y2],<attribute>,...`, a row an image.

- `image`: path relative to the data root.
- `split`: train, valid or test.
- `role`: query or candidate in the splits for evaluation; may be blank or absent.
- `id`: of the item in the catalogue; may be absent. Training and evaluation ignore it.
- `product`: which product it shows, for evaluation; may be blank or absent. Where `options.columns`
  or the attributes file names it, it is an attribute.
- `x1,y1,x2,y2`, or `box`: of the garment, see `garment_boxes`; may be blank or absent.
- every other column is an attribute: one of its values, several as `a|b`, blank for unlabelled.
  `options.columns` names those that are, if not all, in their order.

`options.column_names` says what those of the first five kinds are called, if otherwise.

Attributes and values are those of the attributes file, if one is named; otherwise the columns in
their order and, of each, the values found, sorted as text.
"""

import array
import dataclasses
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from absl import logging
from ml_collections import ConfigDict

from asen_client.core.attributes import AttributeSpace
from asen_client.core.errors import check_names, unknown_name
from asen_tf.core.choices import PRODUCT
from asen_tf.core.read_ahead import batched
from asen_tf.data.formats import attributes_file, garment_boxes
from asen_tf.data.formats.attributes_file import split_values
from asen_tf.data.manifest import (
    LABEL,
    ROLES,
    SPLITS,
    GarmentBoxes,
    Manifest,
    Problem,
    label_records,
    sort_labels,
)
from asen_tf.data.root import clean_name
from asen_tf.data.tables import Frame, Table

RESERVED = ("image", "split", "role", "id", *garment_boxes.COLUMNS)
LONGEST_PATH = 1024


def read(
    root: Path, options: ConfigDict, frame: Frame | None = None
) -> tuple[Manifest, list[Problem]]:
    """Reads the table `options.manifest`, or a frame; bad rows are left out and listed as problems.

    Raises:
      FileNotFoundError: the table or the attributes file is missing.
      ValueError: the header is wrong, or an attribute has no value in any row.
    """
    source = options.manifest if frame is None else frame
    table = Table(root, source, required=("image", "split"), names=options.column_names)
    box_columns = garment_boxes.BoxColumns(table)
    space = attributes_file.read(root, options.attributes_file) if options.attributes_file else None
    has_products = PRODUCT in table.header and PRODUCT not in (*options.columns, *(space or ()))
    reserved = (*RESERVED, PRODUCT) if has_products else RESERVED
    names = [name for name in table.header if name not in reserved]
    check_names(f"column of {table.source} in data.columns", options.columns, names, once=True)
    names = list(options.columns) or names
    if not names:
        raise ValueError(f"{table.heading}: no attribute column beside {', '.join(table.header)}")
    for name in names if space else ():
        if name not in space:
            raise ValueError(f"{table.heading}: {unknown_name('attribute column', name, space)}")

    problems: list[Problem] = []
    images, lines, columns = _read_columns(table, problems)
    if not images:
        reason = str(problems[0]) if problems else f"{table.source}: only a header"
        raise ValueError(f"no row could be read: {reason}")
    _check_role_column(table, columns, names)
    space = space or _space_of(table.source, names, columns)
    splits = _resolve(columns["split"], lambda text: SPLITS.index(text), -1)
    roles = np.zeros(len(images), np.int8)
    if "role" in columns:
        roles = _resolve(columns["role"], lambda text: ROLES.index(text), -1)

    if "id" in columns:
        _warn_of_ids(table.source, columns["id"])
    good = np.ones(len(images), bool)
    boxes, bad_boxes = _boxes(box_columns, columns, len(images))
    for row, message in [*_bad_rows(images, splits, roles, columns, space), *bad_boxes]:
        good[row] = False
        problems.append(Problem(table.source, int(lines[row]), message))
    garments = None
    if boxes is not None:
        garments = GarmentBoxes(boxes[good], lines[good], table.source)
    columns = {name: dataclasses.replace(c, codes=c.codes[good]) for name, c in columns.items()}
    manifest = Manifest(
        root=root,
        space=space,
        images=np.array(list(itertools.compress(images, good)), np.str_),
        splits=splits[good].astype(np.int8),
        labels=_labels(space, columns, roles[good]),
        lines=lines[good],
        source=table.source,
        garment_boxes=garments,
        products=_products(columns[PRODUCT]) if has_products else None,
    )
    problems.sort(key=lambda problem: problem.line)
    return manifest, problems


@dataclasses.dataclass(frozen=True)
class _Column:
    """The cells of one column: `texts[codes[row]]`."""

    codes: np.ndarray
    texts: list[str]

    def text(self, row: int) -> str:
        return self.texts[self.codes[row]]


class _Vocabulary(dict):
    """Numbers texts in the order in which they first come."""

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self)
        return number


def _read_columns(
    table: Table, problems: list[Problem]
) -> tuple[list[str], np.ndarray, dict[str, _Column]]:
    """Image paths, line numbers and the other columns, of the rows with all their cells."""
    images: list[str] = []
    lines = array.array("i")
    codes = {name: array.array("i") for name in table.header}
    texts = {name: _Vocabulary() for name in table.header}
    for chunk in batched(table.rows(problems), 10_000):
        chunk_lines, rows = zip(*chunk, strict=True)
        lines.extend(chunk_lines)
        for name, cells in zip(table.header, zip(*rows, strict=True), strict=True):
            if name == "image":
                images.extend(map(clean_name, cells))
            else:
                codes[name].extend(map(texts[name].__getitem__, cells))
    columns = {
        name: _Column(np.array(codes[name], np.int32), list(texts[name]))
        for name in table.header
        if name != "image"
    }
    return images, np.array(lines, np.int32), columns


def _warn_of_ids(source: str, column: _Column) -> None:
    """Training knows no ids, but what indexes the same table does."""
    counts = np.bincount(column.codes, minlength=len(column.texts))
    if twice := [
        text for text, count in zip(column.texts, counts, strict=True) if count > 1 and text
    ]:
        told = ", ".join(twice[:20]) + (", ..." if len(twice) > 20 else "")
        logging.warning(
            "%s: %d ids are given more than once, and asen-index takes each once: %s",
            source,
            len(twice),
            told,
        )


def _check_role_column(table: Table, columns: dict[str, _Column], names: list[str]) -> None:
    """A misspelt `role` would otherwise become an attribute."""
    for name in names:
        found = {*columns[name].texts} - {""}
        if "role" not in columns and found and found <= set(ROLES):
            raise ValueError(f"{table.heading}: column {name!r} holds roles: name it 'role'")


def _resolve(column: _Column, number: Callable[[str], int], unknown: int) -> np.ndarray:
    """What `number` gives for each row's cell, `unknown` where it raises ValueError."""

    def resolve(text: str) -> int:
        try:
            return number(text)
        except ValueError:
            return unknown

    return np.array([resolve(text) for text in column.texts], np.int64)[column.codes]


def _bad_rows(
    images: list[str],
    splits: np.ndarray,
    roles: np.ndarray,
    columns: dict[str, _Column],
    space: AttributeSpace,
) -> Iterator[tuple[int, str]]:
    """Yields (row, what is wrong with it)."""
    for row, image in enumerate(images):
        if not image:
            yield row, "no image path"
        elif len(image) > LONGEST_PATH:
            yield row, f"image path of {len(image)} characters; at most {LONGEST_PATH} are expected"
    for kind, numbers, known in (("split", splits, SPLITS), ("role", roles, ROLES[1:])):
        for row in np.flatnonzero(numbers < 0):
            column = columns[kind]
            yield row, unknown_name(kind, column.text(row), known)
    for name in space:
        if name in columns:
            yield from _unknown_values(columns[name], space, name)


def _unknown_values(column: _Column, space: AttributeSpace, name: str) -> Iterator[tuple[int, str]]:
    messages = {}
    for code, text in enumerate(column.texts):
        try:
            _value_numbers(text, space, name)
        except ValueError as error:
            messages[code] = str(error)
    for row in np.flatnonzero(np.isin(column.codes, list(messages))):
        yield row, messages[column.codes[row]]


def _value_numbers(text: str, space: AttributeSpace, name: str) -> list[int]:
    return [space[name].index(value) for value in split_values(text)]


def _boxes(
    its: garment_boxes.BoxColumns, columns: dict[str, _Column], rows: int
) -> tuple[np.ndarray | None, list[tuple[int, str]]]:
    """The garments' boxes, [N, 4], None without such columns; (row, what is wrong) of bad ones."""
    if not its.names:
        return None, []
    boxes, bad = np.full((rows, 4), np.nan), []
    for row in range(rows):
        try:
            boxes[row] = its.read([columns[name].text(row) for name in its.names]) or np.nan
        except ValueError as error:
            bad.append((row, str(error)))
    return boxes, bad


def _products(column: _Column) -> np.ndarray:
    known = np.array([bool(text) for text in column.texts])
    return np.where(known[column.codes], column.codes, -1).astype(np.int32)


def _space_of(source: str, names: list[str], columns: dict[str, _Column]) -> AttributeSpace:
    found = {}
    for name in names:
        found[name] = sorted({v for text in columns[name].texts for v in split_values(text)})
        if not found[name]:
            raise ValueError(
                f"{source}: attribute column {name!r} is blank in every row: "
                f"label some images or remove the column"
            )
    return AttributeSpace(found)


def _labels(space: AttributeSpace, columns: dict[str, _Column], roles: np.ndarray) -> np.ndarray:
    parts = [np.zeros(0, LABEL)]
    for attribute, name in enumerate(space):
        if name not in columns:
            continue
        column = columns[name]
        numbers: list[list[int]] = [[]] * len(column.texts)
        for code in np.unique(column.codes):
            numbers[code] = _value_numbers(column.texts[code], space, name)
        # One pass for each row's first value, one for its second, ...
        for nth in range(max(map(len, numbers), default=0)):
            value = np.array([n[nth] if nth < len(n) else -1 for n in numbers])[column.codes]
            rows = np.flatnonzero(value >= 0)
            parts.append(label_records(rows, attribute, value[rows], roles[rows]))
    return sort_labels(np.concatenate(parts))
