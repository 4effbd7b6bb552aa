"""The index files of the ASEN and ASEN++ releases, in one folder:

- `filenames_train.txt`, `filenames_valid.txt`, `filenames_test.txt`: one image path a line. The
  position of the line, from 0, is the image's `fid` within the split.
- `label_train.txt`, `query_valid.txt`, `candidate_valid.txt`, `query_test.txt`,
  `candidate_test.txt`: `fid attribute value [attribute value ...]`, numbers between blanks.
- `label_valid.txt`, `label_test.txt`, where they are there: every value of each image in
  DeepFashion's own numbering (see `all_values`). They become further records without a role; a
  query and a candidate keep the one value that the protocol gives them.

A split whose file names are not there is left out (the releases come without some train lists).
The numbers get their names from `options.attributes`, (name, values) pairs in which the values
are names or just their count, else from the attributes file, by default `attributes.csv` in the
same folder.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from absl import logging
from ml_collections import ConfigDict

from asen_client.core.attributes import AttributeSpace
from asen_tf.data.formats import all_values, attributes_file, number_lines
from asen_tf.data.manifest import (
    CANDIDATE,
    LABEL,
    NO_ROLE,
    QUERY,
    SPLITS,
    Manifest,
    Problem,
    label_records,
    sort_labels,
)

LABEL_FILES = {
    "train": (("label", NO_ROLE),),
    "valid": (("query", QUERY), ("candidate", CANDIDATE)),
    "test": (("query", QUERY), ("candidate", CANDIDATE)),
}


def read(root: Path, options: ConfigDict) -> tuple[Manifest, list[Problem]]:
    """Reads the index files; bad lines are left out and listed as problems.

    Raises:
      FileNotFoundError: no file names, or no attributes where none are configured.
      ValueError: attributes that are not understood.
    """
    if options.attributes:
        space = configured_space(options.attributes)
    else:
        source = options.attributes_file or f"{folder(root, options)}/attributes.csv"
        space = attributes_file.read(root, source)
    return read_folder(root, folder(root, options), space)


def folder(root: Path, options: ConfigDict) -> str:
    """The folder of the index files, relative to the root."""
    return options.index_dir or ("splits" if (root / "splits").is_dir() else ".")


def read_folder(root: Path, folder: str, space: AttributeSpace) -> tuple[Manifest, list[Problem]]:
    """Reads the index files in `folder` (relative to `root`) in terms of a known space.

    Raises:
      FileNotFoundError: the folder has no file names of any split.
    """
    problems: list[Problem] = []
    images, splits, lines, labels = [], [], [], [np.zeros(0, LABEL)]
    values = all_values.read(root, folder, space, problems)
    for number, split in enumerate(SPLITS):
        source = f"{folder}/filenames_{split}.txt"
        if not (root / source).is_file():
            labelled = any(
                (root / f"{folder}/{kind}_{split}.txt").is_file() for kind, _ in LABEL_FILES[split]
            )
            level = logging.WARNING if labelled else logging.INFO
            logging.log(level, "%s: not there, the split %s is left out", source, split)
            continue
        names = number_lines.read_paths(root, source)
        of_split = _split_labels(root, folder, split, len(names), space, problems)
        if split in values:
            source_of_values = f"{folder}/label_{split}.txt"
            more, at = values[split]
            good = _check_fids(source_of_values, more["image"], at, len(names), problems)
            _check_agreement(source_of_values, of_split, more[good], at[good], problems)
            of_split = np.concatenate([of_split, more[good]])
        of_split["image"] += len(images)
        problems += [
            Problem(source, line, "expected an image path, found a blank line", row)
            for row, (line, name) in enumerate(enumerate(names, 1), len(images))
            if not name
        ]
        labels.append(of_split)
        images += names
        lines += range(1, len(names) + 1)
        splits += [number] * len(names)
    if not splits:
        raise FileNotFoundError(
            f"{root / folder}: no index files; expected filenames_train.txt, filenames_valid.txt "
            f"or filenames_test.txt in data.index_dir"
        )
    manifest = Manifest(
        root=root,
        space=space,
        images=np.array(images, np.str_),
        splits=np.array(splits, np.int8),
        labels=sort_labels(np.concatenate(labels)),
        lines=np.array(lines, np.int32),
        source=f"{folder}/filenames_{{split}}.txt",
    )
    return manifest, problems


def configured_space(attributes: object) -> AttributeSpace:
    """The attributes that `data.attributes` names; raises ValueError if it is not understood."""
    if isinstance(attributes, Mapping | ConfigDict):
        raise ValueError(
            "data.attributes is a mapping, which does not keep its order: give pairs, "
            'for example (("collar", 5), ("fit", ("slim", "loose")))'
        )
    values = {}
    for pair in attributes:
        if isinstance(pair, str) or len(pair) != 2:
            raise ValueError(f"data.attributes: expected (name, values) pairs, found {pair!r}")
        name, its_values = pair
        values[name] = range(its_values) if isinstance(its_values, int) else tuple(its_values)
    if len(values) < len(attributes):
        raise ValueError(f"data.attributes names an attribute twice: {[p[0] for p in attributes]}")
    return AttributeSpace(values)


def _split_labels(
    root: Path,
    folder: str,
    split: str,
    images: int,
    space: AttributeSpace,
    problems: list[Problem],
) -> np.ndarray:
    """The records of one split; their `image` is the fid."""
    parts = []
    taken = np.zeros(0, np.int64)
    for kind, role in LABEL_FILES[split]:
        source = f"{folder}/{kind}_{split}.txt"
        if not (root / source).is_file():
            message = f"no such file, though filenames_{split}.txt is there"
            problems.append(Problem(source, 0, message))
            continue
        records, lines = number_lines.read_pairs(root, source, "fid attribute value", problems)
        good = _check_records(source, records, lines, images, space, problems)
        records, lines = records[good], lines[good]
        pair = records[:, 0] * len(space) + records[:, 1]
        both = np.isin(pair, taken)
        problems += [
            Problem(source, int(line), f"fid {fid} is a query of attribute {attribute} already")
            for line, (fid, attribute, _) in zip(lines[both], records[both], strict=True)
        ]
        taken = np.append(taken, pair)
        parts.append(label_records(*records[~both].T, role))
    return np.concatenate([np.zeros(0, LABEL), *parts])


def _check_records(
    source: str,
    records: np.ndarray,
    lines: np.ndarray,
    images: int,
    space: AttributeSpace,
    problems: list[Problem],
) -> np.ndarray:
    """[L] bool, which records stay inside their ranges; adds the others to `problems`."""
    fid, attribute, value = records.T
    good_fid = _check_fids(source, fid, lines, images, problems)
    good_attribute = (attribute >= 0) & (attribute < len(space))
    counts = np.array(space.value_counts)[np.where(good_attribute, attribute, 0)]
    good_value = ~good_attribute | ((value >= 0) & (value < counts))
    for at in np.flatnonzero(~good_attribute):
        message = f"attribute {attribute[at]} is out of range: there are {len(space)}, from 0"
        problems.append(Problem(source, int(lines[at]), message))
    for at in np.flatnonzero(~good_value):
        name = space.names[attribute[at]]
        message = f"value {value[at]} is out of range: {name} has {counts[at]} values, from 0"
        problems.append(Problem(source, int(lines[at]), message))
    return good_fid & good_attribute & good_value


def _check_fids(
    source: str, fids: np.ndarray, lines: np.ndarray, images: int, problems: list[Problem]
) -> np.ndarray:
    """[L] bool, which fids the split has; adds the others to `problems`."""
    good = (fids >= 0) & (fids < images)
    for at in np.flatnonzero(~good):
        message = f"fid {fids[at]} is out of range: the split has {images} images, from 0"
        problems.append(Problem(source, int(lines[at]), message))
    return good


def _check_agreement(
    source: str, given: np.ndarray, every: np.ndarray, lines: np.ndarray, problems: list[Problem]
) -> None:
    """A query's or candidate's value has to be among all values of its image.

    Args:
      source: the file that has all values.
      given: the records with a role.
      every: the records of all values.
      lines: [L] where those stand.
      problems: gets the values that are not there.
    """
    keys = ["image", "attribute", "value"]
    for record in given[~np.isin(given[keys], every[keys])]:
        line = lines[every["image"] == record["image"]]
        message = (
            f"value {record['value']} of attribute {record['attribute']}, which fid "
            f"{record['image']} has as query or candidate, is missing"
        )
        problems.append(Problem(source, int(line[0]) if len(line) else 0, message))
