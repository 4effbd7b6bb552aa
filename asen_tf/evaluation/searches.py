"""Which searches there are for the labels of a photograph, some of them changed."""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from asen_tf.data.label_sets import Groups, LabelSets, pairs_that_differ
from asen_tf.data.manifest import CANDIDATE, QUERY, Manifest


class Searches(NamedTuple):
    """Some searches.

    Attributes:
      queries: [R] int64, places among the items.
      wanted: [R] int64, groups whose label set is searched for.
    """

    queries: np.ndarray
    wanted: np.ndarray


@dataclasses.dataclass(frozen=True)
class Pool:
    """Who searches, and among whom.

    Attributes:
      items: the photographs.
      groups: their own.
      queries, gallery: bool [N], which of them search and which can be found. A query that can be
        found is no candidate of its own.
    """

    items: LabelSets
    groups: Groups
    queries: np.ndarray
    gallery: np.ndarray

    @classmethod
    def of_all(cls, items: LabelSets) -> "Pool":
        """Each photograph searches among all others."""
        everyone = np.ones(len(items.rows), bool)
        return cls(items, items.groups(), everyone, everyone)

    @classmethod
    def of_roles(cls, items: LabelSets, manifest: Manifest) -> "Pool":
        """Queries and gallery as the data has them, where no photograph is both; else as `of_all`.

        Photographs without a role are in neither.
        """
        queries, gallery = (
            np.isin(items.rows, manifest.labels["image"][manifest.labels["role"] == role])
            for role in (QUERY, CANDIDATE)
        )
        if (queries & gallery).any() or not (queries.any() and gallery.any()):
            return cls.of_all(items)
        return cls(items, items.groups(), queries, gallery)

    def candidates(self, searches: Searches) -> np.ndarray:
        """[R] how many each query searches among."""
        return self.gallery.sum() - self.gallery[searches.queries]

    def targets(self, searches: Searches) -> np.ndarray:
        """[R] how many of these have the wanted labels."""
        numbers, counts = self.groups.numbers, len(self.groups.sets)
        inside = np.bincount(numbers[self.gallery], minlength=counts)[searches.wanted]
        own = self.gallery[searches.queries] & (numbers[searches.queries] == searches.wanted)
        return inside - own


def drawn(pool: Pool, changes: int, seed: tuple[int, ...]) -> tuple[Searches, int]:
    """A search of each query, after a change of so many attributes at random (Ak et al., 2018).

    The attributes are drawn evenly among those that can become another value, the values evenly
    among their others. A query with fewer such attributes has no search.

    Returns:
      Those that have a target, and how many do not.
    """
    queries = np.flatnonzero(pool.queries)
    wanted = pool.items.sets[queries]
    if changes:
        wanted, kept = _changed(pool.items, queries, changes, np.random.default_rng(seed))
        queries, wanted = queries[kept], wanted[kept]
    numbers = {tuple(labels): number for number, labels in enumerate(pool.groups.sets.tolist())}
    groups = np.array([numbers.get(tuple(labels), -1) for labels in wanted.tolist()], np.int64)
    known = Searches(queries[groups >= 0], groups[groups >= 0])
    there = pool.targets(known) > 0
    return Searches(*(column[there] for column in known)), len(queries) - int(there.sum())


def _changed(items, queries, changes, generator):
    """The queries' label sets with random values in random places, and where that could be."""
    wanted, others = items.sets[queries].copy(), _others(items)[queries]
    order = np.where(others > 0, generator.random(others.shape), np.inf)
    places, rows = order.argsort(1)[:, :changes], np.arange(len(queries))[:, None]
    own, choices = wanted[rows, places], others[rows, places]
    values = generator.integers(0, np.maximum(choices, 1))
    # Its only value is passed over.
    values += (own < items.value_counts[places]) & (values >= own)
    wanted[rows, places] = values
    return wanted, (choices > 0).all(1)


def every(pool: Pool, changes: int, most: int, seed: tuple[int, ...]) -> tuple[Searches, int, int]:
    """All searches of a pool `of_all` after changes of so many attributes, or `most` of them.

    Returns:
      Searches that have a target, evenly drawn where there are more than `most`; how many there
      are, and how many have none.
    """
    total = sum(len(some.queries) for some in _with_target(pool.items, pool.groups, changes))
    chunks = _with_target(pool.items, pool.groups, changes)
    without = possible(pool.items, changes) - total
    return _some(chunks, total, most, seed), total, without


def _with_target(items: LabelSets, groups: Groups, changes: int) -> Iterator[Searches]:
    """All searches whose wanted labels another photograph has, some at a time."""
    ends = np.cumsum(groups.counts)
    for given, wanted in pairs_that_differ(groups.sets, groups.sets, changes):
        if changes == 0:
            usable = groups.counts[given] > 1
        else:  # what is wanted there is a single value
            several = groups.sets[wanted] >= items.value_counts
            usable = ~(several & (groups.sets[given] != groups.sets[wanted])).any(1)
        given, wanted = given[usable], wanted[usable]
        # Every member of the given group is a query.
        count = groups.counts[given]
        nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        queries = groups.members[np.repeat(ends[given] - count, count) + nth]
        yield Searches(queries, np.repeat(wanted, count))


def _some(chunks: Iterator[Searches], total: int, most: int, seed: tuple[int, ...]) -> Searches:
    """At most so many of `total` searches, evenly drawn, in their order."""
    chosen = np.arange(total)
    if total > most:
        chosen = np.sort(np.random.default_rng(seed).choice(total, most, replace=False))
    taken, begin = [], 0
    for chunk in chunks:
        end = begin + len(chunk.queries)
        own = chosen[slice(*np.searchsorted(chosen, (begin, end)))] - begin
        taken.append([column[own] for column in chunk])
        begin = end
    return Searches(*(np.concatenate(column) for column in zip(*taken, strict=True)))


def possible(items: LabelSets, changes: int) -> int:
    """How many searches there are, with a target or without."""
    ways = np.zeros((len(items.sets), changes + 1), np.int64)
    ways[:, 0] = 1
    for column in _others(items).T:
        ways[:, 1:] += ways[:, :-1] * column[:, None]
    return int(ways[:, changes].sum())


def _others(items: LabelSets) -> np.ndarray:
    """[N, S] how many values each attribute of each item can become: any but its only one."""
    return items.value_counts - (items.sets < items.value_counts)
