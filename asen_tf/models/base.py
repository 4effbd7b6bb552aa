"""What every model offers to training, evaluation, export and search."""

import abc
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from asen_tf.backbones.feature_extractor import FeatureExtractor


class EmbeddingModel(keras.Model, abc.ABC):
    """Embeds (image, attribute) pairs; a dot product of two embeddings is their similarity.

    Images are canvases: uint8 [B, S, S, 3] with S = `image_size`. Attributes are ids in
    [0, `attributes`), int [B] (one an image) or [B, M] (M an image). Whatever works an image
    rather than a pair runs once an image.
    """

    attributes: int

    @property
    @abc.abstractmethod
    def image_size(self) -> int:
        """Side of the square photographs that it takes, in pixels."""

    @property
    def input_size(self) -> int:
        """Side of the image that attention lies over, in pixels."""
        return self.image_size

    @abc.abstractmethod
    def parts(self) -> dict[str, list[keras.Variable]]:
        """Name -> the trainable variables of that part; the parts are disjoint."""

    def copy_part(self, source: str, target: str) -> None:
        """Gives a part the weights of another one; those of other shapes stay as they are."""
        raise NotImplementedError(f"{type(self).__name__} has no parts that are alike")

    def start_from_means(self, part: str, means: np.ndarray) -> None:
        """Gives a part the mean embedding of each value's training images, float32 [V, D]."""
        raise NotImplementedError(f"{type(self).__name__} has no part that starts from means")

    @abc.abstractmethod
    def variants(self, parts: Sequence[str] | None = None) -> dict[str, slice]:
        """Pieces of the embedding of these parts that can be scored alone, by name."""

    @abc.abstractmethod
    def outputs_of(self, images, attributes, parts, training=False) -> dict[str, tf.Tensor]:
        """What the losses need of the named parts, for pairs [B, M]."""

    @abc.abstractmethod
    def embed(self, images, attributes, parts=None, training=False) -> tf.Tensor:
        """Unit vectors of the named parts (None: all that the model uses), [B, D] or [B, M, D]."""

    def embed_all(self, images, parts=None, training=False) -> tf.Tensor:
        """Unit vectors for every attribute, float32 [B, A, D]."""
        return self.embed(images, self.all_attributes(images), parts, training)

    def all_attributes(self, images) -> tf.Tensor:
        """int32 [B, A]: every attribute for every image."""
        return tf.tile(tf.range(self.attributes)[None], (tf.shape(images)[0], 1))

    @property
    def explains(self) -> bool:
        """Whether it has attention to show."""
        return type(self).explain is not EmbeddingModel.explain

    def explain(self, images, attributes, sizes=None) -> tuple[tf.Tensor, tf.Tensor]:
        """Where the model looked: attention maps and boxes. Models without attention raise."""
        raise NotImplementedError(f"{type(self).__name__} has no attention to explain")

    @property
    def trunk_of_features(self) -> FeatureExtractor:
        """What makes the feature maps that `embed_features` takes."""
        raise NotImplementedError(f"{type(self).__name__} has no embedding of feature maps alone")

    def embed_features(self, features, attributes) -> tf.Tensor:
        """What `embed` makes of images, from the feature maps of `trunk_of_features`.

        A model of several branches takes those of the first, and gives its embedding alone.

        Args:
          features: float [B, h, w, C].
          attributes: int [B, M].

        Returns:
          float32 [B, M, D], unit vectors.
        """
        raise NotImplementedError(f"{type(self).__name__} has no embedding of feature maps alone")

    @property
    def embeds_features(self) -> bool:
        """Whether it has `trunk_of_features` and `embed_features`."""
        return type(self).embed_features is not EmbeddingModel.embed_features

    def channel_weights(self, images, attributes) -> tf.Tensor:
        """How much each channel of the feature maps counts for attributes.

        Args:
          images: uint8 [B, S, S, 3] canvases.
          attributes: int [B, M].

        Returns:
          float32 [B, M, C], not negative.
        """
        raise NotImplementedError(f"{type(self).__name__} does not weigh channels by attribute")

    @property
    def weighs_channels(self) -> bool:
        """Whether it has `channel_weights`."""
        return type(self).channel_weights is not EmbeddingModel.channel_weights

    @property
    def manipulates(self) -> bool:
        """Whether it changes embeddings itself."""
        return type(self).change is not EmbeddingModel.change

    def change(self, vectors, attributes, values) -> tf.Tensor:
        """What embeddings become when attributes change; few models do this themselves.

        Those have one embedding of an image, the same for every attribute.

        Args:
          vectors: float32 [R, D], from `embed`.
          attributes, values: int [R, C], C wanted values, each counted within its attribute.

        Returns:
          float32 [R, D], unit vectors, to be compared with what `embed` gives for other images.
        """
        raise NotImplementedError(f"{type(self).__name__} does not change embeddings")

    def configure_backbones(self, jit_compile: bool = False, recompute: bool = False) -> None:
        """How its backbones run, see `FeatureExtractor.configure`; models without one ignore it."""
        for layer in self.layers:
            if isinstance(layer, FeatureExtractor):
                layer.configure(jit_compile, recompute)

    def call(self, inputs, training=False):
        """`embed` for {"images": ..., "attributes": ...}, so that it works in `model.fit`."""
        return self.embed(inputs["images"], inputs["attributes"], training=training)


def original_boxes(regions, reference: int, sizes) -> tf.Tensor:
    """Squares in the resized and centre-cropped image as boxes in the original photograph.

    Args:
      regions: int32 [B, M, 3]: left, top, side, in pixels of the reference x reference image.
      reference: its side.
      sizes: int32 [B, 2]: height and width of the original photographs.

    Returns:
      int32 [B, M, 4]: left, top, right, bottom in pixels of the original.
    """
    sizes = tf.cast(sizes, tf.int32)
    short = tf.reduce_min(sizes, axis=1)[:, None, None]
    left, top, side = tf.split(regions * short // reference, 3, axis=-1)
    margin = (sizes[:, None] - short) // 2
    left, top = left + margin[..., 1:], top + margin[..., :1]
    return tf.concat([left, top, left + side, top + side], axis=-1)
