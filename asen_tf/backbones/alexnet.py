"""The convolutions of AlexNet (Krizhevsky et al., NeurIPS 2012)."""

import keras
from keras import layers


def build(size: int) -> keras.Model:
    """Five convolutions, up to the map that the paper's last pooling takes.

    One tower of the paper's widths; without its local response normalisation, as most later
    versions. A model from float [B, size, size, 3] to [B, h, w, 256], h = w = size / 16 rounded up.
    """
    images = features = keras.Input((size, size, 3))
    for place, (channels, window, stride) in enumerate(
        ((96, 11, 4), (256, 5, 1), (384, 3, 1), (384, 3, 1), (256, 3, 1)), start=1
    ):
        features = layers.Conv2D(
            channels,
            window,
            stride,
            "same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"conv{place}",
        )(features)
        if place <= 2:
            features = layers.MaxPooling2D(3, 2, "same", name=f"pool{place}")(features)
    return keras.Model(images, features, name="alexnet")
