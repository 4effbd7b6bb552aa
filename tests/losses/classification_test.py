"""Cross entropy of all attributes against plain Python."""

import itertools
import math

import numpy as np
import tensorflow as tf

from asen_tf.losses import attribute_cross_entropy

OFFSETS = (0, 2, 5, 9)


def slow(logits, labels):
    losses = []
    for start, stop in itertools.pairwise(OFFSETS):
        own = [float(x) for x in logits[start:stop]]
        shown = [n for n in range(stop - start) if labels[start + n]]
        if shown:
            total = sum(math.exp(x) for x in own)
            losses.append(-sum(math.log(math.exp(own[n]) / total) for n in shown) / len(shown))
    return sum(losses) / len(losses) if losses else 0.0


def test_against_plain_python():
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(40, 9)).astype(np.float32)
    labels = generator.random((40, 9)) < 0.3
    labels[0] = False
    found = attribute_cross_entropy(tf.constant(logits), tf.constant(labels), OFFSETS)
    expected = [slow(*row) for row in zip(logits, labels, strict=True)]
    assert expected[0] == 0 and len(set(expected)) > 30
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_sum_over_attributes():
    logits = np.random.default_rng(2).normal(size=(2, 9)).astype(np.float32)
    labels = np.zeros((2, 9), bool)
    labels[0, [1, 4, 6]] = labels[1, 7] = True
    found = attribute_cross_entropy(tf.constant(logits), tf.constant(labels), OFFSETS, total=True)
    expected = [slow(*row) * count for *row, count in zip(logits, labels, (3, 1), strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_an_unlabelled_image_has_no_gradient():
    logits = tf.Variable(np.random.default_rng(1).normal(size=(2, 9)).astype(np.float32))
    labels = np.zeros((2, 9), bool)
    labels[1, [0, 6]] = True
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(attribute_cross_entropy(logits, tf.constant(labels), OFFSETS))
    gradient = tape.gradient(loss, logits).numpy()
    assert not gradient[0].any()
    # The second attribute of the other image is unlabelled.
    assert gradient[1, :2].all() and not gradient[1, 2:5].any() and gradient[1, 5:].all()
