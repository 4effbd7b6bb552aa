"""ResNets as torchvision has them, AlexNet, and other keras-hub families, cut short."""

from pathlib import Path

import keras

from asen_tf.backbones import alexnet
from asen_tf.backbones.fused import fuse
from asen_tf.core.errors import unknown_name
from asen_tf.weights import SUFFIXES, torch_resnet

# name -> (channels, blocks and strides of the stages that are left, block). The stem has stride 4.
_RESNETS = {
    "resnet6": ((64, 128), (1, 1), (1, 2), "basic_block"),
    "resnet10": ((64, 128, 256), (1, 1, 1), (1, 2, 2), "basic_block"),
    "resnet18": ((64, 128, 256), (2, 2, 2), (1, 2, 2), "basic_block"),
    "resnet34": ((64, 128, 256), (3, 4, 6), (1, 2, 2), "basic_block"),
    "resnet50": ((64, 128, 256), (3, 4, 6), (1, 2, 2), "bottleneck_block"),
}
NAMES = (*_RESNETS, "alexnet")


def build(name: str, size: int) -> keras.Model:
    """A functional model from normalised images to its last stage's feature map.

    Args:
      name: one of `NAMES`, or a keras-hub preset (its name, or a local folder as
        "./my_preset") whose architecture is taken, without its weights.
      size: side of the square input in pixels.

    Returns:
      Model from float [B, size, size, 3] to [B, h, w, C]; h = w = size / 16 rounded up, or
      size / 8 with "resnet6", which has two stages and sees less around each position. ResNets
      and other families end after their third stage, "alexnet" before its last pooling.
    """
    if name == "alexnet":
        return alexnet.build(size)
    import keras_hub  # takes seconds to import, and only those who build a backbone need it

    if name in _RESNETS:
        channels, blocks, strides, block = _RESNETS[name]
        return fuse(
            keras_hub.models.ResNetBackbone(
                [64],
                [7],
                list(channels),
                list(blocks),
                list(strides),
                block,
                image_shape=(size, size, 3),
            )
        )
    return _cut(_preset(name, load_weights=False, image_shape=(size, size, 3)))


def resnet_name(blocks: tuple[int, ...], bottleneck: bool) -> str:
    """The backbone whose stages have so many blocks, of this kind; raises ValueError if none."""
    kind = "bottleneck_block" if bottleneck else "basic_block"
    for name, (_, its_blocks, _, its_kind) in _RESNETS.items():
        if (its_blocks, its_kind) == (blocks, kind):
            return name
    raise ValueError(f"no ResNet of {tuple(_RESNETS)} has stages of {blocks} times a {kind}")


def load_weights(backbone: keras.Model, source: str) -> None:
    """Copies weights into a backbone that `build` made, layer by layer.

    Args:
      backbone: its layers are matched with the source's by name.
      source: the state dict of torchvision's ResNet in a file .pth, .pt or .tar of PyTorch, or a
        keras-hub preset: its name (downloaded by keras-hub) or a local folder.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: a layer that one of the two lacks, or has in another shape; the backbone is then
        as it was.
    """
    if Path(source).suffix in SUFFIXES:
        state = torch_resnet.read_state_dict(source)
        weights = torch_resnet.take_weights(backbone, state)
        state.ignored(torch_resnet.behind_the_cut(backbone))
        torch_resnet.set_weights(backbone, weights)
    else:
        _load_preset(backbone, source)


def _load_preset(backbone, preset):
    source = _layers_with_weights(_cut(_preset(preset, load_weights=True)))
    target = _layers_with_weights(backbone)
    for name, layer in target.items():
        if name not in source:
            raise ValueError(f"preset {preset!r}: no weights for layer {name} of {backbone.name}")
        expected, received = [[w.shape for w in at.weights] for at in (layer, source[name])]
        if expected != received:
            raise ValueError(
                f"preset {preset!r}: layer {name} needs weights of shapes {expected}, "
                f"the preset has {received}: is it another network than {backbone.name}?"
            )
    more = [name for name in source if name not in target]
    if more:
        raise ValueError(
            f"preset {preset!r} has a layer {more[0]}, which {backbone.name} lacks: "
            "is it another network?"
        )
    for name, layer in target.items():
        layer.set_weights(source[name].get_weights())


def _layers_with_weights(network: keras.Model) -> dict[str, keras.layers.Layer]:
    return {layer.name: layer for layer in network.layers if layer.weights}


def _preset(name: str, **kwargs) -> keras.Model:
    import keras_hub

    try:
        return keras_hub.models.Backbone.from_preset(name, **kwargs)
    except (ValueError, FileNotFoundError) as error:
        known = [*NAMES, *keras_hub.models.ResNetBackbone.presets]
        raise ValueError(f"{unknown_name('backbone or preset', name, known)} ({error})") from error


def _cut(backbone: keras.Model) -> keras.Model:
    outputs = getattr(backbone, "pyramid_outputs", {})
    if "P4" not in outputs:
        raise ValueError(
            f"{type(backbone).__name__} offers the levels {sorted(outputs)}; a backbone needs P4, "
            "the feature map of stride 16"
        )
    return keras.Model(backbone.input, outputs["P4"], name=backbone.name)
