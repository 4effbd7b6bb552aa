"""What photographs are labelled in several attributes at once."""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from asen_tf.data.manifest import Manifest

_CELLS_AT_A_TIME = 1 << 22


@dataclasses.dataclass(frozen=True)
class LabelSets:
    """The photographs of a split that are labelled for all of some attributes.

    Attributes:
      attributes: [S] int64, positions of those attributes in the space.
      value_counts: [S] int64, how many values each has.
      rows: [N] int64 manifest rows, ascending.
      sets: [N, S] int64, what each photograph shows in each attribute: the position of its value,
        or, where it carries several values, a number from `value_counts` on, the same for the
        same values.
      left_out: how many photographs of the split lack a label of one of the attributes.
    """

    attributes: np.ndarray
    value_counts: np.ndarray
    rows: np.ndarray
    sets: np.ndarray
    left_out: int

    @classmethod
    def of_split(cls, manifest: Manifest, split: str, names: Sequence[str] = ()) -> "LabelSets":
        """Reads the labels of one split; without names, those of all attributes.

        Raises:
          ValueError: an unknown attribute, one named twice, or no photograph is labelled for all.
        """
        names = tuple(names) or manifest.space.names
        if len(set(names)) < len(names):
            raise ValueError(f"each attribute can be named once, got {', '.join(names)}")
        attributes = np.array([manifest.space.index(name) for name in names])
        value_counts = np.array(manifest.space.value_counts)[attributes]
        rows, sets = label_sets(manifest, split, attributes)
        complete = (sets >= 0).all(1)
        if not complete.any():
            raise ValueError(
                f"no photograph of split {split!r} of {manifest.source} is labelled for all of "
                f"{', '.join(names)}: name fewer attributes"
            )
        left_out = int((~complete).sum())
        return cls(attributes, value_counts, rows[complete], sets[complete], left_out)

    def groups(self) -> "Groups":
        """The photographs by what they are labelled."""
        sets, numbers, counts = np.unique(
            self.sets, axis=0, return_inverse=True, return_counts=True
        )
        numbers = numbers.ravel()
        return Groups(sets, numbers, counts, np.argsort(numbers, kind="stable"))


@dataclasses.dataclass(frozen=True)
class Groups:
    """Photographs with the same labels.

    Attributes:
      sets: [K, S] the distinct label sets.
      numbers: [N] the group of each photograph.
      counts: [K] how many photographs each group has.
      members: [N] places of the photographs in the order of their groups.
    """

    sets: np.ndarray
    numbers: np.ndarray
    counts: np.ndarray
    members: np.ndarray


def label_sets(
    manifest: Manifest, split: str, attributes: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """The rows [N] of a split, and their label sets [N, S] as of `LabelSets`; -1: no label."""
    rows, labels = manifest.rows(split), manifest.labels_of(split)
    sets = np.empty((len(rows), len(attributes)), np.int64)
    for place, attribute in enumerate(attributes):
        own = labels[labels["attribute"] == attribute]
        sets[:, place] = _numbered(rows, own, manifest.space)
    return rows, sets


def differing(sets: np.ndarray, others: np.ndarray) -> np.ndarray:
    """In how many attributes label sets differ: [N, S], [M, S] -> int16 [N, M]."""
    count = np.zeros((len(sets), len(others)), np.int16)
    for own, other in zip(sets.T, others.T, strict=True):
        count += own[:, None] != other
    return count


def pairs_that_differ(
    sets: np.ndarray, others: np.ndarray, attributes: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of label sets that differ in so many attributes, some sets at a time.

    Args:
      sets, others: [N, S] and [M, S].
      attributes: in how many.

    Yields:
      places among `sets`, ascending, and among `others`: int64 [P] each.
    """
    at_a_time = max(1, _CELLS_AT_A_TIME // max(1, len(others)))
    for start in range(0, len(sets), at_a_time):
        found = differing(sets[start : start + at_a_time], others) == attributes
        own, other = np.nonzero(found)
        yield own + start, other


def _numbered(rows, labels, space):
    """[N] the set of values of each row in one attribute, -1 where it has none."""
    sets = np.full(len(rows), -1, np.int64)
    if not len(labels):
        return sets
    count = space.value_counts[labels["attribute"][0]]
    shown = np.zeros((len(rows), count), bool)
    shown[np.searchsorted(rows, labels["image"]), labels["value"]] = True
    values = shown.sum(1)
    sets[values == 1] = shown[values == 1].argmax(1)
    several = np.flatnonzero(values > 1)
    if len(several):
        _, number = np.unique(shown[several], axis=0, return_inverse=True)
        sets[several] = count + number.ravel()
    return sets
