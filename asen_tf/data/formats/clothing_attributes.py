"""The Clothing Attribute Dataset (Chen, Gallagher, Girod, ECCV 2012) as it is published.

`images/000001.jpg` to `images/001856.jpg` and `labels/*_GT.mat`, each file one column of numbers
in the order of the images: 1, 2, ... for the values in the order of the data set's README, NaN
where its annotators did not agree.

Seven attributes are such columns themselves. Two are made of binary ones (1 no, 2 yes):

- `pattern` has the value of every `pattern_*` column that says yes;
- `color` has the value of every color's column that says yes, and `many` where `many_colors` does.

So an image can have several patterns or colors; it is unlabelled where no column says yes.
The remaining columns (gender, skin exposure) are not about one garment's look and are not used.

Splits and roles: with index files in `options.index_dir` (see `index_files`), images are in the
split that lists them, and an (image, attribute) pair has the role of the file that lists it, none
where no file does. Images that no split lists are left out. Without that folder 70 % of the
images are for training, 10 % for validation and 20 % for the test, by a permutation with a fixed
seed, and without roles.
"""

import dataclasses
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from asen_client.core.attributes import AttributeSpace
from asen_tf.data.formats import index_files, matlab
from asen_tf.data.manifest import NO_ROLE, SPLITS, Manifest, Problem, label_records, sort_labels

YES = 2
NO_YES = ("no", "yes")
PATTERNS = ("floral", "graphics", "plaid", "solid", "spot", "stripe")
COLORS = ("black", "blue", "brown", "cyan", "gray", "green", "purple", "red", "white", "yellow")
SPACE = AttributeSpace(
    {
        "category": ("shirt", "sweater", "t-shirt", "outerwear", "suit", "tank top", "dress"),
        "sleeve_length": ("none", "short", "long"),
        "neckline": ("v-shape", "round", "other"),
        "collar": NO_YES,
        "placket": NO_YES,
        "pattern": PATTERNS,
        "color": (*COLORS, "many"),
        "scarf": NO_YES,
        "necktie": NO_YES,
    }
)
# Attribute -> the column that numbers its values, or one binary column a value.
COLUMNS = {
    **{name: name for name in SPACE},
    "sleeve_length": "sleevelength",
    "pattern": tuple(f"pattern_{name}" for name in PATTERNS),
    "color": (*COLORS, "many_colors"),
}


def read(root: Path, options: ConfigDict) -> tuple[Manifest, list[Problem]]:
    """Reads the folders `images` and `labels` under `root`.

    Raises:
      FileNotFoundError: a file of labels is missing.
      ValueError: one is not a column of numbers, or they differ in length.
    """
    columns = _read_columns(root)
    count = len(next(iter(columns.values())))
    problems: list[Problem] = []
    manifest = Manifest(
        root=root,
        space=SPACE,
        images=np.array([f"images/{number:06d}.jpg" for number in range(1, count + 1)], np.str_),
        splits=_default_splits(count),
        labels=_labels(columns, problems),
        lines=np.arange(1, count + 1, dtype=np.int32),
        source="labels",
    )
    folder = options.index_dir or "splits"
    if (root / folder).is_dir():
        index, more = index_files.read_folder(root, folder, SPACE)
        # Their row numbers are those of the index.
        problems += [dataclasses.replace(problem, image=None) for problem in more]
        manifest = _with_index(manifest, index, problems)
    return manifest, problems


def _read_columns(root: Path) -> dict[str, np.ndarray]:
    names = [n for of in COLUMNS.values() for n in ((of,) if isinstance(of, str) else of)]
    columns = {name: _read_column(root / "labels" / f"{name}_GT.mat") for name in names}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"labels/*_GT.mat should have one number an image each, found {lengths}")
    return columns


def _read_column(path: Path) -> np.ndarray:
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file; data.root should be the folder of the Clothing Attribute "
            f"Dataset with its images/ and labels/"
        )
    return matlab.read_column(path, "GT")


def _labels(columns: dict[str, np.ndarray], problems: list[Problem]) -> np.ndarray:
    parts = []
    for attribute, (name, of) in enumerate(COLUMNS.items()):
        if isinstance(of, str):
            rows = _known(of, columns[of], len(SPACE[name].values), problems)
            parts.append(label_records(rows, attribute, columns[of][rows] - 1))
            continue
        for value, column in enumerate(of):
            rows = _known(column, columns[column], YES, problems)
            parts.append(label_records(rows[columns[column][rows] == YES], attribute, value))
    return sort_labels(np.concatenate(parts))


def _known(name: str, column: np.ndarray, most: int, problems: list[Problem]) -> np.ndarray:
    """The rows with a value 1 .. `most`; those with anything else but NaN are problems."""
    good = np.isin(column, np.arange(1, most + 1))
    for row in np.flatnonzero(~good & ~np.isnan(column)):
        message = f"expected a whole number from 1 to {most} or NaN, found {column[row]:g}"
        problems.append(Problem(f"labels/{name}_GT.mat", int(row) + 1, message))
    return np.flatnonzero(good)


def _default_splits(count: int) -> np.ndarray:
    splits = np.full(count, SPLITS.index("train"), np.int8)
    order = np.random.default_rng(0).permutation(count)
    splits[order[: count // 5]] = SPLITS.index("test")
    splits[order[count // 5 : count * 3 // 10]] = SPLITS.index("valid")
    return splits


def _with_index(manifest: Manifest, index: Manifest, problems: list[Problem]) -> Manifest:
    """The images that the index files list, with their splits and roles."""
    row_of = {name: row for row, name in enumerate(manifest.images.tolist())}
    rows = np.array([row_of.get(name, -1) for name in index.images.tolist()])
    good = np.zeros(len(rows), bool)
    good[np.unique(rows, return_index=True)[1]] = True
    good &= rows >= 0
    for at in np.flatnonzero(~good & (index.images != "")):
        reason = "is listed already" if rows[at] >= 0 else "is not an image of the data set"
        problem = index.problem(at, f"{index.images[at]} {reason}")
        problems.append(dataclasses.replace(problem, image=None))

    splits = np.full(len(manifest), -1, np.int8)
    splits[rows[good]] = index.splits[good]
    given = index.labels[good[index.labels["image"]]]
    roles = np.full((len(manifest), len(SPACE)), NO_ROLE, np.int8)
    roles[rows[given["image"]], given["attribute"]] = given["role"]
    labels = manifest.labels.copy()
    labels["role"] = roles[labels["image"], labels["attribute"]]
    listed = np.flatnonzero(splits >= 0)
    return dataclasses.replace(manifest, splits=splits, labels=labels).take(listed)
