"""What the convolutions of a network cost, counted from the shapes of its layers."""

import keras
import numpy as np


def convolution_flops(network: keras.Model, training: bool = False) -> int:
    """Floating-point operations of a functional network's convolutions for one image.

    A multiplication and an addition count two. In training the gradients count, too: each costs as
    much for the weights as the pass itself, and for the input, which the first one does not need.
    """
    forward = [
        2 * np.prod(layer.output.shape[1:3]) * np.prod(layer.kernel.shape)
        for layer in network.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    return int(3 * sum(forward) - forward[0] if training else sum(forward))
