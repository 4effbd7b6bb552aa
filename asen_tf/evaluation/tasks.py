"""Who is searched for and among whom: queries and candidates of each attribute."""

import dataclasses
import functools

import numpy as np

from asen_tf.core.choices import MULTI_LABEL, OFFICIAL, RELEVANCE
from asen_tf.core.errors import unknown_name
from asen_tf.data.manifest import CANDIDATE, QUERY, Manifest


@dataclasses.dataclass(frozen=True)
class RetrievalTask:
    """The queries and candidates of one attribute in one split.

    Attributes:
      attribute: position in the attribute space.
      queries: [Q] manifest rows, ascending.
      candidates: [N] manifest rows, ascending.
      query_values: [Q, V] the values each query looks for, padded with -1.
      candidate_values: [N, W] the values each candidate has, padded with -2.
    """

    attribute: int
    queries: np.ndarray
    candidates: np.ndarray
    query_values: np.ndarray
    candidate_values: np.ndarray

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

    def own_image(self, chunk: slice) -> np.ndarray:
        """[q, N] bool: which candidate is the query's own image."""
        return self.queries[chunk, None] == self.candidates


def checked_relevance(relevance: str) -> str:
    """The name itself; raises ValueError, naming the nearest known one, if it is unknown."""
    if relevance not in RELEVANCE:
        raise ValueError(unknown_name("relevance", relevance, RELEVANCE))
    return relevance


def retrieval_tasks(
    manifest: Manifest, split: str, relevance: str = OFFICIAL
) -> tuple[list[RetrievalTask], list[str]]:
    """The tasks of a split, and the attributes that have no queries or no candidates there.

    Args:
      manifest: whose images; labels without a role make no image a query or a candidate.
      split: "train", "valid" or "test".
      relevance: one of `RELEVANCE`.

    Raises:
      ValueError: the split or relevance is unknown, or no attribute has both queries and
        candidates.
    """
    checked_relevance(relevance)
    labels = manifest.labels_of(split)
    tasks, skipped = [], []
    for attribute, name in enumerate(manifest.space):
        own = labels[labels["attribute"] == attribute]
        queries, query_values = _values_by_image(own, QUERY, relevance, padding=-1)
        candidates, candidate_values = _values_by_image(own, CANDIDATE, relevance, padding=-2)
        if len(queries) and len(candidates):
            tasks.append(
                RetrievalTask(attribute, queries, candidates, query_values, candidate_values)
            )
        else:
            skipped.append(name)
    if not tasks:
        raise ValueError(
            f"no attribute has both queries and candidates in split {split!r} of "
            f"{manifest.source}: give roles in the data, or call with_default_roles(manifest)"
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
