"""AMNet: one embedding of an image, and what it becomes when an attribute changes."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from asen_tf.backbones.feature_extractor import FeatureExtractor, averaging
from asen_tf.core.errors import unknown_name
from asen_tf.layers import PrototypeMemory
from asen_tf.models.base import EmbeddingModel


@keras.saving.register_keras_serializable(package="asen_tf")
class AMNet(EmbeddingModel):
    """Memory-augmented attribute manipulation (Zhao et al., CVPR 2017).

    An image has one embedding f, the same for every attribute. A wanted change reads r from the
    memory, and the changed embedding is unit(f + r + W2 relu(W1 [f, r])), which is compared with
    the embeddings of other images; what several changes add to f adds up. W2 starts at 0. Linear
    classifiers say which values an embedding shows.

    Args:
      offsets: `AttributeSpace.offsets`, A + 1 numbers.
      backbone: name of a backbone (`asen_tf.backbones.NAMES`, or a keras-hub preset).
      size: side of its input in pixels.
      embedding_dim: length of the embedding, D.
      image_scale: side of the canvases / `size`, a whole number.
      fusion_dim: length of the hidden layer that fuses embedding and prototype.
      sharpness: of the memory's controller, see `PrototypeMemory`.
    """

    def __init__(
        self,
        offsets: Sequence[int],
        backbone: str,
        size: int,
        embedding_dim: int = 1024,
        image_scale: int = 2,
        fusion_dim: int = 1024,
        sharpness: float = 10.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self._config = {
            "offsets": list(offsets),
            "backbone": backbone,
            "size": size,
            "embedding_dim": embedding_dim,
            "image_scale": image_scale,
            "fusion_dim": fusion_dim,
            "sharpness": sharpness,
        }
        self.attributes = len(offsets) - 1
        self.offsets = tuple(offsets)
        self.embedding_dim = embedding_dim
        values = self.offsets[-1]
        self.shrink = averaging(image_scale)
        self.trunk = FeatureExtractor(backbone, size, name="trunk")
        self.projection = keras.layers.Dense(embedding_dim, name="projection")
        self.projection.build((None, self.trunk.backbone.output.shape[-1]))
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

    @property
    def image_size(self) -> int:
        return self._config["image_scale"] * self.trunk.size

    def parts(self) -> dict[str, list[keras.Variable]]:
        """The embedding, the classifiers on it, and the memory with what fuses its prototypes."""
        layers = {
            "global_branch": (self.trunk, self.projection),
            "classifiers": (self.classifiers,),
            "memory": (self.memory, self.fuse, self.edit),
        }
        return {
            part: [v for layer in its for v in layer.trainable_variables]
            for part, its in layers.items()
        }

    def start_from_means(self, part: str, means: np.ndarray) -> None:
        """Gives "memory" the mean embedding of each value's images as its prototypes, [V, D]."""
        if part != "memory":
            raise ValueError(unknown_name("part of AMNet that starts from means", part, ["memory"]))
        self.memory.prototypes.assign(means)

    def variants(self, parts=None) -> dict[str, slice]:
        self._check(parts)
        return {"global": slice(None)}

    def outputs_of(self, images, attributes, parts, training=False) -> dict[str, tf.Tensor]:
        """Embedding and logits of images, which are the same for every attribute.

        Returns:
          "global_branch", "classifiers" (as asked for): unit vectors float32 [B, D], and logits
          float32 [B, V].
        """
        self._check(parts)
        vectors = self._vectors(images, training)
        outputs = {}
        if "global_branch" in parts:
            outputs["global_branch"] = vectors
        if "classifiers" in parts:
            outputs["classifiers"] = self.logits(vectors)
        return outputs

    def embed(self, images, attributes, parts=None, training=False) -> tf.Tensor:
        """The image's one embedding, for whichever attribute: float32 [B, D] or [B, M, D]."""
        self._check(parts)
        vectors = self._vectors(images, training)
        attributes = tf.convert_to_tensor(attributes)
        if attributes.shape.rank == 1:
            return vectors
        return tf.repeat(vectors[:, None], tf.shape(attributes)[1], axis=1)

    def manipulate(self, images, attribute, value, training=False) -> tf.Tensor:
        """Embeddings of images as they would be with other values.

        Args:
          images: uint8 [B, S, S, 3] canvases.
          attribute, value: int [B], or [B, C] for C changes at once; the value is counted within
            its attribute.
          training: for batch normalisation.

        Returns:
          float32 [B, D], unit vectors.
        """
        attribute, value = (tf.reshape(n, (tf.shape(images)[0], -1)) for n in (attribute, value))
        return self.change(self._vectors(images, training), attribute, value)

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

    @property
    def trunk_of_features(self) -> FeatureExtractor:
        return self.trunk

    def embed_features(self, features, attributes) -> tf.Tensor:
        vectors = self._vectors_of_features(features)
        return tf.repeat(vectors[:, None], tf.shape(attributes)[1], axis=1)

    def _vectors(self, images, training):
        features = self.trunk(self.shrink(tf.cast(images, tf.float32)), training=training)
        return self._vectors_of_features(features)

    def _vectors_of_features(self, features):
        vectors = self.projection(tf.reduce_mean(tf.cast(features, tf.float32), axis=(1, 2)))
        return tf.math.l2_normalize(tf.cast(vectors, tf.float32), axis=-1)

    def _spread(self, vectors):
        """Unit vectors so long that their numbers are about 1, as layers expect them."""
        return vectors * self.embedding_dim**0.5

    def _check(self, parts):
        known = self.parts()
        for part in parts or ():
            if part not in known:
                raise ValueError(unknown_name("part of AMNet", part, known))

    def get_config(self):
        return {**super().get_config(), **self._config}
