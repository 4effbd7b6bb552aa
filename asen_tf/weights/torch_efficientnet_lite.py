"""EfficientNet-Lite with the names of efficientnet_lite_pytorch, as keras-hub's EfficientNet."""

import itertools
import re

import keras
import numpy as np

from asen_tf.weights.state_dict import COUNTERS, Reasons, StateDict

_BLOCK = re.compile(r"block(?P<block>\d+[a-z])_(?P<part>[a-z_]+)")
_STEM = {"stem_conv": "_conv_stem", "stem_bn": "_bn0"}
_PARTS = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "dwconv": "_depthwise_conv",
    "dwconv_bn": "_bn1",
    "project": "_project_conv",
    "project_bn": "_bn2",
}


def recognizes(state: StateDict) -> bool:
    """Whether these are the tensors of such a network."""
    return "_conv_stem.weight" in state


def take_weights(backbone: keras.Model, state: StateDict) -> dict[str, list[np.ndarray]]:
    """The weights of a backbone, by the name of its layers, for their `set_weights`.

    Args:
      backbone: an EfficientNet-Lite of keras-hub, cut or whole blocks of it.
      state: see `recognizes`.

    Raises:
      ValueError: a layer that these networks do not have, or a tensor that is missing or has
        another shape.
    """
    numbers = _block_numbers(backbone)
    return {
        layer.name: state.take_layer(layer, _torch_name(layer.name, numbers, state.source))
        for layer in backbone.layers
        if layer.weights
    }


def behind_the_cut(backbone: keras.Model) -> Reasons:
    """Which tensors of a whole network the backbone does without, and why."""
    blocks = "|".join(map(str, _block_numbers(backbone).values())) or "none"
    return {
        **COUNTERS,
        rf"_blocks\.(?!({blocks})\.).+": "behind the cut: the backbone ends before this block",
        r"(_conv_head|_bn1|_fc)\..+": "behind the cut: the classifier of ImageNet",
    }


def _block_numbers(backbone):
    """Keras names blocks by stage and letter, PyTorch numbers them through."""
    found = [m["block"] for layer in backbone.layers if (m := _BLOCK.fullmatch(layer.name))]
    return dict(zip(dict.fromkeys(found), itertools.count()))


def _torch_name(name, numbers, source):
    if name in _STEM:
        return _STEM[name]
    match = _BLOCK.fullmatch(name)
    if not match or match["part"] not in _PARTS:
        raise ValueError(f"{source}: EfficientNet-Lite has no layer like {name}")
    return f"_blocks.{numbers[match['block']]}.{_PARTS[match['part']]}"
