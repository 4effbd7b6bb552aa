"""A model as TensorFlow Serving takes it: variables, tables and functions, without Keras."""

import os
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from asen_tf.data import images
from asen_tf.models.base import EmbeddingModel
from asen_tf.serving import signatures as names
from asen_tf.serving.export.photographs import refuse, rows, to_canvases
from asen_tf.serving.signatures import Metadata

Outputs = dict[str, tf.Tensor]


class Servable(tf.Module):
    """What a SavedModel of a model keeps: its variables, attribute names and metadata.

    It tracks the raw variables and not the model: a Keras model inside a SavedModel loads in
    Python, but the session loader of TensorFlow Serving does not find its variables.

    Args:
      model: what embeds.
      ids: attribute name -> its id, of those to serve, in their order.
      metadata_file: a file with what it says of itself; becomes an asset.
    """

    def __init__(
        self, model: EmbeddingModel, ids: Mapping[str, int], metadata_file: str | os.PathLike
    ):
        super().__init__(name="asen_tf")
        self.weights = [variable.value for variable in model.variables]
        self.metadata_file = tf.saved_model.Asset(os.fspath(metadata_file))
        entries = tf.lookup.KeyValueTensorInitializer(
            list(ids), list(ids.values()), tf.string, tf.int32
        )
        self.table = tf.lookup.StaticHashTable(entries, default_value=-1)


def signatures(
    servable: Servable,
    model: EmbeddingModel,
    ids: Mapping[str, int],
    slices: Sequence[str] | None,
    metadata: Metadata,
) -> dict[str, Callable[..., Outputs]]:
    """The signatures of `asen_tf.serving.signatures`, by name.

    All call the same few functions, so that the model stands in the SavedModel once.

    Args:
      servable: what keeps the variables and the attribute names.
      model, ids: its own.
      slices: of the model that make the embedding, see `EmbeddingModel.embed`.
      metadata: what it says of itself.
    """
    size = model.image_size
    canvas = tf.TensorSpec((None, size, size, 3), tf.uint8)
    pairs = tf.TensorSpec((None, None), tf.int32)
    sizes = tf.TensorSpec((None, 2), tf.int32)
    encoded = tf.TensorSpec((None,), tf.string)

    @tf.function(input_signature=[encoded, encoded])
    def prepare(encoded, labels):
        return to_canvases(encoded, labels, size, metadata.max_pixels)

    @tf.function(input_signature=[canvas, pairs])
    def embed(canvases, pairs):
        count = tf.shape(canvases)[0]
        return model.embed(_at_least_one(canvases), _at_least_one(pairs), slices)[:count]

    @tf.function(input_signature=[canvas, pairs, sizes])
    def attend(canvases, pairs, sizes):
        count = tf.shape(canvases)[0]
        given = [_at_least_one(rows) for rows in (canvases, pairs, sizes)]
        attention, boxes = model.explain(*given)
        return attention[:count], boxes[:count]

    def asked(canvases, *wanted: int):
        return tf.tile(tf.constant([wanted], tf.int32), (tf.shape(canvases)[0], 1))

    def embed_one(attribute: int) -> Callable[..., Outputs]:
        def signature(image_bytes):
            canvases, _ = prepare(image_bytes, rows("photograph", tf.size(image_bytes)))
            return {names.EMBEDDING: embed(canvases, asked(canvases, attribute))[:, 0]}

        return signature

    def explain_one(attribute: int) -> Callable[..., Outputs]:
        def signature(image_bytes):
            canvases, sizes = prepare(image_bytes, rows("photograph", tf.size(image_bytes)))
            wanted = asked(canvases, attribute)
            attention, boxes = attend(canvases, wanted, sizes)
            return {
                names.EMBEDDING: embed(canvases, wanted)[:, 0],
                names.ATTENTION: attention[:, 0],
                names.BOX: boxes[:, 0],
                names.SIZE: sizes,
            }

        return signature

    def compare_in(attribute: int) -> Callable[..., Outputs]:
        def signature(image_bytes, other_image_bytes):
            count, others = tf.size(image_bytes), tf.size(other_image_bytes)
            labels = rows("photograph", count), rows("other photograph", others)
            with tf.control_dependencies([_require_pairs(count, others)]):
                both = tf.concat([image_bytes, other_image_bytes], axis=0)
            canvases, _ = prepare(both, tf.concat(labels, axis=0))
            vectors = embed(canvases, asked(canvases, attribute))[:, 0]
            return {names.SIMILARITY: tf.reduce_sum(vectors[:count] * vectors[count:], axis=-1)}

        return signature

    def embed_all(image_bytes) -> Outputs:
        canvases, _ = prepare(image_bytes, rows("photograph", tf.size(image_bytes)))
        vectors = embed(canvases, asked(canvases, *ids.values()))
        return {names.EMBEDDINGS: tf.ensure_shape(vectors, (None, len(ids), None))}

    def embed_tensor(images, attribute) -> Outputs:
        wanted = _look_up(servable.table, attribute, images, tuple(ids))
        return {names.EMBEDDING: embed(_canvases(images, size), wanted[:, None])[:, 0]}

    text = metadata.to_json()

    def describe() -> Outputs:
        return {names.ATTRIBUTES: tf.constant(list(ids)), names.JSON: tf.constant(text)}

    photographs = tf.TensorSpec((None,), tf.string, names.IMAGE_BYTES)
    others = tf.TensorSpec((None,), tf.string, names.OTHER_IMAGE_BYTES)
    pixels = tf.TensorSpec((None, None, None, 3), tf.uint8, names.IMAGES)
    attribute = tf.TensorSpec((None,), tf.string, names.ATTRIBUTE)
    found = {
        names.SERVING_DEFAULT: (embed_all, [photographs]),
        names.EMBED_TENSOR: (embed_tensor, [pixels, attribute]),
        names.METADATA: (describe, []),
    }
    for name, number in ids.items():
        found[names.embed(name)] = (embed_one(number), [photographs])
        found[names.similarity(name)] = (compare_in(number), [photographs, others])
        if model.explains:
            found[names.explain(name)] = (explain_one(number), [photographs])
    return {
        name: tf.function(function, input_signature=inputs).get_concrete_function()
        for name, (function, inputs) in found.items()
    }


def _at_least_one(rows):
    """A row of zeros where there is none: oneDNN gives a convolution of none a wrong shape."""
    missing = tf.maximum(1 - tf.shape(rows)[0], 0)
    return tf.pad(rows, [[0, missing]] + [[0, 0]] * (rows.shape.rank - 1))


def _canvases(pixels, size):
    shape = tf.shape(pixels)
    message = "the images have no pixels; their shape is"
    filled = tf.debugging.Assert(tf.reduce_min(shape[1:3]) > 0, [message, shape], summarize=4)
    with tf.control_dependencies([filled]):
        pixels = tf.identity(pixels)
    return tf.map_fn(
        lambda one: images.to_canvas(one, size),
        pixels,
        fn_output_signature=tf.TensorSpec((size, size, 3), tf.uint8),
    )


def _require_pairs(count, others):
    """One photograph on either side is compared with all on the other."""
    fits = (count == others) | (count == 1) | (others == 1)
    message = "similarity compares pairs, or one photograph with all others; the numbers given are"
    return tf.debugging.Assert(fits, [message, count, others])


def _look_up(table, attribute, images, known: tuple[str, ...]):
    """Ids of the attributes that rows name, int32 [N]."""
    found = table.lookup(attribute)
    # Quotation marks would come out escaped.
    unknown = tf.strings.join(["unknown attribute ", attribute, f". Known: {', '.join(known)}"])
    faults = tf.where(found < 0, unknown, "")
    counts = tf.shape(images)[0], tf.size(attribute)
    message = "embed_tensor needs an attribute for each image; the numbers given are"
    checks = [
        tf.debugging.Assert(counts[0] == counts[1], [message, *counts]),
        refuse(rows("image", counts[1]), faults),
    ]
    with tf.control_dependencies(checks):
        return tf.identity(found)
