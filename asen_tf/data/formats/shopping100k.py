"""Shopping100k (Ak et al., WACV 2018): photographs of garments without a wearer, 12 attributes.

The data set is given out on request only, and we have not seen it. What is read is this:

- `Images/`: the photographs.
- `Attributes/<attribute>.txt`, a file for each attribute, in UTF-8: a line an image, its path
  relative to `Images/`, blanks or a comma, and a value. The path has no blanks, the value may. An
  image without a line is unlabelled, one with several lines has several values. The attributes come
  in the order of their names, the values of each in the order of theirs (numbers by size).
- `imgs_train.txt` and `imgs_test.txt`, optionally `imgs_valid.txt`, in `options.index_dir`, where
  they are there: the images of each split, a path a line, as the release of Hou et al. (ICCV 2021)
  has them. Images in none of them are left out. Without `imgs_train.txt` the splits are
  `hashed_splits` of the paths.
"""

import re
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from asen_tf.core.attributes import AttributeSpace
from asen_tf.core.foreign import shown, text_lines
from asen_tf.data.formats import index_files
from asen_tf.data.formats.hashed_splits import hashed_splits
from asen_tf.data.manifest import SPLITS, Manifest, Problem, label_records, sort_labels

FOLDER = "Images"
ATTRIBUTES = "Attributes"

_LINE = re.compile(r"([^\s,]+)[\s,]+(\S.*)")


def read(root: Path, options: ConfigDict) -> tuple[Manifest, list[Problem]]:
    """Reads the folders under `root`; bad lines are left out and listed as problems.

    Raises:
      FileNotFoundError: there is no `Attributes/*.txt`.
      ValueError: a file has no good line.
    """
    sources = sorted(path.name for path in (root / ATTRIBUTES).glob("*.txt"))
    if not sources:
        raise FileNotFoundError(
            f"{root / ATTRIBUTES}: no attribute files; data.root should be the folder with "
            f"{FOLDER}/ and {ATTRIBUTES}/<attribute>.txt"
        )
    problems: list[Problem] = []
    first: dict[str, tuple[str, int]] = {}
    given = {
        Path(name).stem: _read_file(root, f"{ATTRIBUTES}/{name}", first, problems)
        for name in sources
    }
    space = AttributeSpace(
        {name: sorted({value for _, value in rows}, key=_order) for name, rows in given.items()}
    )
    images = sorted(first)
    manifest = Manifest(
        root=root,
        space=space,
        images=np.array([f"{FOLDER}/{image}" for image in images], np.str_),
        splits=_splits(root, index_files.folder(root, options), images, problems),
        labels=_labels(space, given, {image: row for row, image in enumerate(images)}),
        lines=np.array([first[image][1] for image in images], np.int32),
        source=f"{ATTRIBUTES}/*.txt",
        sources=np.array([first[image][0] for image in images], np.str_),
    )
    manifest = manifest.take(np.flatnonzero(manifest.splits >= 0))
    return manifest, problems


def _read_file(
    root: Path, source: str, first: dict[str, tuple[str, int]], problems: list[Problem]
) -> list[tuple[str, str]]:
    """(image, value) of each good line; `first` gets where an image stands for the first time."""
    rows = []
    for line, text in text_lines(root / source, source):
        match = _LINE.fullmatch(text.strip())
        if match:
            rows.append(match.groups())
            first.setdefault(match[1], (source, line))
        elif text.strip():
            message = f"expected a path and a value, found {shown(text.strip())}"
            problems.append(Problem(source, line, message))
    if not rows:
        raise ValueError(f"{source}: no line with a path and a value")
    return rows


def _order(value: str) -> tuple[bool, int, str]:
    # As numbers, of whatever length.
    return (False, len(value.lstrip("0")), value) if value.isdecimal() else (True, 0, value)


def _labels(
    space: AttributeSpace, given: dict[str, list[tuple[str, str]]], row_of: dict[str, int]
) -> np.ndarray:
    parts = []
    for attribute, (name, rows) in enumerate(given.items()):
        number = {value: n for n, value in enumerate(space[name].values)}
        images, values = np.array([(row_of[image], number[value]) for image, value in rows]).T
        parts.append(label_records(images, attribute, values))
    return sort_labels(np.concatenate(parts))


def _splits(root: Path, folder: str, images: list[str], problems: list[Problem]) -> np.ndarray:
    """[N] int8, position in `SPLITS`, -1 for images in no list."""
    sources = {split: f"{folder}/imgs_{split}.txt" for split in SPLITS}
    if not (root / sources["train"]).is_file():
        return hashed_splits(images)
    row_of = {image: row for row, image in enumerate(images)}
    splits = np.full(len(images), -1, np.int8)
    for number, split in enumerate(SPLITS):
        if not (root / sources[split]).is_file():
            continue
        for line, text in text_lines(root / sources[split], sources[split]):
            row = row_of.get(text.strip())
            if row is not None and splits[row] < 0:
                splits[row] = number
            elif text.strip():
                reason = "has no attribute" if row is None else "is listed already"
                message = f"{text.strip()} {reason}"
                problems.append(Problem(sources[split], line, message))
    return splits
