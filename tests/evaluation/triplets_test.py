"""Triplet accuracy against plain Python."""

from pathlib import Path

import numpy as np
import pytest

from asen_tf.core import AttributeSpace
from asen_tf.core.progress import Quiet
from asen_tf.data.manifest import LABEL, TRIPLET, Manifest
from asen_tf.evaluation import evaluate_triplets, triplets_table


def make(triplets, count=12, train=0):
    return Manifest(
        root=Path("/data"),
        space=AttributeSpace({name: ("unknown",) for name in ("class", "gender", "heel")}),
        images=np.array([f"{n}.jpg" for n in range(count)]),
        splits=np.where(np.arange(count) < train, 0, 2).astype(np.int8),
        labels=np.zeros(0, LABEL),
        lines=np.arange(count),
        source="filenames.json",
        triplets=np.array(triplets, TRIPLET),
    )


def load_images(rows):
    """Images of one pixel that spell their own row."""
    images = np.zeros((len(rows), 1, 1, 3), np.uint8)
    images[:, 0, 0, 0] = rows
    return images


def embedder(table):
    """table: [images, attributes, D]."""
    return lambda images, attributes: table[images[:, 0, 0, 0].astype(int)[:, None], attributes]


def evaluate(table, manifest, **kwargs):
    return evaluate_triplets(
        embedder(table), manifest, "test", load_images, batch_size=5, progress=Quiet, **kwargs
    )


def test_against_plain_python():
    generator = np.random.default_rng(0)
    table = generator.normal(size=(12, 3, 8)).astype(np.float32)
    triplets = [
        (int(generator.integers(2)) * 2, *generator.choice(12, 3, replace=False).tolist())
        for _ in range(9000)
    ]
    result = evaluate(table, make(triplets), slices={"all": slice(None), "half": slice(4)})
    for name, size in (("all", 8), ("half", 4)):
        right = {0: [], 2: []}
        for attribute, anchor, positive, negative in triplets:
            a, p, n = (table[row, attribute, :size] for row in (anchor, positive, negative))
            right[attribute].append(float(a @ p) > float(a @ n))
        shares = [sum(own) / len(own) for own in right.values()]
        found = result["variants"][name]
        assert found["triplet_accuracy"] == pytest.approx(sum(map(sum, right.values())) / 9000)
        assert found["triplet_accuracy_macro"] == pytest.approx(sum(shares) / 2)
        # No triplet is about gender.
        assert list(found["attributes"]) == ["class", "heel"]
        for row, own, share in zip(
            found["attributes"].values(), right.values(), shares, strict=True
        ):
            assert row == {"triplets": len(own), "triplet_accuracy": pytest.approx(share)}
    assert result["triplets"] == 9000
    assert result["triplet_accuracy"] == result["variants"]["all"]["triplet_accuracy"]


def test_a_case_worked_by_hand_and_its_table():
    table = np.zeros((12, 3, 2), np.float32)
    table[0] = table[1] = [1, 0]
    table[2] = [0, 1]
    # Right; wrong; equal, which counts as wrong; right.
    triplets = [(0, 0, 1, 2), (0, 0, 2, 1), (0, 2, 0, 1), (2, 1, 0, 2)]
    result = evaluate(table, make(triplets))
    assert result["triplet_accuracy"] == 0.5
    assert result["triplet_accuracy_macro"] == pytest.approx((1 / 3 + 1) / 2)
    assert triplets_table(result).splitlines() == [
        "attribute       triplets  embedding",
        "-----------------------------------",
        "class                  3      33.33",
        "heel                   1     100.00",
        "-----------------------------------",
        "all triplets           4      50.00",
        "all attributes                66.67",
    ]


def test_only_the_split_counts():
    table = np.random.default_rng(1).normal(size=(12, 3, 4)).astype(np.float32)
    inside = [(0, 5, 6, 7), (2, 8, 9, 10)]
    whole = evaluate(table, make([(0, 0, 1, 2), *inside], train=4))
    assert whole == evaluate(table, make(inside))


def test_what_cannot_be_measured():
    table = np.zeros((12, 3, 2), np.float32)
    with pytest.raises(ValueError, match="Did you mean 'test'"):
        evaluate_triplets(embedder(table), make([(0, 0, 1, 2)]), "tset", load_images)
    with pytest.raises(ValueError, match="no triplets in split 'valid' of filenames.json"):
        evaluate_triplets(embedder(table), make([(0, 0, 1, 2)]), "valid", load_images)
    with pytest.raises(ValueError, match="finite"):
        evaluate(table * np.nan, make([(0, 0, 1, 2)]))
