"""What signatures are made of: reading photographs, embedding them, attention."""

from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from asen_client.serving.signatures import Metadata
from asen_tf.images import graph
from asen_tf.images.geometry import pixel_boxes
from asen_tf.models.base import EmbeddingModel
from asen_tf.serving.export.photographs import read_images, refuse, rows
from asen_tf.tracing import traced

Outputs = dict[str, tf.Tensor]
# What `Functions.prepare` does: encoded, string [N], and what messages call them, string [N], to
# images, uint8 [N, S, S, 3], and sizes, int32 [N, 2].
Prepare = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


class Functions:
    """What a model does, for signatures to call; each stands in the SavedModel once.

    Attributes:
      ids: attribute name -> its id, of those to serve, in their order.
      metadata: what the model says of itself.

    Args:
      model: what embeds.
      ids, metadata: see above.
      slices: that make the embedding, see `EmbeddingModel.embed`.
      prepare: another way to read encoded photographs.
    """

    def __init__(
        self,
        model: EmbeddingModel,
        ids: Mapping[str, int],
        metadata: Metadata,
        slices: Sequence[str] | None = None,
        prepare: Prepare | None = None,
    ):
        self.ids = dict(ids)
        self.metadata = metadata
        size = self._size = model.image_size
        images = tf.TensorSpec((None, size, size, 3), tf.uint8)
        pairs = tf.TensorSpec((None, None), tf.int32)
        sizes = tf.TensorSpec((None, 2), tf.int32)
        encoded = tf.TensorSpec((None,), tf.string)

        @traced(input_signature=[encoded, encoded])
        def prepare_in_graph(encoded, labels):
            return read_images(encoded, labels, size, metadata.max_pixels, metadata.fit)

        @traced(input_signature=[images, pairs])
        def embed(images, pairs):
            given = map(_at_least_one, (images, pairs))
            return model.embed(*given, slices)[: tf.shape(images)[0]]

        @traced(input_signature=[images, pairs, sizes])
        def attend(images, pairs, sizes):
            count = tf.shape(images)[0]
            attention, boxes = model.explain(*map(_at_least_one, (images, pairs)))
            return attention[:count], pixel_boxes(boxes[:count], sizes, metadata.fit)

        @traced(input_signature=[images, tf.TensorSpec((None,), tf.int32)])
        def predict(images, ids):
            return model.value_probabilities(_at_least_one(images), ids)[: tf.shape(images)[0]]

        self._prepare, self._embed, self._attend = prepare or prepare_in_graph, embed, attend
        self._predict = predict

    def prepare(
        self, encoded: tf.Tensor, labels: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Encoded photographs, string [N], as the images that the model takes.

        `labels`, string [N], are what messages call them; None: "photograph 0" and so on.

        Returns:
          uint8 [N, S, S, 3]; height and width of the photographs, int32 [N, 2].

        Raises:
          InvalidArgumentError: some cannot be read; names them and says why.
        """
        if labels is None:
            labels = rows("photograph", tf.size(encoded))
        return self._prepare(encoded, labels)

    def resize(self, pixels: tf.Tensor) -> tf.Tensor:
        """Decoded photographs, uint8 [N, H, W, 3], as the images that the model takes."""
        shape = tf.shape(pixels)
        message = "the images have no pixels; their shape is"
        filled = tf.debugging.Assert(tf.reduce_min(shape[1:3]) > 0, [message, shape], summarize=4)
        with tf.control_dependencies([filled]):
            pixels = tf.identity(pixels)
        return tf.map_fn(
            lambda one: graph.to_square(one, self._size, self.metadata.fit),
            pixels,
            fn_output_signature=tf.TensorSpec((self._size, self._size, 3), tf.uint8),
        )

    def embed(self, images: tf.Tensor, attributes: Sequence[str] | tf.Tensor) -> tf.Tensor:
        """Embeddings of images, unit vectors float32 [N, M, D].

        Args:
          images: of `prepare` or `resize`.
          attributes: M names, the same for every image; or ids int32 [N, M], see `look_up`.
        """
        return self._embed(images, self._pairs(images, attributes))

    def attend(
        self, images: tf.Tensor, attributes: Sequence[str] | tf.Tensor, sizes: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Where a model with attention looks, `EmbeddingModel.explain`; `sizes`: of `prepare`."""
        return self._attend(images, self._pairs(images, attributes), sizes)

    def predict(self, images: tf.Tensor, attributes: Sequence[str]) -> list[tf.Tensor]:
        """Of each attribute how probable its values are, float32 [N, V]; `model.predicts`."""
        ids = tf.constant([self.ids[name] for name in attributes], tf.int32)
        found = self._predict(images, ids)
        counts = [len(self.metadata.attributes[name]) for name in attributes]
        return [
            tf.ensure_shape(found[:, n, :count], (None, count)) for n, count in enumerate(counts)
        ]

    def look_up(self, attributes: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        """Ids of the attributes that `count` rows name: string [count] or [1] -> int32 [count, 1].

        Raises:
          InvalidArgumentError: an unknown attribute, of which it names the row, or another number
            of them.
        """
        given = tf.size(attributes)
        message = "expected an attribute for each image, or one for all; the numbers given are"
        fits = tf.debugging.Assert((given == count) | (given == 1), [message, count, given])
        same = attributes[:, None] == tf.constant(list(self.ids))
        unknown = tf.strings.join(
            # Quotation marks would come out escaped.
            ["unknown attribute ", attributes, f". Known: {', '.join(self.ids)}"]
        )
        faults = tf.where(tf.reduce_any(same, axis=1), "", unknown)
        with tf.control_dependencies([fits, refuse(rows("image", given), faults)]):
            ids = tf.gather(list(self.ids.values()), tf.argmax(same, axis=1))
        return tf.broadcast_to(ids, [count])[:, None]

    def _pairs(self, images, attributes):
        if tf.is_tensor(attributes):
            return attributes
        wanted = [self.ids[name] for name in attributes]
        return tf.tile(tf.constant([wanted], tf.int32), (tf.shape(images)[0], 1))


def _at_least_one(rows):
    """A row of zeros where there is none: oneDNN gives a convolution of none a wrong shape."""
    missing = tf.maximum(1 - tf.shape(rows)[0], 0)
    return tf.pad(rows, [[0, missing]] + [[0, 0]] * (rows.shape.rank - 1))
