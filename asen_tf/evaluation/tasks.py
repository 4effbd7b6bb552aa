"""Who is searched for and among whom: queries and candidates of each attribute."""

import dataclasses
import functools

import numpy as np

from asen_client.core.errors import unknown_name
from asen_tf.core.choices import MULTI_LABEL, OFFICIAL, RELEVANCE
from asen_tf.data.manifest import CANDIDATE, QUERY, Manifest

MEASURED_BY = "no query has candidates that share its value beside others that do not"
_QUERIES_AT_A_TIME = 64


class NothingToMeasure(ValueError):
    """A split in which no order of the candidates is better than another."""


@dataclasses.dataclass(frozen=True)
class RetrievalTask:
    """The queries and candidates of one attribute in one split.

    Attributes:
      attribute: position in the attribute space.
      queries: [Q] manifest rows, ascending.
      candidates: [N] manifest rows, ascending.
      query_values: [Q, V] the values each query looks for, padded with -1.
      candidate_values: [N, W] the values each candidate has, padded with -2.
      products: of each manifest row, see `Manifest.products`.
    """

    attribute: int
    queries: np.ndarray
    candidates: np.ndarray
    query_values: np.ndarray
    candidate_values: np.ndarray
    products: np.ndarray | None = None

    @functools.cached_property
    def images(self) -> np.ndarray:
        """[P] rows to embed: the candidates, then the queries that are no candidates."""
        return np.concatenate([self.candidates, np.setdiff1d(self.queries, self.candidates)])

    @functools.cached_property
    def query_positions(self) -> np.ndarray:
        """[Q] where each query stands in `images`."""
        order = np.argsort(self.images)
        return order[np.searchsorted(self.images, self.queries, sorter=order)]

    def relevant(self, chunk: slice) -> np.ndarray:
        """[q, N] bool: which candidates share a value with these queries."""
        shared = np.zeros((len(self.queries[chunk]), len(self.candidates)), bool)
        for wanted in self.query_values[chunk].T:
            for given in self.candidate_values.T:
                shared |= wanted[:, None] == given
        return shared

    @property
    def tells(self) -> bool:
        """Whether some query has relevant and irrelevant candidates; else all orders are alike."""
        for start in range(0, len(self.queries), _QUERIES_AT_A_TIME):
            chunk = slice(start, start + _QUERIES_AT_A_TIME)
            relevant, others = self.relevant(chunk), ~self.excluded(chunk)
            if ((relevant & others).any(1) & (~relevant & others).any(1)).any():
                return True
        return False

    def excluded(self, chunk: slice) -> np.ndarray:
        """[q, N] bool: which candidates show the query's own image, or its own product."""
        queries = self.queries[chunk, None]
        own = queries == self.candidates
        if self.products is None:
            return own
        products = self.products[queries]
        return own | ((products == self.products[self.candidates]) & (products >= 0))


def checked_relevance(relevance: str) -> str:
    """The name itself; raises ValueError, naming the nearest known one, if it is unknown."""
    if relevance not in RELEVANCE:
        raise ValueError(unknown_name("relevance", relevance, RELEVANCE))
    return relevance


def retrieval_tasks(
    manifest: Manifest, split: str, relevance: str = OFFICIAL
) -> tuple[list[RetrievalTask], list[str]]:
    """The tasks of a split, and the attributes of which nothing is measured there.

    These have no queries, no candidates, or none that `RetrievalTask.tells` anything, such as
    attributes with one value.

    Args:
      manifest: whose images; labels without a role make no image a query or a candidate.
      split: "train", "valid" or "test".
      relevance: one of `RELEVANCE`.

    Raises:
      NothingToMeasure: no attribute is left.
      ValueError: the split or relevance is unknown.
    """
    checked_relevance(relevance)
    labels = manifest.labels_of(split)
    tasks, skipped = [], []
    for attribute, name in enumerate(manifest.space):
        own = labels[labels["attribute"] == attribute]
        queries, query_values = _values_by_image(own, QUERY, relevance, padding=-1)
        candidates, candidate_values = _values_by_image(own, CANDIDATE, relevance, padding=-2)
        given = queries, candidates, query_values, candidate_values, manifest.products
        task = RetrievalTask(attribute, *given)
        if len(candidates) and task.tells:
            tasks.append(task)
        else:
            skipped.append(name)
    if not tasks:
        rows = len(manifest.rows(split))
        raise NothingToMeasure(
            f"nothing can be measured on split {split} of {manifest.source}: "
            + (f"{rows} rows, but {MEASURED_BY}" if rows else "no row has it")
        )
    return tasks, skipped


def _values_by_image(
    labels: np.ndarray, role: int, relevance: str, padding: int
) -> tuple[np.ndarray, np.ndarray]:
    """The distinct images [I] of this role, ascending, and the values [I, V] that count.

    The labels are one attribute's, sorted by image and value.
    """
    in_role = labels[labels["role"] == role]
    if relevance == MULTI_LABEL:
        labels = labels[np.isin(labels["image"], in_role["image"])]
        labels = np.unique(labels[["image", "value"]])
    else:
        labels = in_role
    images, first, counts = np.unique(labels["image"], return_index=True, return_counts=True)
    values = np.full((len(images), counts.max(initial=0)), padding, np.int32)
    row = np.repeat(np.arange(len(images)), counts)
    values[row, np.arange(len(labels)) - np.repeat(first, counts)] = labels["value"]
    return images.astype(np.int64), values
