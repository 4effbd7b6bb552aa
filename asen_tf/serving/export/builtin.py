"""The signatures of this library, as `asen_client.serving.signatures` lists them."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import tensorflow as tf

from asen_client.serving import signatures as names
from asen_tf.images import read
from asen_tf.serving.export.functions import Functions
from asen_tf.serving.export.photographs import rows
from asen_tf.serving.export.signature import Request, Signature

# Of one attribute a photograph, or of one for all.
_NAMED = tf.TensorSpec((None,), tf.string)


class OfOneAttribute(Signature):
    """Of the attribute in its name, or of those that a request names in the input `attribute`."""

    each_attribute = whole = True

    def __init__(self, attribute=None):
        super().__init__(attribute)
        if attribute is None:
            self.inputs = {**self.inputs, names.ATTRIBUTE: _NAMED}

    def wanted(
        self, functions: Functions, count: tf.Tensor, named: tf.Tensor | None
    ) -> Sequence[str] | tf.Tensor:
        """Which attribute `count` photographs are asked for, as `Functions.embed` takes it."""
        return [self.attribute] if named is None else functions.look_up(named, count)

    def sample(self, photographs, attributes):
        given = super().sample(photographs, attributes)
        return given if self.attribute else given | _each(photographs, attributes)


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
        names.ATTRIBUTE: _NAMED,
    }

    def answer(self, functions, images, attribute):
        wanted = functions.look_up(attribute, tf.shape(images)[0])
        return {names.EMBEDDING: functions.embed(functions.resize(images), wanted)[:, 0]}

    def sample(self, photographs, attributes):
        pixels = read(photographs[0])
        images = [np.roll(pixels, 9 * row, 1) for row in range(len(photographs))]
        return {names.IMAGES: np.stack(images), **_each(photographs, attributes)}


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


class Embed(OfOneAttribute):
    """Embeddings in one attribute."""

    def answer(self, functions, image_bytes, attribute=None):
        wanted = self.wanted(functions, tf.size(image_bytes), attribute)
        images, _ = functions.prepare(image_bytes)
        return {names.EMBEDDING: functions.embed(images, wanted)[:, 0]}


class Explain(OfOneAttribute):
    """Where the model looks for an attribute, and the embedding that it gets there."""

    @classmethod
    def suits(cls, model):
        return model.explains

    def answer(self, functions, image_bytes, attribute=None):
        wanted = self.wanted(functions, tf.size(image_bytes), attribute)
        images, sizes = functions.prepare(image_bytes)
        attention, boxes = functions.attend(images, wanted, sizes)
        return {
            names.EMBEDDING: functions.embed(images, wanted)[:, 0],
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


class Similarity(OfOneAttribute):
    """Cosines of pairs of photographs, or of one with all others, in one attribute."""

    inputs: ClassVar = {
        names.IMAGE_BYTES: tf.TensorSpec((None,), tf.string),
        names.OTHER_IMAGE_BYTES: tf.TensorSpec((None,), tf.string),
    }

    def answer(self, functions, image_bytes, other_image_bytes, attribute=None):
        count, others = tf.size(image_bytes), tf.size(other_image_bytes)
        fits = (count == others) | (count == 1) | (others == 1)
        message = (
            "similarity compares pairs, or one photograph with all others; the numbers given are"
        )
        with tf.control_dependencies([tf.debugging.Assert(fits, [message, count, others])]):
            both = tf.concat([image_bytes, other_image_bytes], axis=0)
        pairs = tf.where(count == 1, others, count)
        wanted = self.wanted(functions, pairs, attribute)
        labels = tf.concat([rows("photograph", count), rows("other photograph", others)], axis=0)
        images, _ = functions.prepare(both, labels)
        if attribute is None:
            vectors = functions.embed(images, wanted)[:, 0]
            return {names.SIMILARITY: tf.reduce_sum(vectors[:count] * vectors[count:], axis=-1)}
        # A photograph may be in pairs of several attributes: it is embedded in each once.
        distinct, place = tf.unique(wanted[:, 0])
        distinct = tf.pad(distinct, [[0, tf.cast(pairs == 0, tf.int32)]])
        vectors = functions.embed(images, tf.tile(distinct[None], (count + others, 1)))
        cosines = tf.reduce_sum(vectors[:count] * vectors[count:], axis=-1)
        return {names.SIMILARITY: tf.gather(cosines, place, axis=1, batch_dims=1)}

    def sample(self, photographs, attributes):
        encoded = np.array(photographs, object)
        return super().sample(photographs, attributes) | {names.OTHER_IMAGE_BYTES: encoded[::-1]}


def _each(photographs: Sequence[bytes], attributes: Sequence[str]) -> Request:
    """An attribute for each photograph, all of them in turn."""
    wanted = [attributes[row % len(attributes)].encode() for row in range(len(photographs))]
    return {names.ATTRIBUTE: np.array(wanted, object)}
