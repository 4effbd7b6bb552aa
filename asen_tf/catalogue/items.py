"""What a catalogue holds, is queried for and answers."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from asen_tf.catalogue.filters import Condition

# A cell of a table: text, a number, or nothing.
Cell = str | int | float | bool | None

# Every engine keeps integers of 64 bits.
_LEAST, _MOST = -(2**63), 2**63 - 1


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
      marks: [N] texts that tell of what the vectors were made; none: all empty.

    Raises:
      ValueError: the lengths differ, an id is empty or comes twice, a vector is not of length one,
        or a record holds something else than `Record` says.
    """

    ids: Sequence[str]
    vectors: np.ndarray
    records: Sequence[Record] = ()
    marks: Sequence[str] = ()

    def __post_init__(self):
        vectors = np.ascontiguousarray(self.vectors, np.float32)
        records = list(self.records) or [Record({}, {}) for _ in self.ids]
        marks = list(self.marks) or [""] * len(self.ids)
        counts = {len(self.ids), len(vectors), len(records), len(marks)}
        if vectors.ndim != 3 or len(counts) > 1:
            raise ValueError(
                "expected ids [N], vectors [N, A, D], records [N] and marks [N], got "
                f"{len(self.ids)} ids, vectors {list(vectors.shape)}, {len(records)} records and "
                f"{len(marks)} marks"
            )
        check_ids(self.ids)
        for name, record, mark in zip(self.ids, records, marks, strict=True):
            check_record(name, record)
            _check_text(f"item {name!r}: the mark", mark)
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
        object.__setattr__(self, "marks", marks)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Sequence[int]) -> "Items":
        """The items of these rows, in this order."""
        rows = [int(row) for row in rows]
        return Items(
            [self.ids[row] for row in rows],
            self.vectors[rows],
            [self.records[row] for row in rows],
            [self.marks[row] for row in rows],
        )


def check_ids(ids: Sequence[str]) -> None:
    """Raises ValueError where an id is empty, no text, or comes twice."""
    seen = set()
    for name in ids:
        if not isinstance(name, str) or not name:
            raise ValueError(f"an id must be a text that is not empty, got {name!r}")
        _check_text("an id", name)
        if name in seen:
            raise ValueError(f"id {name!r} comes twice in one call; every item needs its own")
        seen.add(name)


def check_record(name: str, record: Record) -> None:
    """Raises ValueError where an item's record holds something else than `Record` says."""
    labels, metadata = record
    for key, values in labels.items():
        _check_text(f"item {name!r}: the attribute", key)
        if isinstance(values, str) or not all(isinstance(value, str) for value in values):
            raise ValueError(f"item {name!r}: expected a list of texts as {key!r}, got {values!r}")
        for one in values:
            _check_text(f"item {name!r}: {key!r}", one)
    for key, value in metadata.items():
        _check_text(f"item {name!r}: the name of metadata", key)
        finite = not isinstance(value, float) or np.isfinite(value)
        if not isinstance(value, Cell | None) or not finite:
            raise ValueError(
                f"item {name!r}: expected text, a finite number, a truth value or None as "
                f"{key!r}, got {value!r}"
            )
        if isinstance(value, int) and not _LEAST <= value <= _MOST:
            # Its digits are not shown: Python refuses to write thousands of them.
            raise ValueError(
                f"item {name!r}: {key!r} is an integer of {value.bit_length()} bits, expected "
                f"{_LEAST} to {_MOST}; keep it as text, or as a float"
            )
        if isinstance(value, str):
            _check_text(f"item {name!r}: {key!r}", value)


def _check_text(what: str, text: str) -> None:
    try:
        text.encode()
    except (AttributeError, UnicodeEncodeError) as error:
        raise ValueError(f"{what}: expected Unicode text, got {text!r}") from error


@dataclasses.dataclass(frozen=True)
class Match:
    """One result.

    Attributes:
      id: of the item.
      product: which product it shows, its metadata `product`; None where that is not known.
      others: ids of the other items that this one stands for, the best first.
      score: of a search the weighted mean of the cosines, or of 1 minus the distances, -1 to 1; of
        a reranked list 0 to 1.
      cosines: attribute -> how similar item and query are there, -1 to 1, where a weight is not 0.
      labels: attribute -> the item's values.
      metadata: what else is known of it.
    """

    id: str
    product: Cell
    others: Sequence[str]
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
      vectors: float32 [Q, A, D], unit vectors in each space; an item counts as similar as it is to
        the one of the Q that is most like it.
      weights: float64 [A], how much each space counts; their sizes sum to 1.
      items: ids of the items it comes from, which are no results; the last one is where it starts.
      measure: one of `queries.MEASURES`.
      disliked: ids of items that it leads away from, which are no results either.
      liked: id of the liked item that took the place of what was given; None: none did.
      where: what its words ask of results; None: nothing.
    """

    vectors: np.ndarray
    weights: np.ndarray
    items: tuple[str, ...] = ()
    measure: str = "cosine"
    disliked: tuple[str, ...] = ()
    liked: str | None = None
    where: "Condition | None" = None
