"""`Anno_fine` of DeepFashion's category and attribute prediction benchmark, as published.

- `Anno_fine/list_attr_cloth.txt` (or in `Anno/`): see `deepfashion_attributes`, with six types.
- `train.txt`, `val.txt` and `test.txt` beside it: the images of each split, a path a line.
- `train_attr.txt` and so on: a line for each image, for each attribute 1 (has it) or 0.

The types are the attributes here, DeepFashion's attributes of a type their values.
"""

from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from asen_client.core.foreign import FormatError, shown, text_lines
from asen_tf.data.formats import deepfashion_attributes
from asen_tf.data.manifest import Manifest, Problem, label_records, sort_labels

TYPES = ("texture", "sleeve", "length", "neckline", "fabric", "fit")
FOLDERS = ("Anno_fine", "Anno")
PARTS = ("train", "val", "test")  # in the order of SPLITS


def read(root: Path, options: ConfigDict) -> tuple[Manifest, list[Problem]]:
    """Reads the splits that are there; lines that are bad are listed as problems.

    Raises:
      FileNotFoundError: a file is missing.
      ValueError: a file is not understood as a whole.
    """
    source = deepfashion_attributes.find(root, FOLDERS)
    if source is None:
        raise FileNotFoundError(
            f"{root}: no Anno_fine/{deepfashion_attributes.NAME}; data.root should be the folder "
            "of the Category and Attribute Prediction Benchmark"
        )
    types, names = deepfashion_attributes.read(root, source, TYPES)
    folder = source.rpartition("/")[0]
    parts = [part for part in PARTS if (root / folder / f"{part}.txt").is_file()]
    if not parts:
        raise FileNotFoundError(f"{root}: no {folder}/train.txt, which lists the images")
    problems: list[Problem] = []
    found = [_read_part(root, folder, part, len(types), problems) for part in parts]
    if not any(images for images, _, _ in found):
        raise ValueError(f"no image could be read: {problems[0] if problems else folder}")
    counts = [len(images) for images, _, _ in found]
    sources = [f"{folder}/{part}.txt" for part in parts]
    above = "Img/" if (root / "Img").is_dir() else ""
    manifest = Manifest(
        root=root,
        space=deepfashion_attributes.space(source, types, names, TYPES),
        images=np.array([above + image for images, _, _ in found for image in images], np.str_),
        splits=np.repeat([PARTS.index(part) for part in parts], counts).astype(np.int8),
        labels=_labels(np.array([row for _, rows, _ in found for row in rows]), np.array(types)),
        lines=np.concatenate([lines for _, _, lines in found]).astype(np.int32),
        source=", ".join(sources),
        sources=np.repeat(sources, counts),
    )
    return manifest, problems


def _read_part(
    root: Path, folder: str, part: str, width: int, problems: list[Problem]
) -> tuple[list[str], list[list[int]], list[int]]:
    """Images, their rows of 0 and 1, and their lines; bad lines are added to the problems."""
    listed, attributes = f"{folder}/{part}.txt", f"{folder}/{part}_attr.txt"
    images = _lines(root, listed)
    rows = _lines(root, attributes)
    if len(images) != len(rows):
        raise FormatError(
            attributes,
            f"expected a line for each of the {len(images)} images of {listed}, "
            f"found {len(rows)}: are both files complete?",
        )
    good = []
    for line, (image, row) in enumerate(zip(images, rows, strict=True), 1):
        cells = row.split()
        if not image:
            problems.append(Problem(listed, line, "no image path"))
        elif len(cells) != width or set(cells) - {"0", "1"}:
            message = f"expected {width} numbers 0 or 1, found {shown(row)}"
            problems.append(Problem(attributes, line, message))
        else:
            good.append((image, [*map(int, cells)], line))
    return tuple(map(list, zip(*good, strict=True))) if good else ([], [], [])


def _lines(root: Path, source: str) -> list[str]:
    lines = [text.strip() for _, text in text_lines(root / source, source)]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _labels(table: np.ndarray, types: np.ndarray) -> np.ndarray:
    images, columns = np.nonzero(table)
    values = deepfashion_attributes.ranks(types)[columns]
    return sort_labels(label_records(images, types[columns] - 1, values))
