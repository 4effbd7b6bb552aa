"""What the convolutions of a network cost, counted from the shapes of its layers."""

import keras
import numpy as np


def convolution_flops(network: keras.Model, training: bool = False) -> int:
    """Floating-point operations of a network's convolutions for one image.

    A multiplication and an addition count two. A gradient costs as much for the weights as the
    pass itself, and once more for the input, which the first convolution's is not asked for.

    Args:
      network: functional, with images of a known size.
      training: whether the gradients count, too.
    """
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    forward = [_flops(layer) for layer in convolutions]
    return 3 * sum(forward) - forward[0] if training else sum(forward)


def _flops(convolution: keras.layers.Conv2D) -> int:
    _, height, width, _ = convolution.output.shape
    return 2 * height * width * int(np.prod(convolution.kernel.shape))
