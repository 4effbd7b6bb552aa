"""Random changes are what they should be, and as evenly drawn."""

import numpy as np
import pytest

from asen_tf.data.label_sets import LabelSets
from asen_tf.evaluation.searches import Pool, drawn

COUNTS = np.array([4, 1, 3, 2])


def pool(sets):
    sets = np.array(sets)
    rows = np.arange(len(sets))
    return Pool.of_all(LabelSets(np.arange(4), COUNTS, rows, sets, 0))


@pytest.fixture(scope="module")
def everything():
    """Every label set, a hundred times."""
    grid = np.stack(np.meshgrid(*map(np.arange, COUNTS), indexing="ij"), -1).reshape(-1, 4)
    return pool(np.tile(grid, (100, 1)))


@pytest.mark.parametrize("changes", [0, 1, 2])
def test_each_query_has_one_search_that_differs_in_so_many_attributes(everything, changes):
    searches, without = drawn(everything, changes, (0, changes))
    assert searches.queries.tolist() == list(range(2400)) and without == 0
    given = everything.items.sets[searches.queries]
    wanted = everything.groups.sets[searches.wanted]
    assert ((given != wanted).sum(1) == changes).all()


def test_attributes_and_values_are_drawn_evenly_and_by_the_seed(everything):
    searches, _ = drawn(everything, 1, (0, 1))
    given, wanted = everything.items.sets[searches.queries], everything.groups.sets[searches.wanted]
    changed = (given != wanted).sum(0)
    # The second attribute has one value; a third of 2400 each, with a deviation of 23.
    assert changed[1] == 0 and abs(changed[[0, 2, 3]] - 800).max() < 100
    first = given[:, 0] != wanted[:, 0]
    step = (wanted[first, 0] - given[first, 0]) % 4
    assert abs(np.bincount(step)[1:] - first.sum() / 3).max() < 70
    again, other = drawn(everything, 1, (0, 1))[0], drawn(everything, 1, (1, 1))[0]
    assert (again.wanted == searches.wanted).all() and (other.wanted != searches.wanted).any()


def test_what_nobody_shows_has_no_target():
    one, other = [0, 0, 0, 0], [0, 0, 0, 1]
    searches, without = drawn(pool([one, other] * 50), 1, (0, 1))
    # Only a change of the last attribute finds something.
    assert 0 < len(searches.queries) < 100 and len(searches.queries) + without == 100
    alone, without = drawn(pool([one, other]), 0, (0, 0))
    assert len(alone.queries) == 0 and without == 2


def test_several_values_can_become_any_single_one():
    both = [5, 0, 0, 0]  # a number beyond its values: several of the first attribute
    mixed = pool([both] * 400 + [[n, 0, 0, 0] for n in range(4)])
    searches, _ = drawn(mixed, 1, (0, 1))
    given, wanted = mixed.items.sets[searches.queries], mixed.groups.sets[searches.wanted]
    assert set(wanted[given[:, 0] == 5, 0]) == {0, 1, 2, 3}
