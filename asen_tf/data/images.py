"""From encoded photographs to canvases: squares of one size, uint8."""

import tensorflow as tf


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """One encoded photograph (JPEG, PNG, BMP, WebP, a GIF's first frame) as uint8 [H, W, 3]."""
    # TensorFlow's default for JPEG is a faster transform, a grey level away from other decoders'.
    image = tf.cond(
        tf.io.is_jpeg(encoded),
        lambda: tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_image(encoded, channels=3, expand_animations=False),
    )
    image.set_shape((None, None, 3))
    return image


def to_canvas(image: tf.Tensor, size: int) -> tf.Tensor:
    """Shorter side to `size` with a filter, centre crop: uint8 [H, W, 3] -> [size, size, 3]."""
    shape = tf.shape(image)[:2]
    short = tf.reduce_min(shape)
    margin = (shape - short) // 2
    # Cropped first, so that no pixel is resized in vain.
    square = tf.slice(image, [margin[0], margin[1], 0], [short, short, 3])
    resized = tf.image.resize(square, (size, size), antialias=True)
    return tf.cast(tf.round(tf.clip_by_value(resized, 0.0, 255.0)), tf.uint8)


def read_canvas(path: tf.Tensor, size: int) -> tf.Tensor:
    """The canvas of the photograph at a path: string [] -> uint8 [size, size, 3]."""
    return to_canvas(decode(tf.io.read_file(path)), size)
