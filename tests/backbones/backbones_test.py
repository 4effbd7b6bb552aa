import socket

import keras
import keras_hub
import numpy as np
import pytest

from asen_tf import backbones

# torchvision's trainable parameters, less the last stage and the classifier, from their shapes:
# a 3x3 convolution a * b * 9, a 1x1 convolution a * b, batch normalisation 2 a channel.
BASIC_STAGE_4_FIRST = 256 * 512 * 9 + 512 * 512 * 9 + 256 * 512 + 3 * 2 * 512
BASIC_STAGE_4_OTHER = 2 * 512 * 512 * 9 + 2 * 2 * 512
BOTTLENECK_STAGE_4_FIRST = (
    1024 * 512 + 512 * 512 * 9 + 512 * 2048 + 1024 * 2048 + 2 * (512 + 512 + 2048 + 2048)
)
BOTTLENECK_STAGE_4_OTHER = 2048 * 512 + 512 * 512 * 9 + 512 * 2048 + 2 * (512 + 512 + 2048)
PARAMETERS = {
    "resnet18": 11_689_512 - 513_000 - BASIC_STAGE_4_FIRST - BASIC_STAGE_4_OTHER,
    "resnet34": 21_797_672 - 513_000 - BASIC_STAGE_4_FIRST - 2 * BASIC_STAGE_4_OTHER,
    "resnet50": 25_557_032 - 2_049_000 - BOTTLENECK_STAGE_4_FIRST - 2 * BOTTLENECK_STAGE_4_OTHER,
}


def four_stages(filters=(64, 128, 256, 512), blocks=(1, 1, 1, 1)):
    """A network as keras-hub's presets have it, with the stage that ours leave out."""
    return keras_hub.models.ResNetBackbone(
        [64], [7], list(filters), list(blocks), [1, 2, 2, 2], "basic_block", image_shape=(32, 32, 3)
    )


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """A local preset of four stages, and its features of `IMAGES` after the third."""
    keras.utils.set_random_seed(1)
    network = four_stages()
    folder = str(tmp_path_factory.mktemp("presets") / "four_stages")
    network.save_to_preset(folder)
    return folder, keras.Model(network.input, network.pyramid_outputs["P4"])(IMAGES).numpy()


IMAGES = np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype(np.float32)


@pytest.mark.parametrize(("size", "side"), [(64, 4), (33, 3)])
@pytest.mark.parametrize("name", ["resnet10", "resnet18", "resnet34", "resnet50"])
def test_stride_16(name, size, side):
    channels = 1024 if name == "resnet50" else 256
    assert backbones.build(name, size).output.shape == (None, side, side, channels)


def test_alexnet_has_the_sizes_of_its_paper():
    """Kernels and biases of its five convolutions, of which three see half of the channels."""
    kernels = 3 * 11**2 * 96 + 48 * 5**2 * 256 + 3**2 * (256 * 384 + 192 * 384 + 192 * 256)
    biases = 96 + 256 + 384 + 384 + 256
    network = backbones.build("alexnet", 227)
    assert network.count_params() == kernels + biases
    assert network.output.shape == (None, 13, 13, 256)


@pytest.mark.parametrize(("size", "side"), [(64, 8), (33, 5)])
def test_stride_8(size, side):
    assert backbones.build("resnet6", size).output.shape == (None, side, side, 128)


@pytest.mark.parametrize("size", [32, 47])
def test_features_of_a_batch(size):
    images = np.random.default_rng(0).normal(size=(3, size, size, 3)).astype(np.float32)
    features = backbones.build("resnet10", size)(images)
    assert features.shape == (3, -(-size // 16), -(-size // 16), 256)
    assert np.isfinite(features).all() and np.std(features, axis=0).max() > 0


@pytest.mark.parametrize("name", PARAMETERS)
def test_as_many_parameters_as_torchvision(name):
    weights = backbones.build(name, 32).trainable_weights
    assert sum(int(np.prod(w.shape)) for w in weights) == PARAMETERS[name]


def test_batch_normalisation_as_torchvision():
    network = backbones.build("resnet18", 32)
    epsilons = {
        layer.epsilon
        for layer in network.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    }
    assert epsilons == {1e-5}


def test_weights_of_a_local_preset(preset):
    folder, expected = preset
    network = backbones.build("resnet10", 32)
    assert np.abs(network(IMAGES) - expected).max() > 0.01
    backbones.load_weights(network, folder)
    np.testing.assert_allclose(network(IMAGES), expected, atol=1e-6)


def test_weights_do_not_depend_on_the_image_size(preset):
    network = backbones.build("resnet10", 48)
    backbones.load_weights(network, preset[0])
    assert network.output.shape == (None, 3, 3, 256)


def test_architecture_of_a_local_preset(preset):
    folder, expected = preset
    network = backbones.build(folder, 32)
    assert network.output.shape == (None, 2, 2, 256)
    assert np.abs(network(IMAGES) - expected).max() > 0.01
    backbones.load_weights(network, folder)
    np.testing.assert_allclose(network(IMAGES), expected, atol=1e-6)


def test_a_preset_with_too_few_layers(preset):
    with pytest.raises(ValueError, match=r"no weights for layer stack0_block1_1_conv"):
        backbones.load_weights(backbones.build("resnet18", 32), preset[0])


def test_a_preset_with_too_many_layers(tmp_path):
    four_stages(blocks=(1, 1, 2, 1)).save_to_preset(str(tmp_path / "deeper"))
    network = backbones.build("resnet10", 32)
    before = network(IMAGES).numpy()
    with pytest.raises(ValueError, match=r"deeper.*stack2_block1_1_conv"):
        backbones.load_weights(network, str(tmp_path / "deeper"))
    np.testing.assert_array_equal(network(IMAGES), before)


def test_a_preset_with_other_shapes(tmp_path):
    four_stages(filters=(64, 128, 192, 512)).save_to_preset(str(tmp_path / "narrower"))
    network = backbones.build("resnet10", 32)
    before = network(IMAGES).numpy()
    with pytest.raises(ValueError, match=r"stack2_block0_\d_conv needs weights of shapes"):
        backbones.load_weights(network, str(tmp_path / "narrower"))
    np.testing.assert_array_equal(network(IMAGES), before)


@pytest.mark.parametrize(
    ("name", "nearest"), [("resnet51", "resnet50"), ("resnet_18_imagnet", "resnet_18_imagenet")]
)
def test_unknown_names_are_refused_without_network(name, nearest, monkeypatch):
    def refuse(*_):
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(ValueError, match=f"Did you mean '{nearest}'"):
        backbones.build(name, 32)
    with pytest.raises(ValueError, match=f"Did you mean '{nearest}'"):
        backbones.load_weights(backbones.build("resnet10", 32), name)


def test_a_folder_that_is_no_preset(tmp_path):
    with pytest.raises(ValueError, match="preset .* cannot be read: "):
        backbones.build(str(tmp_path), 32)


def test_a_network_without_a_map_of_stride_16(tmp_path):
    network = keras_hub.models.ResNetBackbone(
        [64], [7], [64, 64], [1, 1], [1, 2], "basic_block", image_shape=(32, 32, 3)
    )
    network.save_to_preset(str(tmp_path / "shallow"))
    assert backbones.build(str(tmp_path / "shallow"), 32).output.shape == (None, 4, 4, 64)
