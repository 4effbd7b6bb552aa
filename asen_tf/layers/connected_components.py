"""Connected components of masks, inside the graph."""

import tensorflow as tf


def largest_component(masks):
    """The largest connected component of each mask; cells that touch at a corner are connected.

    Of components of one size, the one whose last cell comes first, row by row.

    Args:
      masks: bool [P, h, w], with h * w < 2^24.

    Returns:
      bool [P, h, w]; nothing where nothing is set.
    """
    shape = tf.shape(masks)
    count, cells = shape[0], shape[1] * shape[2]
    labels = tf.reshape(component_labels(masks), (count, cells))
    inside = tf.reshape(masks, (count, cells))
    # Labels of one mask are numbers of its cells; they become distinct over all masks.
    flat = tf.reshape(labels + cells * tf.range(count)[:, None], [-1])
    sizes = tf.math.unsorted_segment_sum(
        tf.cast(tf.reshape(inside, [-1]), tf.int32), flat, count * cells
    )
    largest = tf.argmax(tf.reshape(sizes, (count, cells)), axis=1, output_type=tf.int32)
    return tf.reshape((labels == largest[:, None]) & inside, shape)


def component_labels(masks):
    """The number of the last cell of each cell's component, row by row.

    Every cell starts as a component of its own. In each round every component joins the one of
    the largest label that touches it, and chains of such joins are followed to their end, so that
    a few rounds do, however long a component is.

    Args:
      masks: bool [P, h, w], with h * w < 2^24.

    Returns:
      int32 [P, h, w], numbers 0 to h * w - 1; cells that are not set have their own.
    """
    shape = tf.shape(masks)
    count, height, width = shape[0], shape[1], shape[2]
    cells = height * width
    first = cells * tf.range(count)[:, None]
    own = tf.range(count * cells)
    inside = tf.reshape(masks, [-1])

    def touching(labels):
        """The largest label at a cell or beside it, of those in the mask."""
        # As float, which every device pools; numbers of one mask's cells are exact in it.
        numbers = tf.reshape(labels, (count, cells)) - first
        numbers = tf.where(masks, tf.reshape(numbers, shape), -1)
        numbers = tf.nn.max_pool2d(tf.cast(numbers, tf.float32)[..., None], 3, 1, "SAME")
        found = tf.reshape(tf.cast(numbers, tf.int32), (count, cells)) + first
        return tf.where(inside, tf.reshape(found, [-1]), own)

    def spread(labels, _):
        joined = tf.math.unsorted_segment_max(touching(labels), labels, count * cells)
        # Numbers that are no label get the least integer.
        found = tf.gather(_ends(tf.maximum(joined, own)), labels)
        return found, tf.reduce_any(found != labels)

    labels, _ = tf.while_loop(lambda _, moved: moved, spread, (own, tf.constant(True)))
    return tf.reshape(tf.reshape(labels, (count, cells)) - first, shape)


def _ends(following):
    """The end of the chain that begins at each number: int32 [n] -> [n]."""

    def jump(ends, _):
        further = tf.gather(ends, ends)
        return further, tf.reduce_any(further != ends)

    return tf.while_loop(lambda _, moved: moved, jump, (following, tf.constant(True)))[0]
