"""Changes: what is drawn, how evenly, and that number i is a function of seed and i."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from asen_tf.core import AttributeSpace
from asen_tf.data.manifest import LABEL, Manifest, sort_labels
from asen_tf.data.manipulations import ManipulationSampler

SPACE = AttributeSpace({"a": ["x", "y", "z"], "b": ["p", "q"], "c": ["k", "l", "m"]})


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


@pytest.mark.parametrize("names", [(), ("b", "a")])
def test_every_example_is_right(names):
    generator = np.random.default_rng(0)
    labels = [
        (image, attribute, value)
        for image in range(80)
        for attribute, values in enumerate(SPACE.value_counts)
        for value in generator.choice(values, generator.choice(3, p=[0.1, 0.7, 0.2]), replace=False)
    ]
    shown = {}
    for image, attribute, value in labels:
        shown.setdefault(image, {}).setdefault(attribute, set()).add(int(value))
    compared = [SPACE.index(name) for name in names or SPACE.names]

    def differing(one, other):
        return [a for a in compared if shown[one][a] != shown[other][a]]

    images, attributes = draw(ManipulationSampler.from_manifest(make(labels, 80), 0, names), 3000)
    for (query, target, negative), attribute in zip(images, attributes, strict=True):
        assert differing(query, target) == [attribute]
        assert len(shown[target][attribute]) == 1
        assert len(differing(target, negative)) == 1
    assert set(attributes) == set(compared)


def test_draws_are_as_uniform_as_it_says():
    # xp: 0 1, yp: 2, xq: 3 4 5; image 6 lacks b.
    labels = [(n, 0, 1 if n == 2 else 0) for n in range(7)]
    labels += [(n, 1, int(n > 2)) for n in range(6)]
    sampler = ManipulationSampler.from_manifest(make(labels, 7), 3, ("a", "b"))
    images, attributes = draw(sampler, 40_000)
    members = {"xp": (0, 1), "yp": (2,), "xq": (3, 4, 5)}
    near = {"xp": ("yp", "xq"), "yp": ("xp",), "xq": ("xp",)}
    expected = {}
    for attribute, changes in enumerate([("xp yp", "yp xp"), ("xp xq", "xq xp")]):
        for given, wanted in (change.split() for change in changes):
            for unlike in near[wanted]:
                for q in members[given]:
                    for t in members[wanted]:
                        for n in members[unlike]:
                            share = 1 / 2 / 2 / len(near[wanted]) / len(members[given])
                            share /= len(members[wanted]) * len(members[unlike])
                            key = (attribute, q, t, n)
                            expected[key] = expected.get(key, 0) + share
    assert sum(expected.values()) == pytest.approx(1)
    counts = Counter(zip(attributes.tolist(), *images.T.tolist(), strict=True))
    assert counts.keys() == expected.keys()
    for key, share in expected.items():
        deviation = (share * (1 - share) / 40_000) ** 0.5
        assert abs(counts[key] / 40_000 - share) < 5 * deviation, key


def test_number_i_is_a_function_of_seed_and_i():
    labels = [(n, a, (n // 3**a) % SPACE.value_counts[a]) for n in range(27) for a in range(3)]
    manifest = make(labels, 27)
    whole, _ = draw(ManipulationSampler.from_manifest(manifest, 5), 100)
    again, _ = draw(ManipulationSampler.from_manifest(manifest, 5), 40, start=60)
    np.testing.assert_array_equal(again, whole[60:])
    other, _ = draw(ManipulationSampler.from_manifest(manifest, 6), 100)
    assert (other != whole).any()


def test_nothing_to_draw():
    labels = [(0, 0, 0), (0, 1, 0), (1, 0, 1), (1, 1, 1)]
    with pytest.raises(ValueError, match="name fewer attributes in data.special"):
        ManipulationSampler.from_manifest(make(labels, 2), 0, ("a", "b"))
    assert ManipulationSampler.from_manifest(make(labels, 2), 0, ("a",)).attributes.tolist() == [0]
