"""torchvision's ResNets, computed once more in NumPy from the same state dict."""

import numpy as np
import pytest

from asen_tf import backbones
from asen_tf.weights import StateDict, torch_resnet

BLOCKS = {"resnet18": (2, 2, 2), "resnet34": (3, 4, 6), "resnet50": (3, 4, 6)}
IMAGES = np.random.default_rng(1).normal(size=(2, 33, 33, 3)).astype(np.float32)


def state_dict(name, last_stage=False, classifier=False, seed=0):
    """Random tensors with torchvision's names and shapes."""
    generator = np.random.default_rng(seed)
    tensors = {}

    def conv(name, out, inputs, side):
        scale = (2 / (inputs * side * side)) ** 0.5
        tensors[f"{name}.weight"] = scale * generator.normal(size=(out, inputs, side, side))

    def norm(name, channels):
        for key in ("weight", "running_var"):
            tensors[f"{name}.{key}"] = generator.uniform(0.5, 1.5, channels)
        for key in ("bias", "running_mean"):
            tensors[f"{name}.{key}"] = generator.normal(size=channels)
        tensors[f"{name}.num_batches_tracked"] = np.array(7)

    wide = 4 if name == "resnet50" else 1
    conv("conv1", 64, 3, 7)
    norm("bn1", 64)
    inputs = 64
    for stage, blocks in enumerate((*BLOCKS[name], 1)[: 3 + last_stage], 1):
        channels = 32 * 2**stage
        for block in range(blocks):
            at = f"layer{stage}.{block}"
            sides = (1, 3, 1) if wide > 1 else (3, 3)
            of = inputs
            for n, side in enumerate(sides, 1):
                out = channels * (wide if n == len(sides) else 1)
                conv(f"{at}.conv{n}", out, of, side)
                norm(f"{at}.bn{n}", out)
                of = out
            if block == 0 and (stage > 1 or wide > 1):
                conv(f"{at}.downsample.0", out, inputs, 1)
                norm(f"{at}.downsample.1", out)
            inputs = out
    if classifier:
        tensors |= {"fc.weight": np.zeros((1000, inputs)), "fc.bias": np.zeros(1000)}
    return {
        key: value.astype(np.float32) if value.ndim else value for key, value in tensors.items()
    }


def convolve(x, weight, stride=1):
    """x [B, h, w, C], weight [O, C, k, k], zero padding of k // 2."""
    side = weight.shape[-1]
    pad = side // 2
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), (1, 2))
    return np.tensordot(windows[:, ::stride, ::stride], weight, ((3, 4, 5), (1, 2, 3)))


def features(tensors, name):
    """Forward pass of torchvision's ResNet, up to its third stage."""

    def norm(x, at):
        scale = tensors[f"{at}.weight"] / np.sqrt(tensors[f"{at}.running_var"] + 1e-5)
        return (x - tensors[f"{at}.running_mean"]) * scale + tensors[f"{at}.bias"]

    def block(x, at, stride):
        count = 3 if f"{at}.conv3.weight" in tensors else 2
        strided = 2 if count == 3 else 1  # on the 3x3 convolution of a bottleneck
        y = x
        for n in range(1, count + 1):
            y = convolve(y, tensors[f"{at}.conv{n}.weight"], stride if n == strided else 1)
            y = norm(y, f"{at}.bn{n}")
            y = np.maximum(y, 0) if n < count else y
        if f"{at}.downsample.0.weight" in tensors:
            x = convolve(x, tensors[f"{at}.downsample.0.weight"], stride)
            x = norm(x, f"{at}.downsample.1")
        return np.maximum(x + y, 0)

    x = np.maximum(norm(convolve(IMAGES, tensors["conv1.weight"], 2), "bn1"), 0)
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    x = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))[:, ::2, ::2].max((-1, -2))
    for stage, blocks in enumerate(BLOCKS[name], 1):
        for n in range(blocks):
            x = block(x, f"layer{stage}.{n}", 2 if stage > 1 and n == 0 else 1)
    return x


@pytest.mark.parametrize("name", BLOCKS)
def test_features(name, save_torch, tmp_path):
    tensors = state_dict(name)
    save_torch(tensors, tmp_path / f"{name}.pth")
    network = backbones.build(name, 33)
    backbones.load_weights(network, str(tmp_path / f"{name}.pth"))
    expected = features(tensors, name)
    error = np.abs(network(IMAGES) - expected).max() / np.abs(expected).max()
    assert error < 2e-5


@pytest.mark.parametrize("name", BLOCKS)
def test_structure(name):
    state = StateDict(state_dict(name), "a.pth")
    blocks, bottleneck = torch_resnet.structure(state)
    assert backbones.resnet_name(blocks, bottleneck) == name


def test_an_unknown_structure():
    with pytest.raises(ValueError, match=r"stages of \(3, 4, 23\)"):
        backbones.resnet_name((3, 4, 23), True)


def test_a_whole_network(save_torch, tmp_path):
    """What lies behind the cut, and a wrapper's prefix, change nothing."""
    tensors = state_dict("resnet18", last_stage=True, classifier=True)
    wrapped = {f"module.{name}": tensor for name, tensor in tensors.items()}
    save_torch({"state_dict": wrapped, "epoch": 90}, tmp_path / "a.tar")
    network = backbones.build("resnet18", 33)
    backbones.load_weights(network, str(tmp_path / "a.tar"))
    expected = features(tensors, "resnet18")
    assert np.abs(network(IMAGES) - expected).max() / np.abs(expected).max() < 2e-5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layer2.0.bn1.running_var": None}, r"a\.pth: the tensor layer2\.0\.bn1\.running_var is"),
        (
            {"layer3.1.conv2.weight": np.zeros((256, 128, 3, 3), np.float32)},
            r"layer3\.1\.conv2\.weight must have shape \[256, 256, 3, 3\], got \[256, 128, 3, 3\]",
        ),
        ({"layer1.0.se.fc.weight": np.zeros(3, np.float32)}, r"unknown purpose: layer1\.0\.se\.fc"),
        ({"bn1.bias": np.full(64, np.nan, np.float32)}, r"bn1\.bias has numbers that are NaN"),
    ],
)
def test_other_tensors(change, message, save_torch, tmp_path):
    tensors = {**state_dict("resnet18"), **change}
    save_torch({n: t for n, t in tensors.items() if t is not None}, tmp_path / "a.pth")
    network = backbones.build("resnet18", 33)
    before = network(IMAGES).numpy()
    with pytest.raises(ValueError, match=message):
        backbones.load_weights(network, str(tmp_path / "a.pth"))
    np.testing.assert_array_equal(network(IMAGES), before)


def test_another_network(save_torch, tmp_path):
    save_torch(state_dict("resnet34"), tmp_path / "a.pth")
    with pytest.raises(ValueError, match=r"unknown purpose: layer1\.2\.conv1\.weight"):
        backbones.load_weights(backbones.build("resnet18", 33), str(tmp_path / "a.pth"))


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        backbones.load_weights(backbones.build("resnet18", 33), str(tmp_path / "none.pth"))


def test_things_that_are_no_tensors():
    with pytest.raises(ValueError, match="'lr' is no tensor but float"):
        StateDict({"lr": 0.1}, "a.pth")
    with pytest.raises(ValueError, match="expected tensors by name, got list"):
        StateDict([], "a.pth")
