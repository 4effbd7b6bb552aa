"""Networks of images and texts, such as CLIP, as backbones: what sees the images."""

import json
import shutil

import keras
import keras_hub
import numpy as np
import pytest

from asen_tf.backbones import FeatureExtractor
from tests import image_text
from tests.trees import assert_one_policy, assert_own_paths

IMAGES = np.random.default_rng(0).integers(0, 256, (2, image_text.SIDE, image_text.SIDE, 3))
IMAGES = IMAGES.astype(np.uint8)
each_kind = pytest.mark.parametrize("kind", image_text.KINDS)


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    root = tmp_path_factory.mktemp("presets")
    return {kind: image_text.preset(kind, root / kind) for kind in image_text.KINDS}


def tokens(kind, preset):
    """What KerasHub's own network makes of the images behind its own preprocessing."""
    converter = keras_hub.layers.ImageConverter.from_preset(preset)
    vision = keras_hub.models.Backbone.from_preset(preset).vision_encoder
    if kind == "clip":
        found = vision({"images": converter(IMAGES)})[:, 1:]  # the first is of the class
    else:
        end = next(layer for layer in vision.layers if layer.name.endswith("post_layer_norm"))
        found = keras.Model(vision.inputs, end.output)([converter(IMAGES)])
    return np.asarray(found)


@each_kind
def test_the_map_has_the_tokens_of_keras_hub(kind, presets, tmp_path):
    layer = FeatureExtractor(presets[kind], image_text.SIDE, weights=presets[kind])
    assert layer.feature_shape == (None, 4, 4, 16)
    expected = tokens(kind, presets[kind]).reshape(2, 4, 4, 16)  # row by row
    np.testing.assert_allclose(layer(IMAGES), expected, rtol=1e-4, atol=1e-4)
    images = keras.Input(IMAGES.shape[1:], dtype="uint8")
    keras.Model(images, layer(images)).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(IMAGES), layer(IMAGES))


@each_kind
def test_the_part_that_sees_images_may_be_given_as_a_model(kind, presets):
    vision = image_text.network(kind).vision_encoder
    preprocessing = {"scale": [1 / 60, 1 / 65, 1 / 70], "offset": [-2.0, -1.9, -1.8]}
    layer = FeatureExtractor(vision, image_text.SIDE, preprocessing=preprocessing)
    expected = tokens(kind, presets[kind]).reshape(2, 4, 4, 16)
    np.testing.assert_allclose(layer(IMAGES), expected, rtol=1e-4, atol=1e-4)


@each_kind
def test_dtype_and_paths(kind, presets):
    layers = [
        FeatureExtractor(presets[kind], image_text.SIDE, dtype="mixed_bfloat16", name=name)
        for name in ("one", "two")
    ]
    assert_one_policy(layers[0], "mixed_bfloat16")
    assert_own_paths(*layers)
    again = FeatureExtractor.from_config(json.loads(json.dumps(layers[0].get_config())))
    assert_one_policy(again, "mixed_bfloat16")


def test_images_of_another_size_need_other_weights(presets):
    assert FeatureExtractor(presets["clip"], 48).feature_shape == (None, 6, 6, 16)
    with pytest.raises(ValueError, match="for images of another size"):
        FeatureExtractor(presets["clip"], 48, weights=presets["clip"])


def test_weights_of_a_network_of_the_other_kind(presets):
    with pytest.raises(ValueError, match="preset .*siglip.*is it another network"):
        FeatureExtractor(presets["clip"], image_text.SIDE, weights=presets["siglip"])


def test_a_preset_without_its_weights(presets, tmp_path):
    folder = shutil.copytree(presets["clip"], tmp_path / "clip")
    (folder / "model.weights.h5").unlink()
    with pytest.raises(ValueError, match="preset .*clip' cannot be read"):
        FeatureExtractor(str(folder), image_text.SIDE, weights=str(folder))


def test_a_name_that_is_nearly_one_of_clip():
    with pytest.raises(ValueError, match="Did you mean 'clip_vit_base_patch32'"):
        FeatureExtractor("clip_vit_bas_patch32", image_text.SIDE)
