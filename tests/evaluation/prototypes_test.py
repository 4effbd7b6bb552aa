"""Mean vectors of values against plain Python."""

from pathlib import Path

import numpy as np
import pytest

from asen_tf.core import AttributeSpace
from asen_tf.data.manifest import LABEL, Manifest, sort_labels
from asen_tf.evaluation import value_means

SPACE = AttributeSpace({"a": ["x", "y", "z"], "b": ["p", "q"]})


def make(labels, count):
    return Manifest(
        root=Path("/data"),
        space=SPACE,
        images=np.array([f"{n}.jpg" for n in range(count)]),
        splits=np.where(np.arange(count) % 3 == 0, 2, 0).astype(np.int8),
        labels=sort_labels(np.array(labels, LABEL)),
        lines=np.arange(count),
        source="manifest.csv",
    )


def embed(table, manifest, **kwargs):
    return value_means(
        lambda images, attributes: table[images[:, 0, 0, 0][:, None], attributes],
        manifest,
        lambda rows: np.tile(rows[:, None, None, None], (1, 1, 1, 3)),
        batch_size=4,
        **kwargs,
    )


def test_against_plain_python():
    generator = np.random.default_rng(0)
    table = generator.normal(size=(40, 2, 6)).astype(np.float32)
    # z is shown by no image; some images have both values, some the same one in two roles.
    labels = [
        (image, attribute, value, role)
        for image in range(40)
        for attribute, values in ((0, 2), (1, 2))
        for value in generator.choice(values, generator.integers(0, 3), replace=False)
        for role in range(1, generator.integers(2, 4))
    ]
    manifest = make(labels, 40)
    found = embed(table, manifest)
    assert found.shape == (5, 6) and found.dtype == np.float32
    for flat, (attribute, value) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]):
        own = {n for n, a, v, _ in labels if (a, v) == (attribute, value) and n % 3}
        expected = sum(table[n, attribute] for n in own) / max(len(own), 1) * np.ones(6)
        np.testing.assert_allclose(found[flat], expected, atol=1e-6)
    of_b = embed(table, manifest, names=("b",))
    np.testing.assert_array_equal(of_b[3:], found[3:])
    assert not of_b[:3].any()


def test_bad_input_is_refused():
    manifest = make([(1, 0, 0, 0)], 3)
    table = np.ones((3, 2, 4), np.float32)
    with pytest.raises(ValueError, match="no labels in split 'test'"):
        embed(table, manifest, split="test")
    with pytest.raises(ValueError, match="unknown attribute 'c'"):
        embed(table, manifest, names=("c",))
