"""UT Zappos50K with the triplets of Conditional Similarity Networks (Veit et al., CVPR 2017).

- `ut-zap50k-images/`: the photographs (Yu and Grauman).
- `filenames.json`: not JSON in spite of its name, but one path a line, relative to that folder. The
  position of the line, from 0, is the image's number.
- `tripletlists/<condition>_tripletlist_{train,val,test}.txt`: lines `anchor far close`, three
  numbers of images, of which the anchor is more like the close one.

The conditions class, closure, gender and heel are the attributes. The triplets stand in for labels,
which the release does not have, so that each attribute has the single value `unknown`. A split has
the images that its triplets name; one that several splits name has a row in each.
"""

from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from asen_client.core.attributes import AttributeSpace
from asen_tf.data.formats import number_lines
from asen_tf.data.manifest import LABEL, SPLITS, TRIPLET, Manifest, Problem

FOLDER = "ut-zap50k-images"
FILENAMES = "filenames.json"
SPACE = AttributeSpace({name: ("unknown",) for name in ("class", "closure", "gender", "heel")})
FILES = {"train": "train", "valid": "val", "test": "test"}


def read(root: Path, options: ConfigDict) -> tuple[Manifest, list[Problem]]:
    """Reads the release; bad lines are left out and listed as problems.

    A split whose lists are all missing is left out.

    Raises:
      FileNotFoundError: there is no `filenames.json`, or no list at all.
    """
    names = _names(root)
    problems = [
        Problem(FILENAMES, line, "expected an image path, found a blank line")
        for line, name in enumerate(names, 1)
        if not name
    ]
    rows, splits, triplets = [np.zeros(0, np.int64)], [np.zeros(0, np.int8)], []
    for number, split in enumerate(SPLITS):
        of_split = _read_split(root, split, names, problems)
        if of_split is None:
            continue
        attributes, images = of_split
        used, places = np.unique(images, return_inverse=True)
        records = np.zeros(len(images), TRIPLET)
        records["attribute"] = attributes
        places = places.reshape(-1, 3).T + sum(map(len, rows))
        records["anchor"], records["negative"], records["positive"] = places
        triplets.append(records)
        rows.append(used)
        splits.append(np.full(len(used), number, np.int8))
    if not triplets:
        raise FileNotFoundError(
            f"{root}: no triplets; expected {_source(next(iter(SPACE)), 'train')} and so on"
        )
    rows = np.concatenate(rows)
    manifest = Manifest(
        root=root,
        space=SPACE,
        images=np.array([f"{FOLDER}/{names[row]}" for row in rows], np.str_),
        splits=np.concatenate(splits),
        labels=np.zeros(0, LABEL),
        lines=(rows + 1).astype(np.int32),
        source=FILENAMES,
        triplets=np.concatenate(triplets),
    )
    return manifest, problems


def _source(condition: str, split: str) -> str:
    return f"tripletlists/{condition}_tripletlist_{FILES[split]}.txt"


def _names(root: Path) -> list[str]:
    if not (root / FILENAMES).is_file():
        raise FileNotFoundError(
            f"{root / FILENAMES}: no such file; data.root should be the folder into which "
            "csn_zappos_triplets.zip was unpacked"
        )
    return number_lines.read_paths(root, FILENAMES)


def _read_split(
    root: Path, split: str, names: list[str], problems: list[Problem]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Attributes [T] and images [T, 3] (anchor, far, close); None where no list is there."""
    missing = [name for name in SPACE if not (root / _source(name, split)).is_file()]
    if len(missing) == len(SPACE):
        return None
    named = np.array([bool(name) for name in names])
    attributes, images = [], []
    for number, condition in enumerate(SPACE):
        source = _source(condition, split)
        if condition in missing:
            message = f"no such file, though the split {split} has other lists"
            problems.append(Problem(source, 0, message))
            continue
        numbers, _, lines = number_lines.read(
            root, source, lambda n: n == 3, "anchor far close", problems
        )
        rows = numbers.reshape(-1, 3)
        inside = (rows >= 0) & (rows < len(names))
        inside[inside] = named[rows[inside]]
        for at in np.flatnonzero(~inside.all(1)):
            bad = rows[at][~inside[at]][0]
            message = f"{bad} is no image: {FILENAMES} has {len(names)} lines, from 0"
            problems.append(Problem(source, int(lines[at]), message))
        rows = rows[inside.all(1)]
        attributes.append(np.full(len(rows), number))
        images.append(rows)
    return np.concatenate(attributes), np.concatenate(images)
