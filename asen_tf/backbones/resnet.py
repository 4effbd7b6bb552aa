"""ResNets (He et al., CVPR 2016) as torchvision has them, without their last stages."""

import functools

import keras

# name -> (channels, blocks and strides of the stages that are left, block). The stem has stride 4.
_STAGES = {
    "resnet6": ((64, 128), (1, 1), (1, 2), "basic_block"),
    "resnet10": ((64, 128, 256), (1, 1, 1), (1, 2, 2), "basic_block"),
    "resnet18": ((64, 128, 256), (2, 2, 2), (1, 2, 2), "basic_block"),
    "resnet34": ((64, 128, 256), (3, 4, 6), (1, 2, 2), "basic_block"),
    "resnet50": ((64, 128, 256), (3, 4, 6), (1, 2, 2), "bottleneck_block"),
}


def build(name: str, size: int) -> keras.Model:
    """A ResNet that ends after its third stage; "resnet6" has two.

    A model from float [B, size, size, 3] to [B, h, w, C]; h = w = size / 16 rounded up, or size / 8
    with "resnet6".
    """
    import keras_hub  # takes seconds to import

    channels, blocks, strides, block = _STAGES[name]
    stages = list(channels), list(blocks), list(strides), block
    return keras_hub.models.ResNetBackbone([64], [7], *stages, image_shape=(size, size, 3))


resnet6, resnet10, resnet18, resnet34, resnet50 = (functools.partial(build, at) for at in _STAGES)


def resnet_name(blocks: tuple[int, ...], bottleneck: bool) -> str:
    """The backbone whose stages have so many blocks, of this kind; raises ValueError if none."""
    kind = "bottleneck_block" if bottleneck else "basic_block"
    for name, (_, its_blocks, _, its_kind) in _STAGES.items():
        if (its_blocks, its_kind) == (blocks, kind):
            return name
    raise ValueError(f"no ResNet of {tuple(_STAGES)} has stages of {blocks} times a {kind}")
