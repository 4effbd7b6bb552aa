"""Operations of convolutions, against a network counted by hand."""

import keras

from asen_tf.benchmarks.flops import convolution_flops


def test_a_network_counted_by_hand():
    image = keras.Input((8, 8, 3))
    inner = keras.layers.Conv2D(4, 3, 2, "same")(image)  # 4 x 4 positions of 3 * 3 * 3 * 4
    outer = keras.layers.Conv2D(5, 1)(keras.layers.ReLU()(inner))  # 4 x 4 positions of 4 * 5
    network = keras.Model(image, outer)
    first, second = 2 * 16 * 108, 2 * 16 * 20
    assert convolution_flops(network) == first + second
    assert convolution_flops(network, training=True) == 2 * first + 3 * second
