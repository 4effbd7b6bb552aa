"""Backbones of four families, by name, as models and as presets, inside a feature extractor."""

import copy
import functools
import json
import os
import subprocess
import sys

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.backbones import BACKBONES, FeatureExtractor
from tests import programs
from tests.trees import assert_one_policy, assert_own_paths

SIZE = 32
IMAGES = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3)).astype(np.uint8)


def resnet():
    return keras_hub.models.ResNetBackbone(
        [64], [7], [64, 8, 16], [1, 1, 1], [1, 2, 2], "basic_block", name="tiny_resnet"
    )


def efficientnet():
    return keras_hub.models.EfficientNetBackbone(
        stackwise_width_coefficients=[0.25] * 7,
        stackwise_depth_coefficients=[0.25] * 7,
        stackwise_kernel_sizes=[3, 3, 5, 3, 5, 5, 3],
        stackwise_num_repeats=[1, 1, 1, 1, 1, 1, 1],
        stackwise_input_filters=[32, 16, 24, 40, 80, 112, 192],
        stackwise_output_filters=[16, 24, 40, 80, 112, 192, 320],
        stackwise_expansion_ratios=[1, 6, 6, 6, 6, 6, 6],
        stackwise_strides=[1, 2, 2, 2, 1, 2, 1],
        stackwise_block_types=["v1"] * 7,
        stackwise_squeeze_and_excite_ratios=[0.25] * 7,
        min_depth=8,
        include_stem_padding=True,
        name="tiny_efficientnet",
    )


def mobilenet():
    return keras.applications.MobileNetV3Small(
        (None, None, 3), alpha=0.35, weights=None, include_top=False, name="tiny_mobilenet"
    )


def vit():
    return keras_hub.models.ViTBackbone((SIZE, SIZE, 3), 8, 2, 2, 16, 32, name="tiny_vit")


class Patches(keras.Model):
    """A model of one's own, which is no graph of layers."""

    def __init__(self, channels, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        self.convolution = keras.layers.Conv2D(channels, 8, 8, "same")

    def call(self, images):
        return self.convolution(images)

    def get_config(self):
        return {**super().get_config(), "channels": self.channels}


# The network, and the shape of its feature map.
MODELS = {
    "resnet": (resnet, (2, 2, 16)),  # level P4
    "efficientnet": (efficientnet, (2, 2, 32)),  # level P4
    "mobilenet": (mobilenet, (1, 1, 192)),
    "vit": (vit, (4, 4, 16)),
}
each_model = pytest.mark.parametrize("name", MODELS)


@functools.cache
def build(name):
    keras.utils.set_random_seed(1)
    return MODELS[name][0]()


@pytest.fixture
def network(name):
    return build(name)


def features(layer):
    return np.asarray(keras.ops.cast(layer(IMAGES), "float32"))


@each_model
def test_a_model_keeps_its_weights_and_learns(name, network):
    layer = FeatureExtractor(network, SIZE)
    shape = MODELS[name][1]
    assert layer.feature_shape == (None, *shape)
    whole = keras.Model(
        network.input, getattr(network, "pyramid_outputs", {}).get("P4", network.output)
    )
    expected = np.asarray(whole(IMAGES.astype(np.float32)))
    if name == "vit":
        expected = expected[:, 1:].reshape(2, *shape)
    np.testing.assert_allclose(features(layer), expected, rtol=1e-4, atol=1e-4)
    with tf.GradientTape() as tape:
        # A sum would not do: normalisation keeps it as it is.
        loss = tf.reduce_sum(layer(IMAGES, training=True) ** 3)
    gradients = tape.gradient(loss, [v.value for v in layer.trainable_variables])
    assert len(gradients) > 4 and all(g is not None for g in gradients)
    assert np.abs(gradients[0]).max() > 0


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        *((name, "mixed_bfloat16") for name in MODELS),
        *(("resnet", policy) for policy in ("bfloat16", "mixed_float16")),
        *(("vit", policy) for policy in ("bfloat16", "mixed_float16")),
    ],
)
def test_dtype_and_paths(name, network, policy):
    one, two = (FeatureExtractor(network, SIZE, dtype=policy, name=name) for name in ("one", "two"))
    assert_one_policy(one, policy)
    assert_own_paths(one, two)
    assert all(variable.path.startswith("one/backbone/") for variable in one.variables)
    assert one(IMAGES).dtype == one.compute_dtype
    exact = FeatureExtractor(network, SIZE)
    difference = np.abs(features(one) - features(exact)).mean()
    assert difference <= 0.1 * np.abs(features(exact)).mean() + 1e-3
    again = FeatureExtractor.from_config(json.loads(json.dumps(one.get_config())))
    assert_one_policy(again, policy)
    assert [v.path for v in again.variables] == [v.path for v in one.variables]
    copy.deepcopy(one.get_config())  # Keras's own dicts would bring the layer along.


@each_model
def test_saved_and_loaded(name, network, tmp_path):
    images = keras.Input((SIZE, SIZE, 3), dtype="uint8")
    layer = FeatureExtractor(network, SIZE, preprocessing="-1..1")
    model = keras.Model(images, layer(images))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(IMAGES), model(IMAGES))


def test_loaded_in_a_fresh_process(tmp_path):
    """Which finds KerasHub's classes by itself."""
    images = keras.Input((SIZE, SIZE, 3), dtype="uint8")
    model = keras.Model(
        images, FeatureExtractor(build("vit"), SIZE, dtype="mixed_bfloat16")(images)
    )
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", IMAGES)
    program = (
        "import keras, numpy, asen_tf.backbones\n"
        "model = keras.models.load_model('model.keras')\n"
        "features = keras.ops.cast(model(numpy.load('images.npy')), 'float32')\n"
        "numpy.save('features.npy', features)\n"
        "layers = model.layers[-1]._flatten_layers()\n"
        "print(*{layer.dtype_policy.name for layer in layers if layer.weights})\n"
    )
    command = [sys.executable, "-c", program]
    environment = {**os.environ, "PYTHONPATH": programs.PATH}
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert found.stdout == "mixed_bfloat16\n"
    np.testing.assert_array_equal(np.load(tmp_path / "features.npy"), features(model))


@pytest.mark.parametrize("name", ["resnet", "efficientnet", "vit"])
def test_a_preset_folder(name, network, tmp_path):
    folder = str(tmp_path / "preset")
    network.save_to_preset(folder)
    layer = FeatureExtractor(folder, SIZE, weights=folder, preprocessing="none")
    np.testing.assert_allclose(
        features(layer), features(FeatureExtractor(network, SIZE)), rtol=1e-4, atol=1e-4
    )
    # What a saved model needs is in its configuration, not in the folder.
    assert folder not in json.dumps(layer.get_config())


def test_preprocessing_of_a_preset(tmp_path):
    folder = str(tmp_path / "preset")
    keras.utils.set_random_seed(1)
    vit().save_to_preset(folder)
    assert FeatureExtractor(folder, SIZE).get_config()["backbone"]["preprocessing"] == "imagenet"
    keras_hub.layers.ViTImageConverter(
        image_size=(8, 8), scale=1 / 127.5, offset=[-1.0, -1.0, 0.0]
    ).save_to_preset(folder)
    layer = FeatureExtractor(folder, SIZE, dtype="bfloat16")
    assert_one_policy(layer, "bfloat16")
    layer = FeatureExtractor(folder, SIZE)
    expected = IMAGES / 127.5 - [1, 1, 0]
    np.testing.assert_allclose(layer.preprocess(IMAGES), expected, atol=1e-5)
    again = FeatureExtractor.from_config(layer.get_config())
    np.testing.assert_array_equal(again.preprocess(IMAGES), layer.preprocess(IMAGES))


@pytest.mark.parametrize(
    ("preprocessing", "expected"),
    [
        (None, (IMAGES / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]),
        ("none", IMAGES),
        ("0..1", IMAGES / 255),
        ("-1..1", IMAGES / 127.5 - 1),
        ({"scale": 2.0, "offset": [1.0, 2.0, 3.0]}, IMAGES * 2.0 + [1, 2, 3]),
    ],
)
def test_preprocessing(preprocessing, expected):
    layer = FeatureExtractor("resnet6", SIZE, preprocessing=preprocessing)
    np.testing.assert_allclose(layer.preprocess(IMAGES), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("level", "shape"),
    [("P3", (4, 4, 8)), ("P2", (8, 8, 64)), ("stack1_block0_2_conv", (4, 4, 8))],
)
def test_one_level(level, shape, tmp_path):
    network = resnet()
    layer = FeatureExtractor({"name": network, "levels": level}, SIZE)
    assert layer.feature_shape == (None, *shape)
    levels = network.pyramid_outputs
    output = levels[level] if level in levels else network.get_layer(level).output
    expected = keras.Model(network.input, output)(IMAGES.astype(np.float32))
    np.testing.assert_allclose(features(layer), expected, rtol=1e-4, atol=1e-4)
    assert FeatureExtractor.from_config(layer.get_config()).feature_shape == (None, *shape)
    network.save_to_preset(str(tmp_path / "preset"))
    folder = str(tmp_path / "preset")
    layer = FeatureExtractor(folder, SIZE, folder, level, "none")
    np.testing.assert_allclose(features(layer), expected, rtol=1e-4, atol=1e-4)


def test_our_own_networks_are_cut_too():
    assert FeatureExtractor("alexnet", 67, levels="conv2").feature_shape == (None, 7, 7, 256)


def test_several_levels(tmp_path):
    """Side by side on the grid of the first; every level gets gradients; also after loading."""
    network = resnet()
    folder = str(tmp_path / "preset")
    network.save_to_preset(folder)
    levels = network.pyramid_outputs
    outputs = [levels["P3"], levels["P4"]]
    expected = keras.Model(network.input, outputs)(IMAGES.astype(np.float32))
    for layer in (
        FeatureExtractor(network, SIZE, levels=("P3", "P4")),
        FeatureExtractor(folder, SIZE, folder, ["P3", "P4"], "none"),
    ):
        assert layer.feature_shape == (None, 4, 4, 24)
        maps = layer.maps(IMAGES)
        for found, at in zip(maps, expected, strict=True):
            np.testing.assert_allclose(found, at, rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(features(layer), layer.join(maps))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(IMAGES, training=True) ** 3)
    gradients = tape.gradient(loss, [v.value for v in layer.trainable_variables])
    assert all(g is not None and np.abs(g).max() > 0 for g in gradients)
    assert {v.path.split("/", 1)[1] for v in layer.join.trainable_variables} == {
        "join/normalization/gamma",
        "join/normalization/beta",
    }
    images = keras.Input((SIZE, SIZE, 3))
    keras.Model(images, layer(images)).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(features(loaded), features(layer))


@pytest.mark.parametrize("fuse", [False, True])
def test_a_backbone_that_stands_still_runs_as_in_inference(fuse):
    """By variable, as rates say it, or by layer; what it gives can then be kept."""
    layer = FeatureExtractor("resnet6" if fuse else resnet(), SIZE, levels=["P2", "P3"])
    before = layer.backbone.get_weights()
    inference = layer.maps(IMAGES)

    def same(training):
        pairs = zip(layer.maps(IMAGES, training), inference, strict=True)
        return all(np.array_equal(one, other) for one, other in pairs)

    assert not same(True)
    layer.backbone.set_weights(before)
    for variable in layer.backbone.trainable_variables:
        variable.trainable = False
    assert same(True) and same(False)
    assert all(map(np.array_equal, layer.backbone.get_weights(), before))
    moving = layer.join.normalization.moving_mean.numpy()
    layer(IMAGES, training=True)
    assert np.abs(layer.join.normalization.moving_mean.numpy() - moving).max() > 0
    for variable in layer.backbone.weights[:1]:
        variable.trainable = True
    assert not same(True)
    layer.backbone.set_weights(before)
    layer.backbone.trainable = False
    assert same(True)


@pytest.mark.parametrize("how", [{}, {"jit_compile": True}, {"recompute": True}])
def test_a_backbone_learns_with_the_statistics_that_it_has(how):
    """Its maps are those of inference, and so are their derivatives."""
    keras.utils.set_random_seed(2)
    layer = FeatureExtractor("resnet6", SIZE, frozen_statistics=True)
    assert FeatureExtractor.from_config(layer.get_config()).frozen_statistics
    layer.configure(**how)
    learnt = layer.backbone.trainable_variables
    before = [v.numpy() for v in layer.backbone.non_trainable_variables]

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(layer(IMAGES, training=True) ** 2)
        return loss, tape.gradient(loss, [v.value for v in learnt])

    loss, gradients = step()
    np.testing.assert_allclose(loss, np.mean(features(layer) ** 2), rtol=1e-4)
    moved = [v.numpy() for v in layer.backbone.non_trainable_variables]
    assert before and all(map(np.array_equal, moved, before))
    direction = [np.sign(g) for g in gradients]
    slope = sum(np.abs(g).sum() for g in gradients)
    values = []
    for shift in (1e-4, -2e-4):
        for variable, sign in zip(learnt, direction, strict=True):
            variable.assign_add(shift * sign)
        values.append(np.mean(features(layer) ** 2, dtype=np.float64))
    assert slope == pytest.approx((values[0] - values[1]) / 2e-4, rel=0.05)
    assert all(np.abs(g).max() > 0 for g in gradients)


def test_a_network_for_larger_images():
    """Convolutions take any size; positions of a transformer are learnt for one."""
    network = keras_hub.models.ResNetBackbone(
        [64], [7], [64, 8], [1, 1], [1, 2], "basic_block", image_shape=(64, 64, 3)
    )
    assert FeatureExtractor(network, SIZE).feature_shape == (None, 4, 4, 8)
    with pytest.raises(ValueError, match="for images of another size"):
        FeatureExtractor(vit(), 2 * SIZE)


def test_a_model_that_is_no_graph(tmp_path):
    keras.saving.register_keras_serializable(package="feature_extractor_test")(Patches)
    network = Patches(5, name="patches")
    network(np.zeros((1, SIZE, SIZE, 3), np.float32))
    layer = FeatureExtractor(network, SIZE, dtype="mixed_bfloat16", name="extractor")
    assert layer.feature_shape == (None, 4, 4, 5)
    assert_one_policy(layer, "mixed_bfloat16")
    assert layer.weights[0].path.startswith("extractor/backbone/")
    expected = np.asarray(network(IMAGES.astype(np.float32)))
    np.testing.assert_allclose(features(layer), expected, rtol=0.1, atol=2)
    images = keras.Input((SIZE, SIZE, 3))
    keras.Model(images, layer(images)).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(features(loaded), features(layer))


def test_layers_that_stay_float32_on_purpose():
    images = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(4, 3, name="maps")(images)
    sharp = keras.layers.Dense(4, name="sharp", dtype="float64")(maps)
    layer = FeatureExtractor(
        keras.Model(images, keras.layers.Dense(4)(sharp)), SIZE, dtype="mixed_bfloat16"
    )
    policies = {at.name: at.dtype_policy.name for at in layer.backbone.layers}
    assert policies["sharp"] == "float64" and policies["maps"] == "mixed_bfloat16"
    assert layer(IMAGES).dtype == tf.bfloat16


def test_a_compiled_model_and_an_unbuilt_one():
    network = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(2, 3)])
    network.compile("sgd", "mse")
    layer = FeatureExtractor(network, SIZE)
    assert "compile_config" not in json.dumps(layer.get_config())
    np.testing.assert_allclose(features(layer), network(IMAGES.astype(np.float32)), rtol=1e-5)
    assert FeatureExtractor(keras.Sequential([keras.layers.Conv2D(2, 3)]), SIZE).feature_shape == (
        None,
        30,
        30,
        2,
    )


def test_a_backbone_of_ones_own_by_name():
    @BACKBONES.register("feature_extractor_test_network")
    def network(size):
        images = keras.Input((size, size, 3))
        return keras.Model(images, keras.layers.Conv2D(3, 2, 2)(images))

    layer = FeatureExtractor("feature_extractor_test_network", SIZE, dtype="mixed_bfloat16")
    assert layer.feature_shape == (None, 16, 16, 3)
    assert_one_policy(layer, "mixed_bfloat16")
    assert layer.get_config()["backbone"]["name"] == "feature_extractor_test_network"


def test_the_dict_gives_what_the_arguments_leave_out():
    settings = {"name": "alexnet_torchvision", "levels": "conv2", "preprocessing": "0..1"}
    layer = FeatureExtractor(settings, SIZE, levels="conv1")
    assert layer.get_config()["backbone"] == settings | {"levels": "conv1"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"backbone": "resnet11"},
            "unknown backbone or preset 'resnet11'. Did you mean 'resnet18'",
        ),
        (
            {"backbone": "alexnet_torchvision", "levels": ["conv2", "conv9"]},
            "unknown level of alexnet_torchvision 'conv9'. Did you mean",
        ),
        (
            {"backbone": "alexnet_torchvision", "preprocessing": "imagnet"},
            "Did you mean 'imagenet'",
        ),
        (
            {"backbone": "alexnet_torchvision", "preprocessing": {"scale": 1}},
            "a scale and an offset",
        ),
        ({"backbone": {"name": "alexnet_torchvision", "level": "conv2"}}, "Did you mean 'levels'"),
        (
            {"backbone": "alexnet_torchvision", "dropout": 1.0},
            r"share of the channels in \[0, 1\), got 1",
        ),
        ({"backbone": 3}, "must be a name, a KerasHub preset or a keras.Model, got 3"),
    ],
)
def test_what_is_wrong_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        FeatureExtractor(size=SIZE, **arguments)


def test_a_network_without_a_feature_map():
    images = keras.Input((None, None, 3))
    flat = keras.Model(images, keras.layers.GlobalAveragePooling2D()(images))
    with pytest.raises(ValueError, match="must give a feature map"):
        FeatureExtractor(flat, SIZE)
    fixed = keras.Input((64, 64, 3))
    with pytest.raises(ValueError, match="build it for that size"):
        FeatureExtractor(keras.Model(fixed, keras.layers.Conv2D(2, 3)(fixed)), SIZE)


@pytest.mark.parametrize(("name", "training"), [("efficientnet_lite0", False), ("resnet6", True)])
def test_images_of_another_size_than_it_was_built_for(name, training):
    layer, smaller = (FeatureExtractor(name, size) for size in (96, 64))
    smaller.set_weights(layer.get_weights())
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    found, expected = (one(images, training=training) for one in (layer, smaller))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    for one, other in zip(layer.get_weights(), smaller.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
