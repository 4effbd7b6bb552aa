"""ResNets with torchvision's names, as keras-hub's ResNets, which are the same network."""

import re

import keras
import numpy as np

from asen_tf.weights.state_dict import COUNTERS, Reasons, StateDict

_BLOCK = re.compile(r"stack(?P<stage>\d+)_block(?P<block>\d+)_(?P<place>\d)_(?P<kind>conv|bn)")
_STEM = {"conv1_conv": "conv1", "conv1_bn": "bn1"}


def structure(state: StateDict, prefix: str = "") -> tuple[tuple[int, ...], bool]:
    """How many blocks each of the first three stages has, and whether they are bottlenecks."""
    names = [name.removeprefix(prefix) for name in state.names if name.startswith(prefix)]
    blocks = (
        {match[1] for name in names if (match := re.match(rf"layer{stage}\.(\d+)\.", name))}
        for stage in (1, 2, 3)
    )
    counts = tuple(len(found) for found in blocks if found)
    return counts, any(re.match(r"layer1\.0\.conv3\.", name) for name in names)


def take_weights(
    backbone: keras.Model, state: StateDict, prefix: str = ""
) -> dict[str, list[np.ndarray]]:
    """The weights of a backbone, by the name of its layers, for their `set_weights`.

    Args:
      backbone: a ResNet of keras-hub, cut or whole.
      state: with torchvision's names.
      prefix: what stands before them.

    Raises:
      ValueError: a layer that torchvision's ResNets do not have, or a tensor that is missing or
        has another shape.
    """
    return {
        layer.name: state.take_layer(layer, prefix + _torch_name(layer.name, state.source))
        for layer in backbone.layers
        if layer.weights
    }


def behind_the_cut(backbone: keras.Model, prefix: str = "") -> Reasons:
    """Which tensors of a whole ResNet the backbone does without, and why."""
    stages = {int(m["stage"]) + 1 for at in backbone.layers if (m := _BLOCK.fullmatch(at.name))}
    later = "|".join(str(stage) for stage in range(1, 5) if stage not in stages)
    start = re.escape(prefix)
    return {
        **COUNTERS,
        rf"{start}layer({later})\..+": "behind the cut: the backbone ends before this stage",
        rf"{start}fc\..+": "behind the cut: the classifier of ImageNet",
    }


def _torch_name(name: str, source: str) -> str:
    if name in _STEM:
        return _STEM[name]
    match = _BLOCK.fullmatch(name)
    if not match:
        raise ValueError(f"{source}: torchvision's ResNets have no layer like {name}")
    block = f"layer{int(match['stage']) + 1}.{match['block']}"
    if match["place"] == "0":  # the shortcut
        return f"{block}.downsample.{0 if match['kind'] == 'conv' else 1}"
    return f"{block}.{match['kind']}{match['place']}"
