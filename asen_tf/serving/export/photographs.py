"""From encoded photographs to square images inside a served model, bad ones named by their row."""

import tensorflow as tf

from asen_client.core.limits import CALL_PIXELS
from asen_tf.images import graph
from asen_tf.images.headers import read_header

# Decoded at the same time; a large one needs up to fifteen bytes a pixel while it is resized.
_PARALLEL = 8
# Rows that a message names: gRPC bounds the length of a status.
_NAMED = 8


def read_images(
    encoded: tf.Tensor,
    labels: tf.Tensor,
    size: int,
    max_pixels: int,
    fit: str = "crop",
    max_all: int = CALL_PIXELS,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Encoded photographs as square images, as training and evaluation see them.

    Args:
      encoded: string [N]: JPEG, PNG, WebP or BMP.
      labels: string [N], what messages call the photographs.
      size: side of an image in pixels, S.
      max_pixels: a photograph that declares more is not decoded.
      fit: see `asen_tf.images.graph.to_square`.
      max_all: where all of them together declare more, and than `max_pixels`, none is decoded.

    Returns:
      uint8 [N, S, S, 3]; height and width of the photographs, int32 [N, 2].

    Raises:
      InvalidArgumentError: headers are bad or declare too much; it names the photographs and says
        why. Damage that a header does not show is the decoder's own error, and names none.
    """
    faults, pixels = tf.map_fn(
        lambda one: _fault(one, max_pixels),
        encoded,
        fn_output_signature=(tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.int64)),
        parallel_iterations=_PARALLEL,
    )
    with tf.control_dependencies([refuse(labels, faults)]):
        pixels = tf.identity(pixels)
    with tf.control_dependencies([_refuse_all(pixels, max(max_all, max_pixels))]):
        encoded = tf.identity(encoded)

    def prepare(one):
        pixels = graph.decode_in_graph(one)
        return graph.to_square(pixels, size, fit), tf.shape(pixels)[:2]

    return tf.map_fn(
        prepare,
        encoded,
        fn_output_signature=(
            tf.TensorSpec((size, size, 3), tf.uint8),
            tf.TensorSpec((2,), tf.int32),
        ),
        parallel_iterations=_PARALLEL,
    )


def rows(what: str, count: tf.Tensor) -> tf.Tensor:
    """What messages call each of `count` things: "photograph 0" and so on, string [count]."""
    return tf.strings.join([what, tf.strings.as_string(tf.range(count))], separator=" ")


def refuse(labels: tf.Tensor, faults: tf.Tensor) -> tf.Operation:
    """Raises InvalidArgumentError where there are faults: "photograph 3: it is empty; ...".

    `labels`, string [N], call each row; `faults`, string [N], are empty for good ones.
    """
    bad = faults != ""
    lines = tf.boolean_mask(tf.strings.join([labels, faults], separator=": "), bad)
    message = tf.strings.reduce_join(lines[:_NAMED], separator="; ")
    return tf.debugging.Assert(~tf.reduce_any(bad), [message])


def _refuse_all(pixels, limit):
    total = tf.reduce_sum(pixels)
    declared = ["the photographs declare ", tf.strings.as_string(total), " pixels in all"]
    advice = f", more than the limit {limit}; send fewer at a time"
    return tf.debugging.Assert(total <= limit, [tf.strings.join([*declared, advice])])


def _fault(encoded, max_pixels):
    """What is wrong with a photograph, and the pixels of one with which nothing is."""
    height, width, fault = read_header(encoded)
    width_by_height = [tf.strings.as_string(width), " x ", tf.strings.as_string(height)]
    too_many = f" pixels, more than the limit {max_pixels}"
    large = tf.strings.join(["it declares ", *width_by_height, too_many])
    # The product of two sides that a PNG declares may exceed 64 bits.
    fault = tf.where(height > max_pixels // tf.maximum(width, 1), large, fault)
    return fault, tf.where(fault == "", height * width, 0)
