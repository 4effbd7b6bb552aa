"""DeepFashion's category and attribute prediction benchmark (Liu et al., CVPR 2016) as published.

- `Anno_coarse/list_attr_cloth.txt` (`Anno/` in earlier releases): see `deepfashion_attributes`.
- `list_attr_img.txt` beside it: the number of images, a header, then a line each: the image's path
  and for each attribute 1 (has it), -1 (does not) or 0 (unknown).
- `Eval/list_eval_partition.txt`: the number of images, a header, then a path and train, val or
  test.

The types texture, fabric, shape, part and style are the attributes here, DeepFashion's attributes
of a type its values. A 1 is a label; -1 and 0 are none. The images lie in `Img/img/`, where the
archives put them, or in `img/`.

`Anno_fine` (26 attributes of 20 000 images, with a partition of its own): see `deepfashion_fine`.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from ml_collections import ConfigDict

from asen_client.core.errors import unknown_name
from asen_client.core.foreign import shown, text_lines
from asen_tf.data.formats import deepfashion_attributes
from asen_tf.data.manifest import Manifest, Problem, label_records, sort_labels
from asen_tf.data.root import clean_name

PARTITION = "Eval/list_eval_partition.txt"
PARTS = {"train": 0, "val": 1, "test": 2}
LONGEST_PATH = 1024
CHUNK_BYTES = 8 << 20


def read(root: Path, options: ConfigDict) -> tuple[Manifest, list[Problem]]:
    """Reads the benchmark; images that are bad in one of the files are listed as problems.

    Raises:
      FileNotFoundError: a file is missing.
      ValueError: a file is not understood as a whole.
    """
    attributes = deepfashion_attributes.find(root)
    if attributes is None:
        hint = "data.root should be the folder of the Category and Attribute Prediction Benchmark"
        if deepfashion_attributes.find(root, ("Anno_fine",)):
            hint = "data.format=deepfashion_fine reads Anno_fine, which is there"
        raise FileNotFoundError(
            f"{root}: no Anno_coarse/list_attr_cloth.txt and no Anno/list_attr_cloth.txt; {hint}"
        )
    types, names = deepfashion_attributes.read(root, attributes)
    space = deepfashion_attributes.space(attributes, types, names, deepfashion_attributes.TYPES)
    problems: list[Problem] = []
    splits = _read_partition(root, problems)
    source = attributes.replace("list_attr_cloth", "list_attr_img")
    paths, lines, images, columns = _read_images(root, source, len(types), problems)

    split = np.array([splits.pop(path, (-1, 0))[0] for path in paths], np.int8)
    for at in np.flatnonzero(split < 0):
        message = f"{paths[at]} is not in {PARTITION}, or is here a second time"
        problems.append(Problem(source, int(lines[at]), message))
    problems += [
        Problem(PARTITION, line, f"{path} has no good line in {source}")
        for path, (_, line) in splits.items()
    ]
    folder = "Img/" if (root / "Img").is_dir() else ""
    manifest = Manifest(
        root=root,
        space=space,
        images=np.array([folder + path for path in paths], np.str_),
        splits=split,
        labels=_labels(images, columns, np.array(types)),
        lines=lines.astype(np.int32),
        source=source,
    ).take(np.flatnonzero(split >= 0))
    return manifest, problems


def _labels(images: np.ndarray, columns: np.ndarray, types: np.ndarray) -> np.ndarray:
    """A record for each 1."""
    values = deepfashion_attributes.ranks(types)[columns]
    return sort_labels(label_records(images, types[columns] - 1, values))


def _read_partition(root: Path, problems: list[Problem]) -> dict[str, tuple[int, int]]:
    """Path -> split and line."""
    splits = {}
    lines = text_lines(root / PARTITION, PARTITION)
    (_, count), _ = next(lines, (1, "")), next(lines, None)
    rows = 0
    for line, text in lines:
        if not text.strip():
            continue
        rows += 1
        path, _, part = text.strip().rpartition(" ")
        path = clean_name(path)
        if not path:
            message = f"expected a path and a split, found {shown(text.strip())}"
        elif part not in PARTS:
            message = unknown_name("split", part, PARTS)
        elif path in splits:
            message = f"{path} is in line {splits[path][1]} already"
        else:
            splits[path] = PARTS[part], line
            continue
        problems.append(Problem(PARTITION, line, message))
    _check_count(PARTITION, count.strip(), rows, problems)
    return splits


def _check_count(source: str, said: str, found: int, problems: list[Problem]) -> None:
    if said != str(found):
        message = f"the first line says {shown(said)}, {found} lines follow: is the file complete?"
        problems.append(Problem(source, 0, message))


def _read_images(
    root: Path, source: str, width: int, problems: list[Problem]
) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Paths and lines of the good images; which image and which column each 1 stands in."""
    paths: list[str] = []
    lines, images, columns = ([np.zeros(0, np.int64)] for _ in range(3))
    found, line = 0, 3
    with open(root / source, "rb") as file:
        count, _ = file.readline().decode("utf-8-sig", "replace").strip(), file.readline()
        for chunk in _chunks(file):
            names, good, image, column = _parse(chunk, width)
            for bad in np.flatnonzero(~good):
                if names[bad]:
                    message = f"{names[bad]}: expected {width} numbers 1, 0 or -1"
                    problems.append(Problem(source, line + int(bad), message))
            kept = good[image]
            images.append(np.cumsum(good)[image[kept]] - 1 + len(paths))
            columns.append(column[kept])
            lines.append(line + np.flatnonzero(good))
            paths += itertools.compress(names, good)
            found += sum(map(bool, names))
            line += len(names)
    _check_count(source, count, found, problems)
    return paths, *(np.concatenate(parts) for parts in (lines, images, columns))


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """Whole lines, several megabytes at a time, each with its end."""
    while chunk := file.read(CHUNK_BYTES):
        chunk += file.readline()
        yield chunk if chunk.endswith(b"\n") else chunk + b"\n"


def _parse(chunk: bytes, width: int) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Takes lines `path 1 -1 0 ...` apart, a thousand numbers a line, without a Python loop.

    Returns:
      The path of each line, "" of a blank one; [N] bool, whether `width` numbers follow it; and of
      each 1 its line and its column.
    """
    text = np.frombuffer(chunk + b"\n", np.uint8)  # so that every token has two bytes behind it
    blank = text <= ord(" ")
    starts = np.flatnonzero(blank[:-1] & ~blank[1:]) + 1
    if not blank[0]:
        starts = np.insert(starts, 0, 0)
    ends = np.flatnonzero(text[:-1] == ord("\n"))
    first = np.searchsorted(starts, np.concatenate([[0], ends[:-1] + 1]))
    counts = np.diff(first, append=len(starts))

    head, second = text[starts], text[starts + 1]
    one = (head == ord("1")) & blank[starts + 1]
    number = one | ((head == ord("0")) & blank[starts + 1])
    # A lone minus may be the last byte but one.
    minus = np.flatnonzero((head == ord("-")) & (second == ord("1")))
    number[minus] = blank[starts[minus] + 2]
    numbers = np.concatenate([[0], np.cumsum(number)])
    numbers = numbers[first + counts] - numbers[first]

    begins = starts[first[counts > 0]].tolist()
    names = np.full(len(ends), "", object)
    names[counts > 0] = [chunk[at : at + LONGEST_PATH].split(None, 1)[0] for at in begins]
    paths = [clean_name(name.decode("utf-8", "replace")) if name else "" for name in names]
    ones = np.flatnonzero(one)
    line = np.searchsorted(first, ones, side="right") - 1
    return paths, (counts == width + 1) & (numbers == width), line, ones - first[line] - 1
