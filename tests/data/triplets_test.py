"""Triplets: what is drawn, how evenly, and that number i is a function of seed and i."""

import dataclasses
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from asen_tf.core import AttributeSpace
from asen_tf.data import counter
from asen_tf.data.manifest import LABEL, TRIPLET, Manifest, sort_labels
from asen_tf.data.triplets import FixedTriplets, TripletSampler

SPACE = AttributeSpace({"a": ["x", "y", "z"], "b": ["p", "q", "r", "s"]})


def make(labels, count):
    return Manifest(
        root=Path("/data"),
        space=SPACE,
        images=np.array([f"{n}.jpg" for n in range(count)]),
        splits=np.zeros(count, np.int8),
        labels=sort_labels(np.array([(*label, 0) for label in labels], LABEL)),
        lines=np.arange(count),
        source="manifest.csv",
    )


def draw(sampler, count, start=0):
    images, attributes = sampler.draw(tf.range(start, start + count, dtype=tf.int64))
    return images.numpy(), attributes.numpy()


def random_labels(seed, count=30):
    generator = np.random.default_rng(seed)
    return [
        (image, attribute, value)
        for image in range(count)
        for attribute, values in enumerate(SPACE.value_counts)
        for value in generator.choice(values, generator.integers(0, 4), replace=False)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_every_triplet_is_right_also_with_several_values(seed):
    labels = random_labels(seed)
    values = {}
    for image, attribute, value in labels:
        values.setdefault((image, attribute), set()).add(int(value))
    images, attributes = draw(TripletSampler.from_manifest(make(labels, 30), seed), 5000)
    for (anchor, positive, negative), attribute in zip(images, attributes, strict=True):
        of_anchor, of_positive, of_negative = (
            values[image, attribute] for image in (anchor, positive, negative)
        )
        assert anchor != positive and of_anchor & of_positive
        assert of_negative and not of_anchor & of_negative


def test_draws_are_as_uniform_as_the_paper_says():
    # a: x has images 0 1 2, y has 3 4, z has 5; b: p has 0 1, q has 2 and the double-valued 1.
    labels = [(0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 1), (4, 0, 1), (5, 0, 2)]
    labels += [(0, 1, 0), (1, 1, 0), (1, 1, 1), (2, 1, 1)]
    images, attributes = draw(TripletSampler.from_manifest(make(labels, 6), seed=1), 60_000)
    expected = {}
    # z and its pairs as positive drop out: one image. Ordered value pairs (x y) (x z) (y x) (y z).
    members = {"x": (0, 1, 2), "y": (3, 4), "z": (5,)}
    for wanted, other in ("xy", "xz", "yx", "yz"):
        anchors = [(a, p) for a in members[wanted] for p in members[wanted] if a != p]
        for a, p in anchors:
            for n in members[other]:
                share = 1 / 2 / 4 / len(anchors) / len(members[other])
                expected[0, a, p, n] = expected.get((0, a, p, n), 0) + share
    # Image 1 carries p and q: it is no negative of either, and no image is a negative of its.
    expected[1, 0, 1, 2] = expected[1, 2, 1, 0] = 1 / 2 / 2
    assert sum(expected.values()) == pytest.approx(1)
    counts = Counter(zip(attributes.tolist(), *images.T.tolist(), strict=True))
    assert counts.keys() == expected.keys()
    for key, share in expected.items():
        assert counts[key] / 60_000 == pytest.approx(share, abs=4 * (share / 60_000) ** 0.5)


def test_as_released_any_image_of_another_value_is_a_negative():
    # Image 1 carries p and q of b, images 0 and 2 one of them.
    labels = [(0, 1, 0), (1, 1, 0), (1, 1, 1), (2, 1, 1)]
    manifest = make(labels, 3)
    images, _ = draw(TripletSampler.from_manifest(manifest, 0, any_negative=True), 500)
    # Anchor and positive of p are 0 and 1, the negative 1 or 2; of q likewise.
    expected = {(0, 1, 1), (0, 1, 2), (1, 0, 1), (1, 0, 2)}
    expected |= {(2, 1, 1), (2, 1, 0), (1, 2, 1), (1, 2, 0)}
    assert set(map(tuple, images.tolist())) == expected
    with_shared = {t for t in expected if 1 in (t[0], t[2])}
    strict, _ = draw(TripletSampler.from_manifest(manifest, 0), 500)
    assert not with_shared & set(map(tuple, strict.tolist()))


def test_an_image_that_shares_any_value_is_never_a_negative():
    # b: 0 and 1 are p; 2 is p, q and r; 3 is q; 4 is r.
    labels = [(0, 1, 0), (1, 1, 0), (2, 1, 0), (2, 1, 1), (2, 1, 2), (3, 1, 1), (4, 1, 2)]
    images, _ = draw(TripletSampler.from_manifest(make(labels, 5), seed=2), 2000)
    # Image 2 is alike to all others: a positive, but no anchor and no negative.
    allowed = {pair: {3, 4} for pair in ((0, 1), (1, 0), (0, 2), (1, 2))}
    allowed |= {(3, 2): {0, 1, 4}, (4, 2): {0, 1, 3}}
    seen = {}
    for anchor, positive, negative in images.tolist():
        seen.setdefault((anchor, positive), set()).add(negative)
    assert seen == allowed


def test_triplet_i_depends_on_seed_and_i_alone():
    sampler = TripletSampler.from_manifest(make(random_labels(0), 30), seed=5)
    whole, attributes = draw(sampler, 1000)
    part, part_attributes = draw(sampler, 10, start=700)
    np.testing.assert_array_equal(part, whole[700:710])
    np.testing.assert_array_equal(part_attributes, attributes[700:710])
    in_pipeline = tf.data.Dataset.range(1000).batch(100).map(sampler.draw)
    np.testing.assert_array_equal(np.concatenate([i for i, _ in in_pipeline]), whole)
    other, _ = draw(TripletSampler.from_manifest(make(random_labels(0), 30), seed=6), 1000)
    assert (other != whole).any(axis=1).mean() > 0.9


def test_values_that_cannot_be_drawn_are_said_once(caplog):
    labels = [(0, 0, 0), (1, 0, 0), (2, 0, 1), (3, 0, 1), (4, 0, 2), (0, 1, 0)]
    sampler = TripletSampler.from_manifest(make(labels, 5), seed=0)
    _, attributes = draw(sampler, 200)
    assert set(attributes.tolist()) == {0}
    assert "a=z (1)" in caplog.text and "b=q (0)" in caplog.text


def test_no_triplet_at_all():
    with pytest.raises(ValueError, match="with two images and another value"):
        TripletSampler.from_manifest(make([(0, 0, 0), (1, 0, 1)], 2), seed=0)


def fixed(count):
    triplets = np.zeros(count, TRIPLET)
    triplets["attribute"] = np.arange(count) % 2
    for place, role in enumerate(("anchor", "positive", "negative")):
        triplets[role] = 3 * np.arange(count) + place
    manifest = make([], 3 * count + 3)
    splits = manifest.splits.copy()
    splits[3 * count :] = 2
    last = np.array([(0, 3 * count, 3 * count + 1, 3 * count + 2)], TRIPLET)
    triplets = np.concatenate([triplets, last])
    return dataclasses.replace(manifest, splits=splits, triplets=triplets)


@pytest.mark.parametrize("count", [1, 2, 50])
def test_fixed_triplets_come_each_once_an_epoch(count):
    sampler = FixedTriplets.from_manifest(fixed(count), seed=3)
    images, attributes = draw(sampler, 4 * count)
    for epoch in np.split(np.arange(4 * count), 4):
        assert sorted(images[epoch, 0].tolist()) == list(range(0, 3 * count, 3))
    np.testing.assert_array_equal(images[:, 1:], images[:, :1] + [1, 2])
    np.testing.assert_array_equal(attributes, images[:, 0] // 3 % 2)
    part, _ = draw(sampler, count, start=2 * count)
    np.testing.assert_array_equal(part, images[2 * count : 3 * count])


def test_fixed_triplets_come_in_another_order_each_epoch_and_with_each_seed():
    images, _ = draw(FixedTriplets.from_manifest(fixed(50), seed=3), 100)
    other, _ = draw(FixedTriplets.from_manifest(fixed(50), seed=4), 100)
    assert (images[:50] != images[50:]).any() and (images[:50] != np.sort(images[:50], 0)).any()
    assert (images != other).any()


def test_fixed_triplets_of_a_split_without_any():
    with pytest.raises(ValueError, match=r"no triplets in the valid split of manifest\.csv"):
        FixedTriplets.from_manifest(fixed(3), seed=0, split="valid")


def splitmix64(state):
    """Steele et al.'s generator in plain Python: the next output of a state."""
    mask = 2**64 - 1
    z = (state + 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def test_counter_is_splitmix64():
    mask, golden = 2**64 - 1, 0x9E3779B97F4A7C15
    numbers = [0, 1, 2, 12345, 2**40]
    # The stream starts at the mixed seed; its nth output comes n steps later.
    start = splitmix64((42 * golden - golden) & mask)
    expected = [splitmix64((start + n * golden) & mask) for n in numbers]
    assert counter.bits(42, tf.constant(numbers, tf.int64)).numpy().tolist() == expected


def test_counter_ranges():
    bits = counter.bits(0, tf.range(10_000, dtype=tf.int64))
    uniform = counter.uniform(bits).numpy()
    assert uniform.min() >= 0 and uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=0.02)
    below = counter.below(bits, tf.fill((10_000,), tf.constant(7, tf.int64))).numpy()
    assert np.bincount(below, minlength=7) == pytest.approx(10_000 / 7, rel=0.15)
