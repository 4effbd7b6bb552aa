"""A pretrained network, as keras-hub keeps them."""

import keras_hub
import pytest


@pytest.fixture
def pretrained(tmp_path):
    """keras-hub's ResNet of the blocks of `resnet10`, and the folder of its preset."""
    network = keras_hub.models.ResNetBackbone(
        [64],
        [7],
        [64, 128, 256],
        [1, 1, 1],
        [1, 2, 2],
        "basic_block",
        image_shape=(32, 32, 3),
    )
    network.save_to_preset(str(tmp_path / "preset"))
    return network, str(tmp_path / "preset")
