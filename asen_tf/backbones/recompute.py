"""Training in less memory: feature maps inside blocks are computed again when they are needed."""

from collections.abc import Callable

import keras
import tensorflow as tf

from asen_tf.backbones.fused import BatchNormalization, statistics_stand_still


def check_recomputable(network: keras.Model) -> None:
    """Raises ValueError where a second pass would count statistics twice, or drop other units.

    And of networks that give several maps, which no chain of segments passes on.
    """
    if len(network.outputs) > 1:
        raise ValueError(
            f"{network.name} cannot be recomputed: it gives maps of {len(network.outputs)} levels, "
            "expected one: name one in `levels`"
        )
    for layer in network.layers:
        if layer.non_trainable_variables and not isinstance(layer, BatchNormalization):
            raise ValueError(
                f"{network.name} cannot be recomputed: its layer {layer.name} "
                f"({type(layer).__name__}) changes at each pass; the ResNets and AlexNets of "
                "`asen_tf.backbones.BACKBONES` can"
            )


def segments(network: keras.Model) -> list[keras.Model]:
    """The network as a chain of networks that share its layers.

    It is cut wherever branches begin at the one tensor that goes on, as before each block of a
    ResNet; a network without branches is one segment.
    """
    layers = [layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]
    last_use = {}
    for position, layer in enumerate(layers):
        for tensor in keras.tree.flatten(layer.input):
            last_use[id(tensor)] = position
    cuts, alive, before = [network.input], {id(network.input)}, network.input
    for position, layer in enumerate(layers[:-1]):
        single = len(alive) == 1
        alive = {tensor for tensor in alive | {id(layer.output)} if last_use[tensor] > position}
        if single and len(alive) > 1 and before is not network.input:
            cuts.append(before)
        before = layer.output
    return [
        keras.Model(start, end)
        for start, end in zip(cuts, [*cuts[1:], network.output], strict=True)
    ]


def recomputing(network: keras.Model, training: bool = True) -> Callable[[tf.Tensor], tf.Tensor]:
    """The network while it learns, keeping only what passes from segment to segment.

    Gradients are those of the network; they take another forward pass of all segments but the
    last, whose maps are needed as soon as they exist. Statistics of batches are counted once.

    Args:
      network: one that `check_recomputable` lets pass.
      training: whether its layers run as in training; False: as in inference.

    Returns:
      float [B, size, size, 3] -> [B, h, w, C].
    """
    *chain, last = segments(network)

    def run(images):
        for segment in chain:
            images = tf.recompute_grad(_counting_once(segment, training))(images)
        return last(images, training=training)

    return run


def _counting_once(segment, training):
    counted = False

    def run(inputs):
        nonlocal counted
        if counted:
            with statistics_stand_still():
                return segment(inputs, training=training)
        counted = True
        return segment(inputs, training=training)

    return run
