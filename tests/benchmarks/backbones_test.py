"""What a pass of backbones alone computes."""

import keras
import pytest

from asen_tf.benchmarks import backbones

POSITIONS = 2 * 4 * 4


# Of ones: each position gives the weight; the gradients of weight and bias count the positions.
@pytest.mark.parametrize(("training", "of_one"), [(False, 3.0), (True, POSITIONS + POSITIONS)])
def test_all_backbones_are_computed(training, of_one):
    images = keras.Input((4, 4, 1))
    layer = keras.layers.Conv2D(1, 1, kernel_initializer=keras.initializers.Constant(3.0))
    network = keras.Model(images, layer(images))
    assert backbones.alone([(network, 2), (network, 2)], training)() == 2 * of_one
