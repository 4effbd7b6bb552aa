"""AMNet: one embedding of an image, and what it becomes when an attribute changes."""

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from asen_tf.backbones import child_scope
from asen_tf.layers import PrototypeMemory
from asen_tf.models.amnet.losses import SAMPLING
from asen_tf.models.one_branch import OneBranchModel


@keras.saving.register_keras_serializable(package="asen_tf")
class AMNet(OneBranchModel):
    """Memory-augmented attribute manipulation (Zhao et al., CVPR 2017).

    An image has one embedding f, the same for every attribute. A wanted change reads r from the
    memory, and the changed embedding is unit(f + r + W2 relu(W1 [f, r])), which is compared with
    the embeddings of other images; what several changes add to f adds up. W2 starts at 0. Linear
    classifiers say which values an embedding shows.

    Args:
      offsets: `AttributeSpace.offsets`, A + 1 numbers.
      fusion_dim: length of the hidden layer that fuses embedding and prototype.
      sharpness: of the memory's controller, see `PrototypeMemory`.
      Others: see `OneBranchModel`.
    """

    class_outputs = ("logits",)

    def __init__(
        self,
        offsets: Sequence[int],
        backbone: str | Mapping | keras.Model,
        size: int,
        embedding_dim: int = 1024,
        image_scale: int = 2,
        fusion_dim: int = 1024,
        sharpness: float = 10.0,
        weights: str | None = None,
        **kwargs,
    ):
        super().__init__(
            len(offsets) - 1, backbone, size, embedding_dim, image_scale, weights, **kwargs
        )
        del self._config["attributes"]
        self._config |= {
            "offsets": list(offsets),
            "fusion_dim": fusion_dim,
            "sharpness": sharpness,
        }
        self.offsets = tuple(offsets)
        values = self.offsets[-1]
        with child_scope(self):
            self.projection = keras.layers.Dense(embedding_dim, name="projection")
            self.projection.build((None, self.features.feature_shape[-1]))
            self.classifiers = keras.layers.Dense(values, dtype="float32", name="classifiers")
            self.classifiers.build((None, embedding_dim))
            self.memory = PrototypeMemory(
                values, embedding_dim, sharpness, dtype="float32", name="memory"
            )
            self.memory.build((None, values))
            self.fuse = keras.layers.Dense(fusion_dim, "relu", dtype="float32", name="fuse")
            self.fuse.build((None, 2 * embedding_dim))
            self.edit = keras.layers.Dense(
                embedding_dim, kernel_initializer="zeros", dtype="float32", name="edit"
            )
            self.edit.build((None, fusion_dim))
        self.built = True

    def outputs_of_features(self, features, inputs):
        """The embedding, the same for every attribute."""
        vectors = self._vectors(features)
        return {"global": tf.repeat(vectors[:, None], tf.shape(inputs["attributes"])[1], axis=1)}

    def compute_outputs(self, inputs, names, training=False):
        """Embeddings, logits, and what becomes of both when an attribute changes.

        Args:
          inputs: "images" uint8 [B, S, S, 3], "attributes" int [B, M]; where changes are named,
            "changes" bool [B, V]: images are query, target and negative in turn, and each query is
            changed to the values that its row names.
          names: see below.
          training: for batch normalisation.

        Returns:
          as named: "global" float32 [B, M, D], unit vectors; "logits" float32 [B, V]; "changed"
          float32 [B / 3, D] and "changed_logits" float32 [B / 3, V].
        """
        names = set(names)
        vectors = self._vectors(self.features_of(inputs, training))
        count = tf.shape(inputs["attributes"])[1]
        outputs = {"global": tf.repeat(vectors[:, None], count, axis=1)}
        if "logits" in names:
            outputs["logits"] = self.logits(vectors)
        if names & {"changed", "changed_logits"}:
            if "changes" not in inputs:
                raise ValueError(
                    "AMNet learns changes from queries, targets and negatives: set "
                    f"train.sampling={SAMPLING}"
                )
            wanted = tf.cast(inputs["changes"][::3], tf.float32)[:, None]
            outputs["changed"] = self.change_to(vectors[::3], wanted)
            if "changed_logits" in names:
                outputs["changed_logits"] = self.logits(outputs["changed"])
        return outputs

    def manipulate(self, images, attribute, value) -> tf.Tensor:
        """Embeddings of images as they would be with other values.

        Args:
          images: uint8 [B, S, S, 3].
          attribute, value: int [B], or [B, C] for C changes at once; the value is counted within
            its attribute.

        Returns:
          float32 [B, D], unit vectors.
        """
        attribute, value = (tf.reshape(n, (tf.shape(images)[0], -1)) for n in (attribute, value))
        return self.change(self._vectors(self.feature_maps(images)), attribute, value)

    def change(self, vectors, attributes, values) -> tf.Tensor:
        """Embeddings changed in some attributes, see `EmbeddingModel.change`."""
        wanted = tf.gather(tf.constant(self.offsets), attributes) + tf.cast(values, tf.int32)
        return self.change_to(vectors, tf.one_hot(wanted, self.offsets[-1]))

    def change_to(self, vectors, wanted) -> tf.Tensor:
        """`change` for values in the flat numbering: wanted float [R, C, V], 1 where wanted."""
        read = self._spread(self.memory(wanted))
        seen = self._spread(vectors)
        both = tf.concat([tf.broadcast_to(seen[:, None], tf.shape(read)), read], axis=-1)
        added = read + self.edit(self.fuse(both))
        return tf.math.l2_normalize(seen + tf.reduce_sum(added, axis=1), axis=-1)

    def logits(self, vectors) -> tf.Tensor:
        """Which values embeddings show: float32 [..., D] -> [..., V], a softmax an attribute."""
        return self.classifiers(self._spread(vectors))

    def closed_form_vectors(self, inputs):
        return self._vectors(self.features_of(inputs))

    def fit_closed_form(self, vectors, labels):
        """Each value's prototype becomes the mean embedding of its images; 0 without any."""
        images = np.maximum(labels.sum(0), 1)[:, None]
        self.memory.prototypes.assign(labels.T.astype(np.float32) @ vectors / images)

    def join(self, outputs, slices, attributes):
        (name,) = slices
        return outputs[name]

    def _vectors(self, features):
        vectors = self.projection(tf.reduce_mean(tf.cast(features, tf.float32), axis=(1, 2)))
        return tf.math.l2_normalize(tf.cast(vectors, tf.float32), axis=-1)

    def _spread(self, vectors):
        """Unit vectors so long that their numbers are about 1, as layers expect them."""
        return vectors * self.embedding_dim**0.5
