"""AlexNets from state dicts of PyTorch: torchvision's, and the network of 2012."""

import keras
import numpy as np

from asen_tf.weights.state_dict import Reasons, StateDict

# How the five convolutions are called: as in Caffe; in a PyTorch network with the normalisation
# layers of 2012; in torchvision's, without them.
_CAFFE = tuple(f"conv{place}" for place in range(1, 6))
_NORMALIZED = tuple(f"features.{place}" for place in (0, 4, 8, 10, 12))
_TORCHVISION = tuple(f"features.{place}" for place in (0, 3, 6, 8, 10))
_NAMINGS = (_CAFFE, _NORMALIZED, _TORCHVISION)

# Caffe's input is BGR in levels of 255 less the mean of its ImageNet; ours RGB, less the mean and
# divided by the deviation of torchvision's.
_CAFFE_MEAN = np.array([122.67891434, 116.66876762, 104.00698793])  # RGB
_MEAN, _DEVIATION = (255 * np.array(of) for of in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def recognizes(state: StateDict) -> bool:
    """Whether these are the tensors of such a network: five convolutions under known names."""
    return _naming(state) is not None


def take_weights(backbone: keras.Model, state: StateDict) -> dict[str, list[np.ndarray]]:
    """The weights of a backbone, by the name of its layers, for their `set_weights`.

    A state dict with Caffe's names is taken to be of a network for Caffe's input: its first
    convolution is changed so that it computes the same of ours.

    Args:
      backbone: `alexnet` or `alexnet_torchvision` of `asen_tf.backbones`, cut or whole.
      state: see `recognizes`.

    Raises:
      ValueError: a layer that these networks do not have, or a tensor that is missing or has
        another shape.
    """
    names = dict(zip(_CAFFE, _naming(state), strict=True))
    layers = [layer for layer in backbone.layers if layer.weights]
    for layer in layers:
        if layer.name not in names:
            raise ValueError(f"{state.source}: AlexNet has no layer like {layer.name}")
    found = {layer.name: state.take_layer(layer, names[layer.name]) for layer in layers}
    if _naming(state) is _CAFFE and "conv1" in found:
        found["conv1"] = _of_our_input(*found["conv1"])
    return found


def behind_the_cut(backbone: keras.Model) -> Reasons:
    """Which tensors of a whole AlexNet the backbone does without, and why."""
    why = "behind the cut: the backbone ends before this layer"
    return {r"(classifier\.|fc[678]|features\.|conv[1-5]).*": why}


def _naming(state):
    found = (names for names in _NAMINGS if all(f"{name}.weight" in state for name in names))
    return next(found, None)


def _of_our_input(kernel, bias):
    """[h, w, BGR, C] and [C] for Caffe's input -> [h, w, RGB, C] and [C] for ours."""
    kernel = kernel[:, :, ::-1].astype(np.float64)
    shift = np.einsum("hwcn,c->n", kernel, _MEAN - _CAFFE_MEAN)
    scaled = kernel * _DEVIATION[:, None]
    return [scaled.astype(np.float32), (bias + shift).astype(np.float32)]
