"""A run opened for drawing: what several figures need is read and computed once."""

import dataclasses
import functools
from collections.abc import Sequence

import numpy as np
from PIL import Image

from asen_tf.core.progress import Progress, say
from asen_tf.data.manifest import CANDIDATE, QUERY, Manifest
from asen_tf.embedder import Embedder
from asen_tf.workdir import Workdir


class NothingToDraw(ValueError):
    """The run's model or data has not what a figure shows; the message says what is missing."""


@dataclasses.dataclass(frozen=True)
class Choice:
    """What is shown.

    Attributes:
      split: whose photographs: "train", "valid" or "test".
      attributes: those that are shown; (): all.
      attribute: the one that is shown large; "": the first of these.
      photographs: rows of a picture.
      results: photographs found that are shown.
      images: at most so many are embedded, evenly spread over the labelled ones of the split: those
        that are searched, and the points of a map.
    """

    split: str = "test"
    attributes: Sequence[str] = ()
    attribute: str = ""
    photographs: int = 6
    results: int = 6
    images: int = 1000


class Source:
    """What figures are drawn from.

    Args, which are attributes too:
      run: its folder.
      embedder: its best model.
      manifest: its data.
      choice: what is shown; as an attribute, with the names of all attributes that are.

    Raises:
      ValueError: an unknown attribute.
    """

    def __init__(self, run: Workdir, embedder: Embedder, manifest: Manifest, choice: Choice):
        self.run = run
        self.embedder = embedder
        self.manifest = manifest
        self.choice = _named(choice, embedder)

    @property
    def large(self) -> str:
        """The attribute that is shown large."""
        return self.choice.attribute

    def photographs(self) -> np.ndarray:
        """Rows of the photographs that pictures show, evenly spread over the split."""
        return spread(self.manifest.rows(self.choice.split), self.choice.photographs)

    @functools.cached_property
    def rows(self) -> np.ndarray:
        """Rows of the labelled images of the split that are embedded, int64 [N], ascending."""
        labelled = np.unique(self.manifest.labels_of(self.choice.split)["image"]).astype(np.int64)
        if not len(labelled):
            raise NothingToDraw(f"split {self.choice.split!r} of the data has no labelled image")
        chosen = spread(labelled, self.choice.images)
        if len(chosen) < len(labelled):
            say(
                f"{len(chosen)} of {len(labelled)} labelled images are used; --images sets how many"
            )
        return chosen

    @functools.cached_property
    def vectors(self) -> np.ndarray:
        """Unit vectors of `rows` in every attribute's space, float32 [N, A, D]."""
        paths, step = self.manifest.paths[self.rows], 4 * self.embedder.batch_size
        found = []
        with Progress("embedding", len(paths), "images") as progress:
            for start in range(0, len(paths), step):
                found.append(self.embedder.embed_all(paths[start : start + step]))
                progress.update(len(found[-1]))
        return np.concatenate(found)

    def labelled(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Positions in `rows` of the images labelled for an attribute, and their first values."""
        labels = self._labels(name)
        images, first = np.unique(labels["image"], return_index=True)
        inside = np.isin(images, self.rows)
        return np.searchsorted(self.rows, images[inside]), labels["value"][first[inside]]

    def queries(self, name: str) -> np.ndarray:
        """Positions in `rows` of an attribute's queries that pictures show."""
        return spread(self._of_role(name, QUERY), self.choice.photographs)

    def candidates(self, name: str) -> np.ndarray:
        """Positions in `rows` of an attribute's candidates."""
        return self._of_role(name, CANDIDATE)

    def searched(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Queries and candidates; raises NothingToDraw where one of them is missing."""
        queries, candidates = self.queries(name), self.candidates(name)
        if not len(queries) or not len(candidates):
            raise NothingToDraw(
                f"split {self.choice.split!r} has no queries or no candidates for {name}"
            )
        return queries, candidates

    def alike(self, name: str, position: int, others: np.ndarray) -> np.ndarray:
        """bool [R]: which of the others share a value of the attribute with this one."""
        labels = self._labels(name)
        own = labels["value"][labels["image"] == self.rows[position]]
        sharing = labels["image"][np.isin(labels["value"], own)]
        return np.isin(self.rows[others], sharing)

    def pixels(self, row: int, longest: int | None = None) -> np.ndarray:
        """A photograph, uint8 [H, W, 3], with its longer side at most `longest`; None: as it is."""
        with Image.open(self.manifest.path(row)) as image:
            if longest is not None:
                image.draft("RGB", (longest, longest))
            loaded = image.convert("RGB")
        if longest is not None:
            loaded.thumbnail((longest, longest), Image.Resampling.LANCZOS)
        return np.asarray(loaded)

    def values(self, row: int, name: str) -> str:
        """The values of an attribute that a photograph is labelled with, in words."""
        labels = self.manifest.labels
        of_pair = (labels["image"] == row) & (labels["attribute"] == self._index(name))
        names = self.manifest.space[name].values
        return " | ".join(names[value].replace("_", " ") for value in labels["value"][of_pair])

    def _of_role(self, name: str, role: int) -> np.ndarray:
        labels = self._labels(name)
        images = np.unique(labels["image"][labels["role"] == role])
        return np.searchsorted(self.rows, images[np.isin(images, self.rows)])

    def _labels(self, name: str) -> np.ndarray:
        labels = self.manifest.labels_of(self.choice.split)
        return labels[labels["attribute"] == self._index(name)]

    def _index(self, name: str) -> int:
        return self.embedder.attributes.index(name)


def spread(rows: np.ndarray, count: int) -> np.ndarray:
    """So many of the rows, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]


def _named(choice: Choice, embedder: Embedder) -> Choice:
    attributes = tuple(choice.attributes) or tuple(embedder.attributes)
    attribute = choice.attribute or attributes[0]
    for name in (*attributes, attribute):
        embedder.attributes.index(name)
    return dataclasses.replace(choice, attributes=attributes, attribute=attribute)
