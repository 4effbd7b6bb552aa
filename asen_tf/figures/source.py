"""A run opened for drawing: what several figures need is read and computed once."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from asen_tf import images
from asen_tf.core.progress import Progress, say
from asen_tf.data.manifest import CANDIDATE, QUERY, Manifest

if TYPE_CHECKING:  # TensorFlow takes seconds
    from asen_tf.keras_embedder import KerasEmbedder
    from asen_tf.workdir import Workdir


class NothingToDraw(ValueError):
    """The run's model or data has not what a figure shows; the message says what is missing."""


@dataclasses.dataclass(eq=False)
class Source:
    """What figures are drawn from.

    Attributes:
      run: its folder.
      embedder: its best model.
      manifest: its data.
      split: whose photographs are shown: "train", "valid" or "test".
      attributes: those that are shown; given (): all.
      attribute: the one that is shown large; given "": the first of these.
      photographs: rows of a picture.
      results: photographs found that are shown.
      images: at most so many are embedded, evenly spread over the labelled ones of the split: those
        that are searched, and the points of a map.

    Raises:
      ValueError: an unknown attribute.
    """

    run: "Workdir"
    embedder: "KerasEmbedder"
    manifest: Manifest
    split: str = "test"
    attributes: Sequence[str] = ()
    attribute: str = ""
    photographs: int = 6
    results: int = 6
    images: int = 1000

    def __post_init__(self):
        self.attributes = tuple(self.attributes or self.embedder.attributes)
        self.attribute = self.attribute or self.attributes[0]
        for name in (*self.attributes, self.attribute):
            self.index(name)

    def index(self, name: str) -> int:
        """The attribute's number; raises ValueError, naming the nearest, for an unknown one."""
        return self.embedder.attributes.index(name)

    def sample(self, count: int) -> np.ndarray:
        """So many rows of the split's photographs, evenly spread."""
        return spread(self.manifest.rows(self.split), count)

    @functools.cached_property
    def rows(self) -> np.ndarray:
        """Rows of the labelled images of the split that are embedded, int64 [N], ascending."""
        labelled = np.unique(self.manifest.labels_of(self.split)["image"]).astype(np.int64)
        if not len(labelled):
            raise NothingToDraw(f"split {self.split!r} of the data has no labelled image")
        chosen = spread(labelled, self.images)
        if len(chosen) < len(labelled):
            say(
                f"{len(chosen)} of {len(labelled)} labelled images are used; --images sets how many"
            )
        return chosen

    @functools.cached_property
    def vectors(self) -> np.ndarray:
        """Unit vectors of `rows` in every attribute's space, float32 [N, A, D]."""
        shown, step = list(map(self.manifest.photograph, self.rows)), 4 * self.embedder.batch_size
        found = []
        with Progress("embedding", len(shown), "images") as progress:
            for start in range(0, len(shown), step):
                found.append(self.embedder.embed_all(shown[start : start + step]))
                progress.update(len(found[-1]))
        return np.concatenate(found)

    def labelled(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Positions in `rows` of the images labelled for an attribute, and their first values."""
        labels = self._labels(name)
        images, first = np.unique(labels["image"], return_index=True)
        inside = np.isin(images, self.rows)
        return np.searchsorted(self.rows, images[inside]), labels["value"][first[inside]]

    def searchable(self) -> list[str]:
        """The shown attributes with queries and candidates; raises NothingToDraw for none."""
        names = [name for name in self.attributes if all(map(len, self._searched(name)))]
        if not names:
            raise NothingToDraw(f"split {self.split!r} has no queries with candidates")
        return names

    def searched(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Positions in `rows` of an attribute's queries that pictures show, and its candidates.

        Raises:
          NothingToDraw: one of them is missing.
        """
        found = self._searched(name)
        if not all(map(len, found)):
            raise NothingToDraw(f"split {self.split!r} has no queries or no candidates for {name}")
        return found

    def _searched(self, name):
        queries = spread(self._of_role(name, QUERY), self.photographs)
        return queries, self._of_role(name, CANDIDATE)

    def alike(self, name: str, position: int, others: np.ndarray) -> np.ndarray:
        """bool [R]: which of the others share a value of the attribute with this one."""
        labels = self._labels(name)
        own = labels["value"][labels["image"] == self.rows[position]]
        sharing = labels["image"][np.isin(labels["value"], own)]
        return np.isin(self.rows[others], sharing)

    def pixels(self, row: int, longest: int | None = None) -> np.ndarray:
        """A photograph, cut to its garment's box, with its longer side at most `longest`.

        Returns:
          uint8 [H, W, 3]; with `longest` None as large as it is.
        """
        return images.read(self._photograph(row), longest=longest)

    def part_boxes(self, row: int) -> np.ndarray | None:
        """The parts that show each shown attribute, [A, 4], in what `pixels` gives of a photograph.

        NaN where there is none, or it was cut off; None where the data has no such boxes.
        """
        if self.manifest.boxes is None:
            return None
        boxes = self.manifest.boxes[row, [self.index(name) for name in self.attributes]]
        photograph = self._photograph(row)
        if not isinstance(photograph, images.Boxed):
            return boxes
        height, width = images.size_of(photograph)
        boxes = np.clip(boxes - np.tile(photograph.corner(), 2), 0, (width, height) * 2)
        there = (boxes[:, 2:] > boxes[:, :2]).all(-1, keepdims=True)
        return np.where(there, boxes, np.nan)

    def _photograph(self, row):
        return self.manifest.photograph(row, self.embedder.box_margin)

    def values(self, row: int, name: str) -> str:
        """The values of an attribute that a photograph is labelled with, in words; or ""."""
        labels = self.manifest.labels
        of_pair = (labels["image"] == row) & (labels["attribute"] == self.index(name))
        names = self.manifest.space[name].values
        return " | ".join(names[value].replace("_", " ") for value in labels["value"][of_pair])

    def _of_role(self, name: str, role: int) -> np.ndarray:
        labels = self._labels(name)
        images = np.unique(labels["image"][labels["role"] == role])
        return np.searchsorted(self.rows, images[np.isin(images, self.rows)])

    def _labels(self, name: str) -> np.ndarray:
        labels = self.manifest.labels_of(self.split)
        return labels[labels["attribute"] == self.index(name)]


def spread(rows: np.ndarray, count: int) -> np.ndarray:
    """So many of the rows, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]
