"""`label_valid.txt` and `label_test.txt` of DeepFashion's index files: every value of an image.

A line holds an image's fid, then pairs of an attribute's number from 1 and a value's number over
all attributes together, filled up with tabs: `2 5 99 2 409`. Within its attribute a value's number
is its rank among the ids of that attribute. Which ids those are stands in DeepFashion's
`list_attr_cloth.txt`; without it they are the ids that occur in the files themselves, if these are
as many as the attribute has values (in the published files all 1000 occur).
"""

from pathlib import Path

import numpy as np

from asen_client.core.attributes import AttributeSpace
from asen_tf.data.formats import deepfashion_attributes, number_lines
from asen_tf.data.manifest import Problem, label_records

SPLITS = ("valid", "test")
_MOST = 2**31 - 1  # what a manifest holds


def read(
    root: Path, folder: str, space: AttributeSpace, problems: list[Problem]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Reads the files that are there.

    Args:
      root: the data root.
      folder: the index files' folder, relative to `root`.
      space: the attributes, in the order of their numbers.
      problems: gets what is wrong with the files.

    Returns:
      Split -> records of `LABEL`, whose `image` is the fid and which have no role, and [L] the line
      each stands in. Records may still name images that the split does not have.
    """
    sources = {split: f"{folder}/label_{split}.txt" for split in SPLITS}
    pairs = {
        split: _read_pairs(root, source, len(space), problems)
        for split, source in sources.items()
        if (root / source).is_file()
    }
    if not pairs:
        return {}
    keys = _keys_of_ids(root, folder, np.concatenate([pair for pair, _ in pairs.values()]))
    counts = np.bincount(keys[:, 0], minlength=len(space) + 1)[1:]
    found = tuple(counts.tolist())
    if found != space.value_counts:
        message = (
            f"the attributes have {space.value_counts} values, their ids here are {found}: "
            f"put list_attr_cloth.txt into {folder}, or remove the label files of valid and test"
        )
        problems.append(Problem(f"{folder}/label_{next(iter(pairs))}.txt", 0, message))
        return {}
    return {
        split: _records(sources[split], *of_split, keys, counts, problems)
        for split, of_split in pairs.items()
    }


def _read_pairs(
    root: Path, source: str, attributes: int, problems: list[Problem]
) -> tuple[np.ndarray, np.ndarray]:
    """The pairs that name an attribute and small numbers, so that what follows may count them."""
    pairs, lines = number_lines.read_pairs(root, source, "fid type id [type id ...]", problems)
    known = (pairs[:, 1] >= 1) & (pairs[:, 1] <= attributes)
    small = (pairs[:, ::2] >= 0) & (pairs[:, ::2] <= _MOST)
    for at in np.flatnonzero(~known):
        message = f"attribute {pairs[at, 1]}, expected 1 to {attributes}"
        problems.append(Problem(source, int(lines[at]), message))
    for at in np.flatnonzero(known & ~small.all(1)):
        fid, _, number = pairs[at]
        message = f"expected a fid and an id from 0 to {_MOST}, found {fid} and {number}"
        problems.append(Problem(source, int(lines[at]), message))
    good = known & small.all(1)
    return pairs[good], lines[good]


def _keys_of_ids(root: Path, folder: str, pairs: np.ndarray) -> np.ndarray:
    """[V, 2] (attribute from 1, id), ascending: where a pair stands here is its flat value."""
    source = deepfashion_attributes.find(root, (folder, *deepfashion_attributes.FOLDERS))
    if source:
        types, _ = deepfashion_attributes.read(root, source)
        keys = sorted((kind, number) for number, kind in enumerate(types))
        return np.array(keys, np.int64).reshape(-1, 2)
    return np.unique(pairs[:, 1:], axis=0)


def _records(
    source: str,
    pairs: np.ndarray,
    lines: np.ndarray,
    keys: np.ndarray,
    counts: np.ndarray,
    problems: list[Problem],
) -> tuple[np.ndarray, np.ndarray]:
    width = _MOST + 1
    known, wanted = keys @ [width, 1], pairs[:, 1:] @ [width, 1]
    flat = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    good = known[flat] == wanted
    for at in np.flatnonzero(~good):
        message = f"{pairs[at, 2]} is no id of the attributes of type {pairs[at, 1]}"
        problems.append(Problem(source, int(lines[at]), message))
    attribute = keys[flat[good], 0] - 1
    value = flat[good] - (np.cumsum(counts) - counts)[attribute]
    return label_records(pairs[good, 0], attribute, value), lines[good]
