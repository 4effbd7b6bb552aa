"""Shopping100k (Ak et al., WACV 2018): photographs of garments without a wearer, 12 attributes.

The data set is given out on request only, and we have not seen it. What is read is this:

- `Images/`: the photographs.
- `Attributes/<attribute>.txt`, a file for each attribute, in UTF-8: a line an image, its path
  relative to `Images/`, blanks or a comma, and a value. The path has no blanks, the value may. An
  image without a line is unlabelled, one with several lines has several values. The attributes come
  in the order of their names, which are in small letters with _ for blanks; the values of each in
  the order of theirs (numbers by size).
- `imgs_train.txt` and `imgs_test.txt`, optionally `imgs_valid.txt`, in `options.index_dir`, where
  they are there: the images of each split, a path a line, as the release of Hou et al. (ICCV 2021)
  has them. Images in none of them are left out.

Of the split the paper prints counts alone: of 101,021 images 19,000 are the gallery and 2,000 the
queries of the test, the others, about 80 %, are for training. Without `imgs_train.txt` a draw by
`options.seed` and the paths makes these shares (`drawn_share`), also of a smaller folder; of the
test's images, drawn or listed, so many are the queries. The paper names no validation split:
without `imgs_valid.txt` it is 2,000 of the images for training.
"""

import re
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from asen_client.core.attributes import AttributeSpace
from asen_client.core.foreign import shown, text_lines
from asen_tf.data.formats import index_files
from asen_tf.data.formats.hashed_splits import drawn_share
from asen_tf.data.manifest import (
    CANDIDATE,
    QUERY,
    SPLITS,
    Manifest,
    Problem,
    label_records,
    sort_labels,
)
from asen_tf.data.root import clean_name

FOLDER = "Images"
ATTRIBUTES = "Attributes"

SPECIAL = ("pattern", "collar", "fastening", "sleeve_length", "color")
"""The attributes that the paper changes (table 2), its special ones."""

_GALLERY, _QUERIES, _VALID, _IMAGES = 19_000, 2_000, 2_000, 101_021
_TEST = _GALLERY + _QUERIES
_TRAIN, _VALIDATION, _HELD_OUT = (SPLITS.index(name) for name in ("train", "valid", "test"))

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
        _attribute(name): _read_file(root, f"{ATTRIBUTES}/{name}", first, problems)
        for name in sources
    }
    space = AttributeSpace(
        {name: sorted({value for _, value in rows}, key=_order) for name, rows in given.items()}
    )
    images = sorted(first)
    splits = _splits(root, index_files.folder(root, options), images, options.seed, problems)
    labels = _labels(space, given, {image: row for row, image in enumerate(images)})
    _add_roles(labels, images, splits, options.seed)
    manifest = Manifest(
        root=root,
        space=space,
        images=np.array([f"{FOLDER}/{image}" for image in images], np.str_),
        splits=splits,
        labels=labels,
        lines=np.array([first[image][1] for image in images], np.int32),
        source=f"{ATTRIBUTES}/*.txt",
        sources=np.array([first[image][0] for image in images], np.str_),
    )
    manifest = manifest.take(np.flatnonzero(manifest.splits >= 0))
    return manifest, problems


def _attribute(file: str) -> str:
    return re.sub(r"\s+", "_", Path(file).stem.strip().lower())


def _read_file(
    root: Path, source: str, first: dict[str, tuple[str, int]], problems: list[Problem]
) -> list[tuple[str, str]]:
    """(image, value) of each good line; `first` gets where an image stands for the first time."""
    rows = []
    for line, text in text_lines(root / source, source):
        match = _LINE.fullmatch(text.strip())
        if match:
            image = clean_name(match[1])
            rows.append((image, match[2]))
            first.setdefault(image, (source, line))
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


def _splits(
    root: Path, folder: str, images: list[str], seed: int, problems: list[Problem]
) -> np.ndarray:
    """[N] int8, position in `SPLITS`, -1 for images in no list."""
    sources = {split: f"{folder}/imgs_{split}.txt" for split in SPLITS}
    listed = {split for split, source in sources.items() if (root / source).is_file()}
    if "train" in listed:
        splits = _listed(root, sources, listed, images, problems)
    else:
        splits = np.where(drawn_share(images, _TEST / _IMAGES, seed), _HELD_OUT, _TRAIN)
    if not {"train", "valid"} <= listed:
        rows = np.flatnonzero(splits == _TRAIN)
        splits[_drawn(rows, images, _VALID / (_IMAGES - _TEST), seed)] = _VALIDATION
    return splits.astype(np.int8)


def _listed(
    root: Path,
    sources: dict[str, str],
    listed: set[str],
    images: list[str],
    problems: list[Problem],
) -> np.ndarray:
    row_of = {image: row for row, image in enumerate(images)}
    splits = np.full(len(images), -1)
    for number, split in enumerate(SPLITS):
        if split not in listed:
            continue
        for line, text in text_lines(root / sources[split], sources[split]):
            row = row_of.get(clean_name(text))
            if row is not None and splits[row] < 0:
                splits[row] = number
            elif text.strip():
                reason = "has no attribute" if row is None else "is listed already"
                message = f"{text.strip()} {reason}"
                problems.append(Problem(sources[split], line, message))
    return splits


def _add_roles(labels: np.ndarray, images: list[str], splits: np.ndarray, seed: int) -> None:
    """Of the test's images some are queries, in every attribute, and the others the gallery."""
    rows = np.flatnonzero(splits == _HELD_OUT)
    queries = _drawn(rows, images, _QUERIES / _TEST, seed)
    if len(queries):
        roles = np.zeros(len(images), np.int8)
        roles[rows], roles[queries] = CANDIDATE, QUERY
        labels["role"] = roles[labels["image"]]


def _drawn(rows: np.ndarray, images: list[str], share: float, seed: int) -> np.ndarray:
    return rows[drawn_share([images[row] for row in rows], share, seed)]
