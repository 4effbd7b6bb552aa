"""What a data set says that it can hardly mean: no error, but worth a line before training."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import combinations

import numpy as np

from asen_tf.data.identical import identical_files
from asen_tf.data.manifest import CANDIDATE, QUERY, SPLITS, Manifest

# What other programs write into a cell without a value, apart from capitals.
NO_VALUE = frozenset(
    ("nan", "none", "null", "nil", "n/a", "na", "n.a.", "#n/a", "-", "--", "?", "unknown")
)
_FEW_VALUES, _FEW_IMAGES, _MANY_NUMBERS = 10, 3, 50


def doubts(manifest: Manifest, training: bool = True, contents: bool = True) -> Iterator[str]:
    """Yields a line for each kind of doubt, with counts and what it is about.

    Args:
      manifest: with its roles.
      training: whether it is to be trained on.
      contents: whether files are compared that have the same size.
    """
    if training:
        yield from _empty_splits(manifest)
    yield from _spellings(manifest)
    yield from _twice(manifest)
    same = identical_files(manifest) if contents else []
    yield from _same_files(manifest, same)
    yield from _contradictions(manifest, same)
    if manifest.triplets is None:
        for split in ("valid", "test"):
            yield from _not_measured(manifest, split)
        if training:
            yield from _not_learned(manifest)


def no_attributes(manifest: Manifest) -> dict[str, str]:
    """Attributes that look like titles, prices, coordinates or ids -> why.

    They have many values and few photographs of each, or a great many numbers.
    """
    labels, count = manifest.labels, len(manifest.space)
    of_value = np.repeat(np.arange(count), manifest.space.value_counts)
    images_of = np.unique(labels["image"].astype(np.int64) * count + labels["attribute"]) % count
    numbers = np.bincount(of_value[np.unique(_flat(manifest, labels))], minlength=count).tolist()
    found = {}
    for name, values, images in zip(
        manifest.space, numbers, np.bincount(images_of, minlength=count).tolist(), strict=True
    ):
        few = values >= _FEW_VALUES and images < _FEW_IMAGES * values
        if few or (values >= _MANY_NUMBERS and all(map(_is_number, manifest.space[name].values))):
            found[name] = f"{values} values on {images} images"
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _empty_splits(manifest: Manifest) -> Iterator[str]:
    without = {
        "valid": "the newest model counts as the best",
        "test": "nothing is kept for asen-evaluate",
    }
    for split, so in without.items():
        if not len(manifest.rows(split)):
            yield f"no image is in split {split}: {so}"


def _spellings(manifest: Manifest) -> Iterator[str]:
    """Names that are one to a reader, and values that stand for none."""
    space = manifest.space
    if same := _alike(space, str.casefold):
        yield f"attributes that differ in capitals only: {same}"
    for name in space:
        values = space[name].values
        if same := _alike(values, str.casefold):
            yield f"values of {name} that differ in capitals only: {same}"
        if same := _alike(values, _letters):
            yield f"values of {name} that differ in blanks and signs only: {same}"
        if manifest.triplets is None and (
            none := [value for value in values if value.casefold() in NO_VALUE]
        ):
            yield (
                f"values of {name} that often stand for no label: {some(none)}; leave such cells "
                "blank"
            )


def _letters(text: str) -> str:
    """A text without capitals, blanks, hyphens, underscores."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return folded.translate(dict.fromkeys(map(ord, " -_")))


def _alike(names: Iterable[str], key: Callable[[str], Hashable]) -> str:
    groups = defaultdict(list)
    for name in names:
        groups[key(name)].append(name)
    differ = [group for group in groups.values() if len(group) > 1]
    if key is not str.casefold:  # what capitals explain was said
        differ = [group for group in differ if len({name.casefold() for name in group}) > 1]
    return some([", ".join(group) for group in differ], joint="; ")


def _twice(manifest: Manifest) -> Iterator[str]:
    images = {split: set(manifest.images[manifest.rows(split)].tolist()) for split in SPLITS}
    for split in SPLITS:
        names, counts = np.unique(manifest.images[manifest.rows(split)], return_counts=True)
        if twice := names[counts > 1].tolist():
            yield f"{len(twice)} images are in {split} twice: {some(twice)}"
    for one, other in combinations(SPLITS, 2):
        if both := sorted(images[one] & images[other]):
            yield f"{len(both)} images are in {one} and {other}: {some(both)}"


def _same_files(manifest: Manifest, same: list[np.ndarray]) -> Iterator[str]:
    """Of files with the same content, those in several splits and those in one."""
    splits = defaultdict(list)
    for rows in same:
        names = " = ".join(dict.fromkeys(manifest.images[rows].tolist()))
        splits[tuple(np.unique(manifest.splits[rows]).tolist())].append(names)
    for numbers, names in sorted(splits.items()):
        where = " and ".join(SPLITS[number] for number in numbers)
        yield f"{len(names)} photographs are several files in {where}: {some(names)}"


def _contradictions(manifest: Manifest, same: list[np.ndarray]) -> Iterator[str]:
    """Photographs whose rows give an attribute values of which none is shared."""
    groups = defaultdict(list)
    for row, name in enumerate(manifest.images.tolist()):
        groups[name].append(row)
    repeated = [rows for rows in (*groups.values(), *same) if len(rows) > 1]
    if not repeated:
        return
    values = defaultdict(set)
    for image, attribute, value, _ in manifest.labels.tolist():
        values[image, attribute].add(value)
    found = {}
    for rows in repeated:
        for attribute, name in enumerate(manifest.space):
            of_rows = [values[row, attribute] for row in rows if (row, attribute) in values]
            if len(of_rows) > 1 and not set.intersection(*of_rows):
                known = manifest.space[name].values
                shown = "; ".join("|".join(known[v] for v in sorted(one)) for one in of_rows)
                found[manifest.images[rows[0]], name] = shown
    if found:
        told = [f"{image} ({name}: {shown})" for (image, name), shown in found.items()]
        yield f"{len(told)} labels of one photograph contradict each other: {some(told, 5)}"


def _names_of_values(manifest: Manifest) -> np.ndarray:
    """attribute=value, by flat number."""
    return np.array([f"{name}={v}" for name, vs in manifest.space.to_dict().items() for v in vs])


def _flat(manifest: Manifest, labels: np.ndarray) -> np.ndarray:
    return np.array(manifest.space.offsets)[labels["attribute"]] + labels["value"]


def _not_measured(manifest: Manifest, split: str) -> Iterator[str]:
    labels = manifest.labels_of(split)
    if not len(labels):
        return
    if lost := _lost_queries(manifest, split):
        yield (
            f"{len(lost)} queries of {split} have no candidate that shares their value and will "
            f"count 0: {some(lost, 5)}"
        )
    carried = np.unique(_flat(manifest, labels))
    every = np.unique(_flat(manifest, manifest.labels))
    if missing := _names_of_values(manifest)[np.setdiff1d(every, carried)].tolist():
        yield (
            f"{len(missing)} values that no image of {split} carries: {some(missing)}; no score "
            "speaks of them"
        )
    candidates = labels[labels["role"] == CANDIDATE]
    queried = labels["attribute"][labels["role"] == QUERY]
    unmeasured = [
        name
        for attribute, name in enumerate(manifest.space)
        if attribute not in queried
        or len(np.unique(candidates["value"][candidates["attribute"] == attribute])) < 2
    ]
    if unmeasured:
        yield (
            f"{len(unmeasured)} attributes that are not measured on {split} (they need a query and "
            f"candidates of two values): {some(unmeasured)}"
        )


def _not_learned(manifest: Manifest) -> Iterator[str]:
    labels = manifest.labels_of("train")
    names = _names_of_values(manifest)
    carried = np.unique(_flat(manifest, labels))
    if missing := names[np.setdiff1d(np.arange(len(names)), carried)].tolist():
        yield f"{len(missing)} values that no image for training carries: {some(missing)}"
    single = []
    for attribute, name in enumerate(manifest.space):
        own = labels["value"][labels["attribute"] == attribute]
        values, counts = np.unique(own, return_counts=True)
        if len(values) < 2 or counts.max() < 2:
            known = len(manifest.space[name].values)
            single.append(f"{name} has one value" if known == 1 else name)
    if single:
        yield (
            f"{len(single)} attributes of which nothing can be learned (they need two values in "
            f"split train, one of them on two images): {some(single)}"
        )


def _lost_queries(manifest: Manifest, split: str) -> list[str]:
    """Image, attribute and values of the queries that no candidate is relevant to."""
    labels = manifest.labels_of(split)
    flat = _flat(manifest, labels)
    query = labels["role"] == QUERY
    found = query & np.isin(flat, flat[labels["role"] == CANDIDATE])
    keys = ["image", "attribute"]
    lost = labels[query & ~np.isin(labels[keys], labels[keys][found])]
    attributes = list(manifest.space.to_dict().items())
    return [
        f"{manifest.images[image]} ({attributes[attribute][0]}={attributes[attribute][1][value]})"
        for image, attribute, value, _ in lost.tolist()
    ]


def some(names: list[str], most: int = 20, joint: str = ", ") -> str:
    """The first names, and whether there are more."""
    return joint.join([*names[:most], *["..."][: len(names) > most]])
