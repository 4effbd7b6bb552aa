"""The label files of the FashionAI Global Challenge 2018 (attribute recognition), as published.

CSV without a header, a row an image and one of its attributes:

    Images/skirt_length_labels/0a1b.jpg,skirt_length_labels,nymnnn

One letter for each value: `y` it is, `n` it is not, `m` it may be (the challenge: experts differ,
or the value is near the true one). Exactly one letter is `y`. Answers have a fourth cell, which is
passed over. `options.label_files` are patterns of such files under the root.

Paths of images begin at their archive's folder. As published a file lies one folder deep in it
(`fashionAI_attributes_train1/Annotations/label.csv`), but any folder above the file, and any of the
root that has `Images/`, may be the one.

The label is the `y`. An `m` counts as `n` by default, as in the ASEN papers: such an image can be
drawn as a negative of a value it may have. With `options.maybe` an `m` is a label as well: then it
is never a negative of that value, but can be a positive of it, and counts as relevant.

`invisible` is a value like the others: two photographs that both hide the collar are alike in it.

Splits: the challenge's archives bring none, so `hashed_splits` of the file's name decides. Copies
of one photograph under several attributes share a name, and so a split.
"""

import csv
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from asen_client.core.attributes import AttributeSpace
from asen_client.core.errors import unknown_name
from asen_client.core.foreign import FormatError, shown, text_lines
from asen_tf.data.formats.hashed_splits import hashed_splits
from asen_tf.data.manifest import Manifest, Problem, label_records, sort_labels
from asen_tf.data.root import clean_name, name_problem

SUFFIX = "_labels"
# Attributes in the order of the ASEN releases, values in the order of the letters.
SPACE = AttributeSpace(
    {
        "skirt_length": ("invisible", "short", "knee", "midi", "ankle", "floor"),
        "sleeve_length": (
            *("invisible", "sleeveless", "cup", "short", "elbow", "3/4", "wrist", "long"),
            "extra long",
        ),
        "coat_length": (
            *("invisible", "high waist", "regular", "long", "micro", "knee", "midi"),
            "ankle & floor",
        ),
        "pant_length": ("invisible", "short", "mid", "3/4", "cropped", "full"),
        "collar_design": ("invisible", "shirt", "peter pan", "puritan", "rib"),
        "lapel_design": ("invisible", "notched", "collarless", "shawl", "plus size shawl"),
        "neckline_design": (
            *("invisible", "strapless", "deep v", "straight", "v", "square", "off shoulder"),
            *("round", "sweetheart", "one shoulder"),
        ),
        "neck_design": ("invisible", "turtle", "ruffle semi-high", "low turtle", "draped"),
    }
)


def read(root: Path, options: ConfigDict) -> tuple[Manifest, list[Problem]]:
    """Reads the label files that match `options.label_files`; bad rows are listed as problems.

    Raises:
      FileNotFoundError: no file matches.
      ValueError: a file is not CSV in UTF-8, or no row of any file could be read.
    """
    sources = _sources(root, options.label_files)
    problems: list[Problem] = []
    rows: list[_Row] = []
    taken: set[tuple[str, int]] = set()
    for source in sources:
        archives = _Archives(root, source)
        found = _read_file(root, source, archives, taken, problems)
        if options.check != "none" and (nowhere := archives.nowhere()):
            problems.append(Problem(source, 0, nowhere))
        else:
            rows += found
    if not rows:
        raise ValueError(f"no row could be read: {problems[0] if problems else sources[0]}")
    first = {row.image: row for row in reversed(rows)}
    images = sorted(first)
    manifest = Manifest(
        root=root,
        space=SPACE,
        images=np.array(images, np.str_),
        splits=hashed_splits(image.rpartition("/")[2] for image in images),
        labels=_labels(rows, images, options.maybe),
        lines=np.array([first[image].line for image in images], np.int32),
        source=", ".join(sources),
        sources=np.array([first[image].source for image in images], np.str_),
    )
    return manifest, problems


class _Row(NamedTuple):
    image: str
    attribute: int
    letters: str
    source: str
    line: int


def _sources(root: Path, patterns: Sequence[str]) -> list[str]:
    """The label files under the root, relative to it."""
    found = {path.relative_to(root).as_posix() for p in patterns for path in root.glob(p)}
    if not found:
        raise FileNotFoundError(
            f"{root}: no label file matches {', '.join(patterns)}; expected for example "
            "fashionAI_attributes_train1/Annotations/label.csv (data.label_files)"
        )
    return sorted(found)


def _read_file(
    root: Path,
    source: str,
    archives: "_Archives",
    taken: set[tuple[str, int]],
    problems: list[Problem],
) -> list[_Row]:
    """The good rows; `taken` are the images and attributes that have one already."""
    rows = []
    reader = csv.reader((text for _, text in text_lines(root / source, source)), strict=True)
    try:
        for cells in reader:
            message = _problem(cells) if cells else None
            if cells and not message:
                image = archives.path(clean_name(cells[0]))
                attribute = SPACE.index(cells[1].strip().removesuffix(SUFFIX))
                if (image, attribute) in taken:
                    message = f"{image} is labelled for {SPACE.names[attribute]} already"
                else:
                    taken.add((image, attribute))
                    rows.append(_Row(image, attribute, cells[2].strip(), source, reader.line_num))
            if message:
                problems.append(Problem(source, reader.line_num, message))
    except csv.Error as error:
        raise FormatError(source, f"not CSV: {error}", line=reader.line_num) from error
    return rows


class _Archives:
    """The folders, relative to the root, that the paths in a file may begin at."""

    def __init__(self, root: Path, source: str):
        self._root = root
        above = [folder.as_posix() for folder in Path(source).parents]
        beside = sorted(folder.parent.name for folder in root.glob("*/Images"))
        self._folders = list(dict.fromkeys([*above, *beside]))
        self._as_published = above[min(1, len(above) - 1)]
        self._found: dict[str, list[str]] = {}

    def path(self, image: str) -> str:
        """The image's path from the root; where it is nowhere, that as published."""
        inside = image.rpartition("/")[0]
        if inside not in self._found:
            self._found[inside] = [f for f in self._folders if self._has(f, inside, os.path.isdir)]
        archives = self._found[inside] or [self._as_published]
        if len(archives) > 1:
            archives = [f for f in archives if self._has(f, image, os.path.isfile)] or archives
        return (Path(archives[0]) / image).as_posix()

    def _has(self, folder: str, path: str, exists: Callable[[Path], bool]) -> bool:
        return exists(self._root / folder / path)

    def nowhere(self) -> str | None:
        """Says so if no folder of any image was found."""
        if not self._found or any(self._found.values()):
            return None
        return (
            f"no folder {next(iter(self._found))}/ in {', '.join(self._folders)} of {self._root}: "
            "put the label file into the folder that holds Images/, or into one below it"
        )


def _problem(cells: list[str]) -> str | None:
    """What is wrong with a row."""
    if len(cells) not in (3, 4):
        hint = "; cells are separated by commas" if re.search(r"[;\t|]", cells[0]) else ""
        return f"expected image,attribute{SUFFIX},letters, found {len(cells)} cells{hint}"
    image, attribute, letters = (cell.strip() for cell in cells[:3])
    name = attribute.removesuffix(SUFFIX)
    if not image:
        return "no image path"
    if found := name_problem(image):
        return found
    if name == attribute or name not in SPACE:
        return unknown_name("attribute", attribute, [known + SUFFIX for known in SPACE])
    count = len(SPACE[name].values)
    if len(letters) != count or set(letters) - set("ynm"):
        return f"expected {count} letters y, m or n, one for each {name}, found {shown(letters)}"
    if letters.count("y") != 1:
        return f"expected exactly one y, found {shown(letters)}"
    return None


def _labels(rows: list[_Row], images: list[str], maybe: bool) -> np.ndarray:
    row_of = {image: number for number, image in enumerate(images)}
    parts = []
    for attribute, count in enumerate(SPACE.value_counts):
        own = [row for row in rows if row.attribute == attribute]
        letters = np.array([row.letters for row in own], f"S{count}").view("S1").reshape(-1, count)
        at, values = np.nonzero((letters == b"y") | (maybe & (letters == b"m")))
        images_of_rows = np.array([row_of[row.image] for row in own], np.int32)
        parts.append(label_records(images_of_rows[at], attribute, values))
    return sort_labels(np.concatenate(parts))
