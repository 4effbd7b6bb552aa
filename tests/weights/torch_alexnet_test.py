"""AlexNets, computed once more in NumPy from the same state dict."""

import re

import numpy as np
import pytest

from asen_tf import backbones
from asen_tf.backbones.imagenet import check_imagenet
from asen_tf.backbones.preprocessing import rescaling
from asen_tf.weights import StateDict, torch_alexnet

# Shapes [O, C, k, k] as the models print them; `groups` see a share of the channels.
OF_2012 = ((96, 3, 11), (256, 48, 5), (384, 256, 3), (384, 192, 3), (256, 192, 3))
OF_TORCHVISION = ((64, 3, 11), (192, 64, 5), (384, 192, 3), (256, 384, 3), (256, 256, 3))
CAFFE = ("conv1", "conv2", "conv3", "conv4", "conv5")
NORMALIZED = tuple(f"features.{n}" for n in (0, 4, 8, 10, 12))
TORCHVISION = tuple(f"features.{n}" for n in (0, 3, 6, 8, 10))
SIZE = 99
IMAGES = np.random.default_rng(1).integers(0, 256, (2, SIZE, SIZE, 3)).astype(np.float32)


def state_dict(names, shapes):
    generator = np.random.default_rng(0)
    tensors = {
        "classifier.1.weight": np.zeros((4, 4), np.float32),
        "fc6.bias": np.zeros(4, np.float32),
    }
    for name, (out, inputs, side) in zip(names, shapes, strict=True):
        scale = (2 / (inputs * side * side)) ** 0.5
        weight = scale * generator.normal(size=(out, inputs, side, side))
        tensors[f"{name}.weight"] = weight.astype(np.float32)
        tensors[f"{name}.bias"] = generator.normal(size=out).astype(np.float32)
    return tensors


def convolve(x, weight, bias, stride=1, pad=0):
    """x [B, h, w, C] by weight [O, C / groups, k, k], then ReLU."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    groups = x.shape[-1] // weight.shape[1]
    found = []
    for part, kernel in zip(np.split(x, groups, -1), np.split(weight, groups), strict=True):
        windows = np.lib.stride_tricks.sliding_window_view(part, weight.shape[2:], (1, 2))
        found.append(np.tensordot(windows[:, ::stride, ::stride], kernel, ((3, 4, 5), (1, 2, 3))))
    return np.maximum(np.concatenate(found, -1) + bias, 0)


def normalize(x):
    """Caffe's: local_size 5, alpha 1e-4, beta 0.75."""
    squares = np.pad(x**2, ((0, 0), (0, 0), (0, 0), (2, 2)))
    sums = sum(squares[..., n : n + x.shape[-1]] for n in range(5))
    return x / (1 + 1e-4 / 5 * sums) ** 0.75


def pool(x):
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))
    return windows[:, ::2, ::2].max((-1, -2))


def features(x, tensors, names, of_2012):
    first, second, *others = [(tensors[f"{n}.weight"], tensors[f"{n}.bias"]) for n in names]
    norm = normalize if of_2012 else lambda x: x
    x = pool(norm(convolve(x, *first, stride=4, pad=0 if of_2012 else 2)))
    x = pool(norm(convolve(x, *second, pad=2)))
    for layer in others:
        x = convolve(x, *layer, pad=1)
    return x


@pytest.mark.parametrize(
    ("backbone", "names", "shapes"),
    [
        ("alexnet", CAFFE, OF_2012),
        ("alexnet", NORMALIZED, OF_2012),
        ("alexnet_torchvision", TORCHVISION, OF_TORCHVISION),
    ],
)
def test_computes_what_the_file_is_of(backbone, names, shapes):
    """Caffe's network of BGR less a mean, the others of RGB as torchvision prepares it."""
    tensors = state_dict(names, shapes)
    network, state = backbones.build(backbone, SIZE), StateDict(tensors, "file")
    for name, arrays in torch_alexnet.take_weights(network, state).items():
        network.get_layer(name).set_weights(arrays)
    ignored = state.ignored(torch_alexnet.behind_the_cut(network))
    assert set(ignored) == {"classifier.1.weight", "fc6.bias"}
    mean, deviation = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    given = (IMAGES / 255 - mean) / deviation
    if names is CAFFE:
        given = IMAGES[..., ::-1] - [104.00698793, 116.66876762, 122.67891434]
    expected = features(given, tensors, names, backbone == "alexnet")
    found = network(rescaling("imagenet")(IMAGES))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_other_networks_are_told_apart():
    assert not torch_alexnet.recognizes(StateDict({"conv1.weight": np.zeros(3)}, "file"))
    network = backbones.build("alexnet", SIZE)
    state = StateDict(state_dict(TORCHVISION, OF_TORCHVISION), "file")
    with pytest.raises(ValueError, match=r"features.0.weight must have shape \[96, 3, 11, 11\]"):
        torch_alexnet.take_weights(network, state)


def test_the_network_of_2012_needs_a_file_that_is_named():
    model = {"backbone": "alexnet", "weights": "imagenet"}
    with pytest.raises(ValueError, match="name it in the key `weights`") as told:
        check_imagenet(model)
    assert not re.search(r"\. |\n", str(told.value))  # one sentence
    check_imagenet(model | {"weights": "random"})
