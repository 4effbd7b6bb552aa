"""The signatures of this library, as `asen_tf.serving.signatures` lists them."""

from typing import ClassVar

import numpy as np
import tensorflow as tf

from asen_tf.images import read
from asen_tf.serving import signatures as names
from asen_tf.serving.export.photographs import rows
from asen_tf.serving.export.signature import Signature


class EmbedAll(Signature):
    """Embeddings in every attribute."""

    def answer(self, functions, image_bytes):
        images, _ = functions.prepare(image_bytes)
        vectors = functions.embed(images, list(functions.ids))
        return {names.EMBEDDINGS: tf.ensure_shape(vectors, (None, len(functions.ids), None))}


class EmbedTensor(Signature):
    """Embeddings of decoded photographs, in an attribute each."""

    inputs: ClassVar = {
        names.IMAGES: tf.TensorSpec((None, None, None, 3), tf.uint8),
        names.ATTRIBUTE: tf.TensorSpec((None,), tf.string),
    }

    def answer(self, functions, images, attribute):
        counts = tf.shape(images)[0], tf.size(attribute)
        message = "embed_tensor needs an attribute for each image; the numbers given are"
        with tf.control_dependencies(
            [tf.debugging.Assert(counts[0] == counts[1], [message, *counts])]
        ):
            images, attribute = tf.identity(images), tf.identity(attribute)
        wanted = functions.look_up(attribute)[:, None]
        return {names.EMBEDDING: functions.embed(functions.resize(images), wanted)[:, 0]}

    def sample(self, photographs, attributes):
        count = len(photographs)
        wanted = [attributes[row % len(attributes)].encode() for row in range(count)]
        pixels = read(photographs[0])
        return {
            names.IMAGES: np.stack([np.roll(pixels, 9 * row, 1) for row in range(count)]),
            names.ATTRIBUTE: np.array(wanted, object),
        }


class Describe(Signature):
    """What the model says of itself."""

    inputs: ClassVar = {}

    def answer(self, functions):
        return {
            names.ATTRIBUTES: tf.constant(list(functions.ids)),
            names.JSON: tf.constant(functions.metadata.to_json()),
        }

    def sample(self, photographs, attributes):
        return {}


class Embed(Signature):
    """Embeddings in one attribute."""

    each_attribute = True

    def answer(self, functions, image_bytes):
        images, _ = functions.prepare(image_bytes)
        return {names.EMBEDDING: functions.embed(images, [self.attribute])[:, 0]}


class Explain(Signature):
    """Where the model looks for an attribute, and the embedding that it gets there."""

    each_attribute = True

    @classmethod
    def suits(cls, model):
        return model.explains

    def answer(self, functions, image_bytes):
        images, sizes = functions.prepare(image_bytes)
        attention, boxes = functions.attend(images, [self.attribute], sizes)
        return {
            names.EMBEDDING: functions.embed(images, [self.attribute])[:, 0],
            names.ATTENTION: attention[:, 0],
            names.BOX: boxes[:, 0],
            names.SIZE: sizes,
        }


class Predict(Signature):
    """How probable the values of an attribute are, or by their names those of every attribute."""

    each_attribute = whole = True

    @classmethod
    def suits(cls, model):
        return model.predicts

    def answer(self, functions, image_bytes):
        images, _ = functions.prepare(image_bytes)
        wanted = [self.attribute] if self.attribute else list(functions.ids)
        outputs = [names.PROBABILITIES] if self.attribute else wanted
        return dict(zip(outputs, functions.predict(images, wanted), strict=True))


class Similarity(Signature):
    """Cosines of pairs of photographs, or of one with all others, in one attribute."""

    each_attribute = True
    inputs: ClassVar = {
        names.IMAGE_BYTES: tf.TensorSpec((None,), tf.string),
        names.OTHER_IMAGE_BYTES: tf.TensorSpec((None,), tf.string),
    }

    def answer(self, functions, image_bytes, other_image_bytes):
        count, others = tf.size(image_bytes), tf.size(other_image_bytes)
        fits = (count == others) | (count == 1) | (others == 1)
        message = (
            "similarity compares pairs, or one photograph with all others; the numbers given are"
        )
        with tf.control_dependencies([tf.debugging.Assert(fits, [message, count, others])]):
            both = tf.concat([image_bytes, other_image_bytes], axis=0)
        labels = tf.concat([rows("photograph", count), rows("other photograph", others)], axis=0)
        images, _ = functions.prepare(both, labels)
        vectors = functions.embed(images, [self.attribute])[:, 0]
        return {names.SIMILARITY: tf.reduce_sum(vectors[:count] * vectors[count:], axis=-1)}

    def sample(self, photographs, attributes):
        encoded = np.array(photographs, object)
        return {names.IMAGE_BYTES: encoded, names.OTHER_IMAGE_BYTES: encoded[::-1]}
