"""Which searches there are for the labels of a photograph, some of them changed."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from asen_tf.data.label_sets import Groups, LabelSets, pairs_that_differ


class Searches(NamedTuple):
    """Some searches.

    Attributes:
      queries: [R] int64, places among the items.
      wanted: [R] int64, groups whose label set is searched for.
    """

    queries: np.ndarray
    wanted: np.ndarray


def with_target(items: LabelSets, groups: Groups, changes: int) -> Iterator[Searches]:
    """All searches whose wanted labels another photograph has, some at a time.

    Args:
      items: the photographs, each of which is a query.
      groups: its own.
      changes: in how many attributes the wanted labels differ from the query's; what is wanted
        there is a single value.
    """
    ends = np.cumsum(groups.counts)
    for given, wanted in pairs_that_differ(groups.sets, groups.sets, changes):
        if changes == 0:
            usable = groups.counts[given] > 1
        else:
            several = groups.sets[wanted] >= items.value_counts
            usable = ~(several & (groups.sets[given] != groups.sets[wanted])).any(1)
        given, wanted = given[usable], wanted[usable]
        # Every member of the given group is a query.
        count = groups.counts[given]
        nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        queries = groups.members[np.repeat(ends[given] - count, count) + nth]
        yield Searches(queries, np.repeat(wanted, count))


def drawn(chunks: Iterator[Searches], total: int, most: int, seed: tuple[int, ...]) -> Searches:
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
    # What each attribute of each item can become: any value but the only one that it has.
    others = items.value_counts - (items.sets < items.value_counts)
    ways = np.zeros((len(others), changes + 1), np.int64)
    ways[:, 0] = 1
    for column in others.T:
        ways[:, 1:] += ways[:, :-1] * column[:, None]
    return int(ways[:, changes].sum())
