"""Triplets of special attributes and of the general vector, in turn."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from asen_tf.data.signature_triplets import SignatureTriplets
from tests.data.triplets_test import SPACE, draw, make

# Images 0 to 5: values of "a", the special attribute, and of "b", the general one.
A = (0, 0, 1, 1, 2, None)
B = (0, 1, 0, 2, None, 1)


def labels_of(*columns):
    return [
        (image, attribute, value)
        for attribute, column in enumerate(columns)
        for image, value in enumerate(column)
        if value is not None
    ]


@pytest.fixture(scope="module")
def sampler():
    return SignatureTriplets.from_manifest(make(labels_of(A, B), 6), 3, ("a",))


def test_vectors_take_turns(sampler):
    _, attributes = draw(sampler, 7)
    assert attributes.tolist() == [0, 1, 0, 1, 0, 1, 0]


def test_every_triplet_is_right(sampler):
    images, attributes = draw(sampler, 4000)
    seen = Counter()
    for (anchor, positive, negative), attribute in zip(images, attributes, strict=True):
        column = (A, B)[attribute]
        assert anchor != positive and column[anchor] == column[positive] is not None
        assert column[negative] is not None and column[negative] != column[anchor]
        seen[attribute, anchor, positive, negative] += 1
    # Of the general vector: 2 x 2 anchors with their positives, each with 3 negatives.
    general = {triplet: n for triplet, n in seen.items() if triplet[0]}
    assert len(general) == 12 and max(general.values()) < 1.5 * min(general.values())


def test_general_means_all_general_attributes():
    """Of images 0 to 3 only 0 and 3 agree in both; a missing label is like a missing label."""
    special = (0, 1, 0, 1)
    general = (0, 0, 1, 0), (None, 2, None, None)
    space = type(SPACE)({**{n: SPACE[n].values for n in SPACE}, "c": ["s", "t", "u"]})
    manifest = make(labels_of(special, *general), 4)
    object.__setattr__(manifest, "space", space)
    sampler = SignatureTriplets.from_manifest(manifest, 0, ("a",))
    images, attributes = draw(sampler, 400)
    of_general = images[attributes == 1]
    assert {tuple(sorted(pair)) for pair in of_general[:, :2].tolist()} == {(0, 3)}
    assert set(of_general[:, 2].tolist()) == {1, 2}


def test_without_general_attributes():
    sampler = SignatureTriplets.from_manifest(make(labels_of(A, B), 6), 0, ())
    assert draw(sampler, 4)[1].tolist() == [0, 1, 0, 1] and sampler.general == -1


def test_no_two_alike_in_general_leave_the_special_ones(caplog):
    manifest = make(labels_of(A, (0, 1, 2, 3, None, None)), 6)
    sampler = SignatureTriplets.from_manifest(manifest, 0, ("a",))
    assert set(draw(sampler, 20)[1].tolist()) == {0}


def test_number_n_does_not_depend_on_those_before(sampler):
    later, _ = draw(sampler, 3, start=5)
    np.testing.assert_array_equal(later, draw(sampler, 8)[0][5:])
    assert isinstance(sampler.draw(tf.range(2, dtype=tf.int64))[0], tf.Tensor)


@pytest.mark.parametrize(
    ("special", "message"), [(("aa",), "Did you mean 'a'"), (("a",), "no triplet .*can be drawn")]
)
def test_what_cannot_be_drawn(special, message):
    with pytest.raises(ValueError, match=message):
        SignatureTriplets.from_manifest(make([(0, 0, 0), (1, 0, 0)], 2), 0, special)
