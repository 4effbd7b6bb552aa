"""A backbone's weights from a file of PyTorch."""

import os
from collections.abc import Mapping

import keras

from asen_tf.weights import torch_alexnet, torch_efficientnet_lite, torch_resnet
from asen_tf.weights.state_dict import StateDict
from asen_tf.weights.torch_file import read

_CONTAINERS = ("state_dict", "model")


def load_backbone(backbone: keras.Model, path: str | os.PathLike) -> None:
    """Gives a backbone the weights of a file.

    Args:
      backbone: a ResNet or EfficientNet-Lite of keras-hub, or an AlexNet of `asen_tf.backbones`,
        cut or whole; as it was, if an error is raised.
      path: of a state dict of torchvision's ResNets, of efficientnet_lite_pytorch or of what
        `torch_alexnet` knows, by itself or as `state_dict` or `model` in a checkpoint.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: what `read` raises; a tensor is missing, has another shape or is not known.
    """
    content = read(path)
    if isinstance(content, Mapping):
        for key in _CONTAINERS:
            if isinstance(content.get(key), Mapping):
                content = content[key]
    state = StateDict(content, str(path))
    kinds = (kind for kind in (torch_efficientnet_lite, torch_alexnet) if kind.recognizes(state))
    naming = next(kinds, torch_resnet)
    weights = naming.take_weights(backbone, state)
    state.ignored(naming.behind_the_cut(backbone))
    for name, arrays in weights.items():
        backbone.get_layer(name).set_weights(arrays)
