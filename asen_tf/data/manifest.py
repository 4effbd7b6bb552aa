"""The one in-memory table that every data format loads into."""

import dataclasses
import functools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from asen_client.core.attributes import AttributeSpace
from asen_client.core.errors import unknown_name
from asen_client.images.boxes import Boxed, widened
from asen_tf.core.choices import SPLITS

NO_ROLE, QUERY, CANDIDATE = 0, 1, 2
ROLES = ("", "query", "candidate")
TRIPLET_ROLES = ("anchor", "positive", "negative")

LABEL = np.dtype([("image", "i4"), ("attribute", "i2"), ("value", "i4"), ("role", "i1")])
TRIPLET = np.dtype([("attribute", "i2"), ("anchor", "i4"), ("positive", "i4"), ("negative", "i4")])


@dataclasses.dataclass(frozen=True)
class Problem:
    """One bad row: where it stands and what is wrong with it.

    Attributes:
      source: the file it was read from, relative to the data root where it lies under it.
      line: its line number, counted from 1 (0: the file as a whole).
      message: what was expected and what was found.
      image: row of the manifest that goes when bad rows are skipped, None where no row was made.
    """

    source: str
    line: int
    message: str
    image: int | None = None

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        return f"{self.source}{line}: {self.message}"


@dataclasses.dataclass(frozen=True)
class GarmentBoxes:
    """Where the garment is in each photograph of a manifest.

    Attributes:
      boxes: [N, 4] float64: left, top, right, bottom in pixels of the upright photograph, NaN where
        unknown.
      lines: [N] int32, line of the file that each stands on.
      source: that file.
    """

    boxes: np.ndarray
    lines: np.ndarray
    source: str

    def take(self, rows: np.ndarray) -> "GarmentBoxes":
        """Those of these rows alone, in this order."""
        return GarmentBoxes(self.boxes[rows], self.lines[rows], self.source)


@dataclasses.dataclass(frozen=True)
class Manifest:
    """Photographs, their split and their labels, as columns.

    Attributes:
      root: folder under which every image lies.
      space: the attributes and their values.
      images: [N] paths relative to `root`, str.
      splits: [N] int8, position in `SPLITS`.
      labels: [L] records of `LABEL`: image (row), attribute, value (within the attribute) and
        role (`NO_ROLE`, `QUERY` or `CANDIDATE`), sorted by image, attribute, value. An image with
        several values of an attribute has several records; an unlabelled one has none.
      lines: [N] int32, line of the source file each row came from, for messages.
      source: name of that file; `{split}` in it stands for the row's split.
      sources: [N] str or None: the file of each row, where there are several.
      garment_boxes: of the garments that photographs are cut to; None: all are whole.
      products: [N] int32, a number that photographs of one product share, -1 where it is unknown;
        None: of all.
      boxes: [N, A, 4] float32 or None: left, top, right, bottom of the part that shows an
        attribute, in pixels of the original image, NaN where unknown.
      triplets: [T] records of `TRIPLET` or None: where a data set brings triplets instead of
        labels, the attribute and three rows, all of one split.
    """

    root: Path
    space: AttributeSpace
    images: np.ndarray
    splits: np.ndarray
    labels: np.ndarray
    lines: np.ndarray
    source: str
    sources: np.ndarray | None = None
    garment_boxes: GarmentBoxes | None = None
    products: np.ndarray | None = None
    boxes: np.ndarray | None = None
    triplets: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.images)

    def path(self, row: int) -> str:
        """Full path of one row's image."""
        return str(self.root / self.images[row])

    def photograph(self, row: int, box_margin: float | None = None) -> str | Boxed:
        """One row's image, cut to its garment's box where it has one; `box_margin`: of `Boxed`."""
        if self.garment_boxes is None or np.isnan(self.garment_boxes.boxes[row]).any():
            return self.path(row)
        return Boxed(self.path(row), self.garment_boxes.boxes[row], box_margin)

    def regions(self, box_margin: float) -> np.ndarray:
        """What is cut out of each image, [N, 4], as `asen_tf.images.graph.cut` takes it."""
        if self.garment_boxes is None:
            return np.zeros((len(self), 4), np.int32)
        return widened(self.garment_boxes.boxes, box_margin)

    def problem(self, row: int, message: str) -> Problem:
        """A problem with one row, pointing at the line it came from."""
        source = self.source.replace("{split}", SPLITS[self.splits[row]])
        if self.sources is not None:
            source = str(self.sources[row])
        return Problem(source, int(self.lines[row]), message, int(row))

    @functools.cached_property
    def paths(self) -> np.ndarray:
        """[N] full paths, str."""
        return np.array([os.path.join(self.root, image) for image in self.images.tolist()], str)

    def rows(self, split: str) -> np.ndarray:
        """Row numbers of one split, int64, ascending; raises ValueError on an unknown one."""
        return np.flatnonzero(self._inside(split))

    def labels_of(self, split: str) -> np.ndarray:
        """The label records whose image is in the split."""
        return self.labels[self._inside(split)[self.labels["image"]]]

    def values_of(self, split: str) -> np.ndarray:
        """bool [N, V]: the values, in the flat numbering, that images of the split carry."""
        labels, offsets = self.labels_of(split), np.array(self.space.offsets)
        carried = np.zeros((len(self), offsets[-1]), bool)
        carried[labels["image"], offsets[labels["attribute"]] + labels["value"]] = True
        return carried

    def triplets_of(self, split: str) -> np.ndarray:
        """The triplets of the split; none where the data set brings no triplets."""
        triplets = np.zeros(0, TRIPLET) if self.triplets is None else self.triplets
        return triplets[self._inside(split)[triplets["anchor"]]]

    def _inside(self, split: str) -> np.ndarray:
        """bool [N]: which rows are in the split."""
        if split not in SPLITS:
            raise ValueError(unknown_name("split", split, SPLITS))
        return self.splits == SPLITS.index(split)

    def examples_of(self, split: str) -> np.ndarray:
        """Rows of the split that carry a label or stand in a triplet, int64, ascending."""
        triplets = self.triplets_of(split)
        rows = [self.labels_of(split)["image"], *(triplets[role] for role in TRIPLET_ROLES)]
        return np.unique(np.concatenate(rows)).astype(np.int64)

    def take(self, rows: Sequence[int] | np.ndarray) -> "Manifest":
        """The manifest of these rows alone, in this order; triplets only where all three stay."""
        rows = np.asarray(rows, np.int64)
        new_row = np.full(len(self), -1, np.int64)
        new_row[rows] = np.arange(len(rows))
        labels = self.labels[new_row[self.labels["image"]] >= 0].copy()
        labels["image"] = new_row[labels["image"]]
        triplets = self.triplets
        if triplets is not None:
            whole = np.all([new_row[triplets[role]] >= 0 for role in TRIPLET_ROLES], axis=0)
            triplets = triplets[whole].copy()
            for role in TRIPLET_ROLES:
                triplets[role] = new_row[triplets[role]]
        return dataclasses.replace(
            self,
            images=self.images[rows],
            splits=self.splits[rows],
            labels=sort_labels(labels),
            lines=self.lines[rows],
            sources=None if self.sources is None else self.sources[rows],
            garment_boxes=self.garment_boxes and self.garment_boxes.take(rows),
            products=None if self.products is None else self.products[rows],
            boxes=None if self.boxes is None else self.boxes[rows],
            triplets=triplets,
        )


def label_records(
    image: ArrayLike, attribute: ArrayLike, value: ArrayLike, role: ArrayLike = NO_ROLE
) -> np.ndarray:
    """Records of `LABEL` from columns [L], or numbers that all records have."""
    labels = np.zeros(np.broadcast(image, attribute, value, role).shape, LABEL)
    labels["image"], labels["attribute"] = image, attribute
    labels["value"], labels["role"] = value, role
    return labels


def sort_labels(labels: np.ndarray) -> np.ndarray:
    """The label records in the order a manifest keeps them, doubles removed."""
    keys = ("image", "attribute", "value", "role")
    labels = labels[np.lexsort([labels[key] for key in reversed(keys)])]
    first = np.ones(len(labels), bool)
    first[1:] = labels[1:] != labels[:-1]
    return labels[first]


def with_default_roles(manifest: Manifest) -> Manifest:
    """Gives roles to the splits for evaluation that come without any.

    Of the images labelled for an attribute every fifth is a query and the others are candidates,
    as in the papers (queries : candidates = 1 : 4). Splits that bring roles stay as they are.
    """
    labels = manifest.labels.copy()
    for split in ("valid", "test"):
        inside = np.flatnonzero(manifest.splits[labels["image"]] == SPLITS.index(split))
        if labels["role"][inside].any():
            continue
        for attribute in range(len(manifest.space)):
            chosen = inside[labels["attribute"][inside] == attribute]
            _, nth = np.unique(labels["image"][chosen], return_inverse=True)
            labels["role"][chosen] = np.where(nth % 5 == 0, QUERY, CANDIDATE)
    return dataclasses.replace(manifest, labels=labels)
