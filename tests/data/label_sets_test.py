"""Label sets against plain Python sets."""

from pathlib import Path

import numpy as np
import pytest

from asen_tf.core import AttributeSpace
from asen_tf.data.label_sets import LabelSets, differing, pairs_that_differ
from asen_tf.data.manifest import LABEL, Manifest, sort_labels

SPACE = AttributeSpace({"a": ["x", "y", "z"], "b": ["p", "q"], "c": ["k", "l", "m", "n"]})


def make(labels, count, train=0):
    return Manifest(
        root=Path("/data"),
        space=SPACE,
        images=np.array([f"{n}.jpg" for n in range(count)]),
        splits=np.where(np.arange(count) < train, 0, 2).astype(np.int8),
        labels=sort_labels(np.array([(*label, 0) for label in labels], LABEL)),
        lines=np.arange(count),
        source="manifest.csv",
    )


def random_manifest(seed, count=60, train=20):
    """Also unlabelled attributes and several values."""
    generator = np.random.default_rng(seed)
    labels = [
        (image, attribute, value)
        for image in range(count)
        for attribute, values in enumerate(SPACE.value_counts)
        for value in generator.choice(values, generator.choice(3, p=[0.1, 0.7, 0.2]), replace=False)
    ]
    return make(labels, count, train)


def values_of(manifest):
    """(image, attribute) -> set of values."""
    found = {}
    for label in manifest.labels:
        found.setdefault((label["image"], label["attribute"]), set()).add(int(label["value"]))
    return found


@pytest.mark.parametrize("names", [(), ("c", "a"), ("b",)])
def test_against_plain_python(names):
    manifest = random_manifest(0)
    items = LabelSets.of_split(manifest, "test", names)
    values = values_of(manifest)
    attributes = [SPACE.index(name) for name in names or SPACE.names]
    assert items.attributes.tolist() == attributes
    complete = [n for n in range(20, 60) if all((n, a) in values for a in attributes)]
    assert items.rows.tolist() == complete and 0 < len(complete) < 40 + (names == ("b",))
    assert items.left_out == 40 - len(complete)
    sets = [[frozenset(values[n, a]) for a in attributes] for n in complete]
    for one, its in enumerate(sets):
        for s, attribute in enumerate(attributes):
            single = items.sets[one, s] < SPACE.value_counts[attribute]
            assert single == (len(its[s]) == 1)
            assert not single or its[s] == {items.sets[one, s]}
        for other, others in enumerate(sets):
            for s in range(len(attributes)):
                same = items.sets[one, s] == items.sets[other, s]
                assert same == (its[s] == others[s])
    distance = differing(items.sets, items.sets)
    assert distance.tolist() == [
        [sum(a != b for a, b in zip(x, y, strict=True)) for y in sets] for x in sets
    ]


def test_pairs_come_in_order_also_in_small_helpings(monkeypatch):
    generator = np.random.default_rng(0)
    sets, others = generator.integers(3, size=(30, 4)), generator.integers(3, size=(17, 4))
    whole = [np.concatenate(c) for c in zip(*pairs_that_differ(sets, others, 2), strict=True)]
    monkeypatch.setattr("asen_tf.data.label_sets._CELLS_AT_A_TIME", 50)
    helpings = list(pairs_that_differ(sets, others, 2))
    assert len(helpings) == 15
    for found, expected in zip(zip(*helpings, strict=True), whole, strict=True):
        np.testing.assert_array_equal(np.concatenate(found), expected)
    expected = [(i, j) for i in range(30) for j in range(17) if (sets[i] != others[j]).sum() == 2]
    assert list(zip(*(column.tolist() for column in whole), strict=True)) == expected


def test_bad_input_is_refused():
    manifest = make([(0, 0, 0), (1, 1, 0)], 2)
    with pytest.raises(ValueError, match="Did you mean 'a'"):
        LabelSets.of_split(manifest, "test", ("a1",))
    with pytest.raises(ValueError, match="named once, got a, b, a"):
        LabelSets.of_split(manifest, "test", ("a", "b", "a"))
    with pytest.raises(ValueError, match="labelled for all of a, b: name fewer attributes"):
        LabelSets.of_split(manifest, "test", ("a", "b"))
