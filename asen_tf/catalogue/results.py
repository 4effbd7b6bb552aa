"""What a catalogue is queried for, and what it answers."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from asen_tf.catalogue.items import Cell


@dataclasses.dataclass(frozen=True)
class Match:
    """One result.

    Attributes:
      id: of the item.
      score: of a search the weighted mean of the cosines, -1 to 1; of a reranked list 0 to 1.
      cosines: attribute -> how similar item and query are there, -1 to 1, where a weight is not 0.
      labels: attribute -> the item's values.
      metadata: what else is known of it.
    """

    id: str
    score: float
    cosines: Mapping[str, float]
    labels: Mapping[str, Sequence[str]]
    metadata: Mapping[str, Cell]

    def to_dict(self) -> dict:
        """What JSON can hold."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Similarity:
    """How similar two items are in one attribute.

    Attributes:
      attribute: its name.
      cosine: -1 to 1.
      percentile: percentage of random pairs of the catalogue that are less similar, 0 to 100.
    """

    attribute: str
    cosine: float
    percentile: float

    def to_dict(self) -> dict:
        """What JSON can hold."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Query:
    """What is looked for.

    Attributes:
      vectors: float32 [A, D], a unit vector in each space.
      weights: float32 [A], how much each space counts.
      items: ids of the items it comes from, which are no results.
    """

    vectors: np.ndarray
    weights: np.ndarray
    items: tuple[str, ...] = ()
