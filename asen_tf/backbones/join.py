"""From the feature maps of several levels to one."""

import keras
import tensorflow as tf

from asen_tf.backbones.fused import BatchNormalization
from asen_tf.backbones.scope import child_scope


@keras.saving.register_keras_serializable(package="asen_tf")
class JoinMaps(keras.layers.Layer):
    """Feature maps side by side, on the grid of the first.

    The others are resized bilinearly. As levels differ in scale by far, batch normalisation follows
    where there are several, with PyTorch's usual momentum and epsilon.

    Args:
      dropout: share of the channels that training sets to 0, others an image (Tompson et al.,
        CVPR 2015); the rest is scaled up.

    Call arguments:
      maps: sequence of float [B, h_i, w_i, C_i].

    Returns:
      float [B, h_0, w_0, sum of C_i], in the compute dtype.
    """

    def __init__(self, dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is a share of the channels in [0, 1), got {dropout}")
        self.dropout = dropout

    def build(self, shapes):
        self.normalization = self.channel_dropout = None
        with child_scope(self):
            if len(shapes) > 1:
                self.normalization = BatchNormalization(
                    momentum=0.9, epsilon=1e-5, name="normalization"
                )
                self.normalization.build(self.compute_output_shape(shapes))
            if self.dropout:
                self.channel_dropout = keras.layers.SpatialDropout2D(self.dropout, name="dropout")

    def call(self, maps, training=False):
        first, *others = maps
        if others:
            resized = [tf.image.resize(at, tf.shape(first)[1:3]) for at in others]
            first = tf.concat([first, *(tf.cast(at, first.dtype) for at in resized)], axis=-1)
            learning = training and bool(self.normalization.trainable_variables)
            first = self.normalization(first, training=learning)
        if self.channel_dropout:
            first = self.channel_dropout(first, training=training)
        return first

    def compute_output_shape(self, shapes):
        return (*shapes[0][:3], sum(shape[-1] for shape in shapes))

    def get_config(self):
        return {**super().get_config(), "dropout": self.dropout}
