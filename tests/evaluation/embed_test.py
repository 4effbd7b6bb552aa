"""Peaks of attention: where in the photograph the strongest cell looks."""

import numpy as np
import pytest
import tensorflow as tf

from asen_tf import backbones
from asen_tf.evaluation.embed import peaks


@pytest.mark.parametrize(("backbone", "size"), [("resnet6", 96), ("resnet10", 128)])
def test_a_peak_is_where_the_cells_gradient_has_its_centre(backbone, size):
    network = backbones.build(backbone, size)
    image = tf.constant(np.random.default_rng(0).random((1, size, size, 3), np.float32))
    cells = network.output.shape[1]
    at = cells // 2
    with tf.GradientTape() as tape:
        tape.watch(image)
        seen = tf.reduce_sum(network(image)[0, at, at] ** 2)
    weight = np.abs(tape.gradient(seen, image)[0]).sum((0, 2))
    centre = (weight * (np.arange(size) + 0.5)).sum() / weight.sum()
    attention = np.zeros((cells, cells))
    attention[at, at] = 1
    np.testing.assert_allclose(peaks(attention, size) * size, [centre, centre], atol=1.5)
    assert abs((at + 0.5) * size / cells - centre) > 2  # the middle of the cell is elsewhere
