"""One embedding for all attributes."""

import keras
import tensorflow as tf

from asen_tf.backbones import child_scope
from asen_tf.models.one_branch import OneBranchModel


@keras.saving.register_keras_serializable(package="asen_tf")
class TripletNet(OneBranchModel):
    """Backbone, mean over the positions, linear map; the attribute is not looked at.

    The "triplet network" of ASEN's and ASEN++'s tables. Arguments: see `OneBranchModel`.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        with child_scope(self):
            self.projection = keras.layers.Dense(self.embedding_dim, name="projection")
            self.projection.build((None, self.features.feature_shape[-1]))
        self.built = True

    def outputs_of_features(self, features, inputs):
        pooled = tf.reduce_mean(tf.cast(features, tf.float32), axis=(1, 2))
        embedding = tf.cast(self.projection(pooled), tf.float32)[:, None]
        return {"global": tf.repeat(embedding, tf.shape(inputs["attributes"])[1], axis=1)}
