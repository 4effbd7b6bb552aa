"""The one interface to what keeps and searches vectors.

A query is a float32 [A, D] array whose row a is w_a q_a: the weight on the query's side times its
unit vector; an attribute that does not count has a row of zeros, and costs nothing. The score of an
item with vectors v is the sum of all products, sum_a w_a cos(q_a, v_a), open to any weights.

    engine.upsert(Items(["a.jpg"], vectors, [Record({"color": ["red"]}, {"price": 20})]))
    hits = engine.search(query, k=20, where=parse("price<50 and not color=red"), exclude=["b.jpg"])
    engine.search(query, k=20, group="product")  # of each product the best photograph
    engine.vectors(hits.ids, attributes=[2])  # float32 [20, 1, D]
    engine.records(hits.ids)[0].metadata["price"]
"""

import abc
import dataclasses
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from asen_client.core.errors import unknown_name
from asen_tf.catalogue.filters import Condition
from asen_tf.catalogue.items import Hits, Items, Record
from asen_tf.catalogue.storage.cells import Kept
from asen_tf.embedders import Fingerprint


class Engine(abc.ABC):
    """Keeps items and finds those that score highest.

    What a method that writes has returned from is kept, whatever happens to the process then. One
    process may write at a time, and one of its threads; while none writes, many may search. Close
    it, or use it in a `with` statement.

    Every method raises OSError where the disk is full, the network away, or a second process
    writes; what was acknowledged before stays.

    Attributes:
      exact: whether `search` surely gives the best of all items. Where not, the engine gives
        candidates and their scores are exact.
      fingerprint: the model that filled the store.
    """

    exact: bool
    fingerprint: Fingerprint

    @abc.abstractmethod
    def insert(self, items: Items) -> None:
        """Adds items; all or none. ValueError: an id is there already, or other shapes."""

    @abc.abstractmethod
    def upsert(self, items: Items) -> None:
        """Adds items, in place of those of the same ids; all or none. ValueError: other shapes."""

    def describe(self, ids: Sequence[str], records: Sequence[Record]) -> None:
        """Gives items other labels and metadata; all or none. ValueError: an unknown id."""
        if len(ids):
            known = self.marks(ids)
            marks = [known.get(name, "") for name in ids]
            self.upsert(Items(ids, self.vectors(ids), records, marks))

    @abc.abstractmethod
    def delete(self, ids: Sequence[str]) -> int:
        """Removes items; gives how many of them were there."""

    @abc.abstractmethod
    def __len__(self) -> int:
        """How many items there are."""

    @abc.abstractmethod
    def ids(self, where: Condition | None = None) -> list[str]:
        """The ids of all items, or of those that meet a condition, sorted."""

    @abc.abstractmethod
    def known(self, ids: Iterable[str]) -> set[str]:
        """Those of the ids that are there."""

    @abc.abstractmethod
    def marks(self, ids: Iterable[str]) -> dict[str, str]:
        """Id -> mark, see `Items`, of those of the ids that are there."""

    @abc.abstractmethod
    def vectors(self, ids: Sequence[str], attributes: Sequence[int] | None = None) -> np.ndarray:
        """Vectors of items, float32 [N, A, D], in the order of the ids; one id may come twice.

        `attributes`: positions of those wanted, in order; None: all. ValueError: an unknown id.
        """

    @abc.abstractmethod
    def records(self, ids: Sequence[str]) -> list[Record]:
        """Labels and metadata of items, in the order of the ids; ValueError for an unknown id."""

    @abc.abstractmethod
    def search(
        self,
        query: np.ndarray,
        k: int,
        where: Condition | None = None,
        exclude: Sequence[str] = (),
        offset: int = 0,
        group: str = "",
    ) -> Hits:
        """The best k items after the best `offset` ones; fewer where there are no more.

        Args:
          query: float32 [A, D], see this file's head; not all zeros.
          k: 1 or more.
          where: only items that meet it.
          exclude: ids to leave out; they need not be there.
          offset: for pages after the first.
          group: a name of metadata: of the items with the same value the best alone counts; those
            without a value count each by itself.

        Raises:
          ValueError: the query's shape, a query of zeros, k or offset out of range, an attribute as
            group, or a condition on a field or a label that no item has, or on numbers where there
            are none.
        """

    @abc.abstractmethod
    def having(
        self, name: str, values: Iterable[Kept], where: Condition | None = None
    ) -> dict[Kept, list[str]]:
        """Value -> ids of the items whose metadata `name` it is and that meet a condition, sorted.

        `values`: as `storage.cells.kept` gives them.
        """

    @abc.abstractmethod
    def counts(
        self, names: Iterable[str], where: Condition | None = None, group: str = ""
    ) -> dict[str, dict[Kept, int]]:
        """Name of labels or metadata -> value -> how many items that meet a condition have it.

        `group`: how many groups have such an item, see `search`.
        """

    @abc.abstractmethod
    def has_field(self, name: str) -> bool:
        """Whether any item has a label or metadata of this name."""

    @abc.abstractmethod
    def has_numbers(self, name: str) -> bool:
        """Whether the metadata of this name is a number anywhere."""

    @abc.abstractmethod
    def has_label(self, name: str, value: str) -> bool:
        """Whether any item has this value of an attribute."""

    @abc.abstractmethod
    def compact(self, least: float = 0) -> None:
        """Gives back the room of what was deleted or replaced, and brings indexes up to date.

        Not where that concerns no more than a share `least` of all. Milvus sees to it by itself:
        only 0 asks it to do it now.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Ends the work; what was written stays."""

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def check_items(self, items: Items) -> None:
        """Raises ValueError for other shapes of vectors, and names of both labels and metadata."""
        self._check_shape("vectors of items", items.vectors.shape[1:])
        self.check_records(items.ids, items.records)

    def check_records(self, ids: Sequence[str], records: Sequence[Record]) -> None:
        """Raises ValueError for unknown labels, and names of both labels and metadata."""
        known = self.fingerprint.attributes
        for name, (labels, metadata) in zip(ids, records, strict=True):
            for label in labels:
                if label not in known:
                    raise ValueError(f"item {name!r}: {unknown_name('attribute', label, known)}")
            if shared := [key for key in metadata if key in known]:
                raise ValueError(
                    f"item {name!r}: {shared[0]!r} is an attribute; give it as a label, "
                    "not as metadata"
                )

    def check_new(self, ids: Sequence[str]) -> None:
        """Raises ValueError where an id is there already."""
        if found := sorted(self.known(ids)):
            raise ValueError(
                f"{len(found)} of the ids are there already, {found[0]!r} for one; "
                "upsert replaces items"
            )

    def check_known(self, ids: Sequence[str]) -> None:
        """Raises ValueError where an id is not there."""
        known = self.known(ids)
        for name in ids:
            if name not in known:
                raise ValueError(f"no item {name!r} in the store")

    def check_query(
        self, query: np.ndarray, k: int, where: Condition | None, offset: int, group: str = ""
    ) -> np.ndarray:
        """The query as float32; raises ValueError as `search` does."""
        query = np.ascontiguousarray(query, np.float32)
        self._check_shape("a query", query.shape)
        if not np.isfinite(query).all():
            raise ValueError("a query has numbers that are not finite")
        if not query.any():
            raise ValueError("the query is all zeros; give at least one attribute a weight")
        if k < 1 or offset < 0:
            raise ValueError(f"k must be positive and offset not negative, got {k} and {offset}")
        self.check_group(group)
        self.check_condition(where)
        return query

    def check_group(self, group: str) -> None:
        """Raises ValueError where it is an attribute, of which an item may have several values."""
        if group in self.fingerprint.attributes:
            raise ValueError(
                f"group: {group!r} is an attribute; expected a name of metadata, such as product"
            )

    def check_condition(self, where: Condition | None) -> None:
        """Raises ValueError where a condition asks for what neither model nor items know."""
        known = self.fingerprint.attributes
        asked = sorted(where.comparisons()) if where and len(self) else ()
        for name, sign, value in map(dataclasses.astuple, asked):
            if not self.has_field(name):
                raise ValueError(f"filter: no item has {name!r}, neither as label nor as metadata")
            if sign != "=" and not self.has_numbers(name):
                raise ValueError(
                    f"filter: {sign} compares numbers, and {name!r} has none, only texts"
                )
            if sign == "=" and name in known:
                values = known[name].values
                if value not in values and not self.has_label(name, value):
                    raise ValueError(f"filter: {unknown_name(f'value of {name}', value, values)}")

    def _check_shape(self, what: str, shape: tuple[int, ...]) -> None:
        expected = (len(self.fingerprint.attributes), self.fingerprint.dimension)
        if shape != expected:
            raise ValueError(
                f"{what} must be [A, D] = {list(expected)} as in this store, got {list(shape)}"
            )


def best(
    ids: Sequence[str],
    scores: np.ndarray,
    query: np.ndarray,
    k: int,
    offset: int,
    vectors: Callable[[Sequence[str]], np.ndarray],
    groups: np.ndarray | None = None,
) -> Hits:
    """The best k after the best `offset` of these; equal scores in the order of their ids.

    How an engine adds up depends on how many items it looks at, so that scores of items that look
    alike may differ in the last digits. Those between which that might decide are computed anew,
    in double precision: every engine gives the same pages of the same items.

    Args:
      ids, scores: of candidates, any engine's: all that score at least as `last_score` says, but
        for the `tolerance`.
      query: float32 [A, D].
      vectors: ids -> float32 [N, A, D].
      groups: [N] numbers: of the candidates with the same one, the best alone counts.
    """
    if not len(ids):
        return Hits([], np.empty(0, np.float32))
    groups = np.arange(len(ids)) if groups is None else np.unique(groups, return_inverse=True)[1]
    leading = np.full(groups.max() + 1, -np.inf, np.float32)
    np.maximum.at(leading, groups, scores)
    ranked = -np.sort(-leading)
    if offset >= len(ranked):
        return Hits([], np.empty(0, np.float32))
    allowance = tolerance(query)
    last = ranked[min(offset + k, len(ranked)) - 1]
    before = int((ranked > ranked[offset] + allowance).sum())
    own = leading[groups]
    unclear = (own <= ranked[offset] + allowance) & (own >= last - allowance)
    unclear = np.flatnonzero(unclear & (scores >= own - allowance))
    names = [ids[n] for n in unclear.tolist()]
    products = np.einsum("nad,ad->n", vectors(names), query, dtype=np.float64)
    exact = products.astype(np.float32).tolist()
    found, seen = [], set()
    for score, name, group in sorted(
        zip(exact, names, groups[unclear].tolist(), strict=True), key=lambda one: (-one[0], one[1])
    ):
        if group not in seen:
            seen.add(group)
            found.append((name, score))
    found = found[offset - before : offset - before + k]
    return Hits([name for name, _ in found], np.array([score for _, score in found], np.float32))


def last_score(scores: np.ndarray, count: int, groups: np.ndarray | None = None) -> float:
    """What the last of the best `count` items scores, or of the best `count` groups.

    -inf where there are not so many.
    """
    taken = count if groups is None else 4 * count
    while taken < len(scores):
        best_of = np.argpartition(-scores, taken - 1)[:taken]
        if groups is None:
            return scores[best_of].min()
        if (found := _last_of_groups(scores[best_of], count, groups[best_of])) > -np.inf:
            return found
        taken *= 4
    if groups is not None:
        return _last_of_groups(scores, count, groups)
    return scores.min() if len(scores) >= count else -np.inf


def _last_of_groups(scores: np.ndarray, count: int, groups: np.ndarray) -> float:
    order = np.argsort(-scores)
    _, first = np.unique(groups[order], return_index=True)
    return scores[order[np.sort(first)[count - 1]]] if len(first) >= count else -np.inf


def tolerance(query: np.ndarray) -> float:
    """How far an engine's scores may be from the exact ones, in float32."""
    return 1e-5 * float(np.linalg.norm(query, axis=1).sum())
