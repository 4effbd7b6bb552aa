"""What a catalogue holds, and what a search gives."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

# A cell of a table: text, a number, or nothing.
Cell = str | int | float | bool | None


class Record(NamedTuple):
    """What is known of an item beside its vectors.

    Attributes:
      labels: attribute -> its values, for the attributes that are labelled.
      metadata: whatever else, such as `image` (path), `price` or `brand`.
    """

    labels: Mapping[str, Sequence[str]]
    metadata: Mapping[str, Cell]


class Hits(NamedTuple):
    """Answer to a search, best first; equal scores in the order of their ids.

    Attributes:
      ids: [K] names of the items.
      scores: [K] float32, weighted sums of cosines.
    """

    ids: list[str]
    scores: np.ndarray


@dataclasses.dataclass(frozen=True)
class Items:
    """N items.

    Attributes:
      ids: [N] names, each once, not empty.
      vectors: float32 [N, A, D], a unit vector for each attribute.
      records: [N] labels and metadata; none: all empty.

    Raises:
      ValueError: the lengths differ, an id is empty or comes twice, a vector is not of length one,
        or a record holds something else than `Record` says.
    """

    ids: Sequence[str]
    vectors: np.ndarray
    records: Sequence[Record] = ()

    def __post_init__(self):
        vectors = np.ascontiguousarray(self.vectors, np.float32)
        records = list(self.records) or [Record({}, {}) for _ in self.ids]
        if vectors.ndim != 3 or not len(self.ids) == len(vectors) == len(records):
            raise ValueError(
                f"expected ids [N], vectors [N, A, D] and records [N], got {len(self.ids)} ids, "
                f"vectors {list(vectors.shape)} and {len(records)} records"
            )
        check_ids(self.ids)
        for name, record in zip(self.ids, records, strict=True):
            _check_record(name, record)
        wrong = np.abs(np.linalg.norm(vectors, axis=-1) - 1) > 1e-2
        if not_unit := np.argwhere(wrong | ~np.isfinite(vectors).all(-1)).tolist():
            item, attribute = not_unit[0]
            raise ValueError(
                f"item {self.ids[item]!r}: vector {attribute} is not of length one; "
                "divide each vector by its norm"
            )
        object.__setattr__(self, "ids", list(self.ids))
        object.__setattr__(self, "vectors", vectors)
        object.__setattr__(self, "records", records)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Sequence[int]) -> "Items":
        """The items of these rows, in this order."""
        rows = [int(row) for row in rows]
        return Items(
            [self.ids[row] for row in rows],
            self.vectors[rows],
            [self.records[row] for row in rows],
        )


def check_ids(ids: Sequence[str]) -> None:
    """Raises ValueError where an id is empty, no text, or comes twice."""
    seen = set()
    for name in ids:
        if not isinstance(name, str) or not name:
            raise ValueError(f"an id must be a text that is not empty, got {name!r}")
        if name in seen:
            raise ValueError(f"id {name!r} comes twice in one call; every item needs its own")
        seen.add(name)


def _check_record(name: str, record: Record) -> None:
    labels, metadata = record
    for key, values in labels.items():
        if isinstance(values, str) or not all(isinstance(value, str) for value in values):
            raise ValueError(f"item {name!r}: expected a list of texts as {key!r}, got {values!r}")
    for key, value in metadata.items():
        finite = not isinstance(value, float) or np.isfinite(value)
        if not isinstance(value, Cell | None) or not finite:
            raise ValueError(
                f"item {name!r}: expected text, a finite number, a truth value or None as "
                f"{key!r}, got {value!r}"
            )
