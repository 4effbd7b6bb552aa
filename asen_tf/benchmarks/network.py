"""The network that is measured while it embeds."""

import keras
import tensorflow as tf
from ml_collections import config_dict

from asen_client.core.attributes import AttributeSpace
from asen_tf import models
from asen_tf.models.asen import ASEN


class ARegionEach(keras.layers.Layer):
    """Another square, half the image's side, for each attribute that is requested.

    Random weights attend to everything alike, so that all attributes' regions are the whole image,
    which the local branch would work once; trained ones hardly ever share a region.
    """

    def call(self, attention):
        batch, count = tf.shape(attention)[0], tf.shape(attention)[1]
        left = tf.range(count, dtype=tf.float32) / (2 * tf.cast(count, tf.float32))
        top = tf.zeros_like(left)
        squares = tf.stack([left, top, left + 0.5, top + 0.5], axis=-1)
        return tf.tile(squares[None], (batch, 1, 1))


def build(config: config_dict.ConfigDict, space: AttributeSpace) -> ASEN:
    """ASEN as the configuration has it, with random weights and a region for each attribute."""
    model = models.build(config.model, space, config.train.precision)
    model.configure_backbones(config.train.jit_backbone)
    model.localize = ARegionEach()
    return model
