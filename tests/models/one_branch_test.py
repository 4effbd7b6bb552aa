"""What the networks of one branch have in common."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf import losses, models
from asen_tf.core import AttributeSpace
from asen_tf.core import config as configs
from tests.batches import losses_of, triplets

SPACE = AttributeSpace({"collar": ("v", "o"), "fit": ("slim", "wide"), "fabric": ("a", "b", "c")})
IDS = np.array([[0, 2], [1, 1]])


def build(name, dtype=None, **settings):
    sizes = {"name": name, "backbone": "resnet6", "size": 32, "embedding_dim": 6}
    keras.utils.set_random_seed(0)
    return models.build(sizes | settings, SPACE, dtype)


@pytest.fixture(scope="module", params=["asen_aaai2020", "csn", "triplet_net"])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def model(name):
    return build(name)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)


def test_one_attribute_several_and_all_agree(model, images):
    every = model.embed_all(images).numpy()
    several = model.embed(images, IDS).numpy()
    assert several.shape == (2, 2, 6)
    np.testing.assert_allclose(several, np.take_along_axis(every, IDS[..., None], 1), atol=1e-6)
    for m in range(2):
        np.testing.assert_allclose(model.embed(images, IDS[:, m]), several[:, m], atol=1e-6)


def test_the_backbone_sees_the_averaged_image(model, images):
    seen = images.reshape(2, 32, 2, 32, 2, 3).astype(np.float32).mean((2, 4))
    features = model.features(seen)
    outputs = model.outputs_of_features(features, {"attributes": IDS})
    expected = tf.math.l2_normalize(outputs["global"], axis=-1)
    np.testing.assert_allclose(model.embed(images, IDS), expected, atol=1e-5)
    np.testing.assert_allclose(model.embed_features(features, IDS), expected, atol=1e-5)


def test_the_only_slice(model, images):
    assert model.slices == {"global": 6} and model.embedding_slices() == {"global": slice(0, 6)}
    np.testing.assert_array_equal(model.embed(images, IDS, ("global",)), model.embed(images, IDS))
    message = rf"unknown slice of {type(model).__name__} 'local'.* Known: global"
    for use in (lambda: model.embed(images, IDS, ("local",)), lambda: model.used_slices(["local"])):
        with pytest.raises(ValueError, match=message):
            use()


def test_the_first_stage_of_asen_trains_it(model, images):
    """Any of ASEN's experiments, with model.name changed and stage1 alone."""
    terms = configs.defaults().stage1.losses.to_dict()
    terms["global_triplet"]["margin"] = 0.9
    made, _ = losses.build(terms, SPACE.offsets)
    rows = [(0, 1, 0), (1, 0, 1)]
    found = losses_of(model, made, triplets(images[np.ravel(rows)], IDS[0]))
    expected = []
    for attribute, (a, p, n) in zip(IDS[0], rows, strict=True):
        unit = model.embed(images, [attribute, attribute]).numpy()
        expected.append(max(0, 0.9 - unit[a] @ unit[p] + unit[a] @ unit[n]))
    np.testing.assert_allclose(found["global_triplet"], expected, atol=1e-5)


def test_several_levels(name, images):
    model = build(name, backbone="resnet10", levels=("P2", "P4"), dropout=0.1)
    assert model.features.feature_shape == (None, 8, 8, 64 + 256)
    assert model.embed_all(images).shape == (2, 3, 6)
    assert type(model).from_config(model.get_config()).get_config() == model.get_config()


def test_starts_from_pretrained_weights(name, pretrained):
    network, folder = pretrained
    model = build(name, backbone="resnet10", weights=folder)
    found = model.features.backbone.get_weights()
    for weight, expected in zip(found, network.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_compiled_backbone(model, images):
    expected = model.embed(images, IDS)
    model.configure_backbones(jit_compile=True)
    try:
        compiled = tf.function(lambda: model.embed(images, IDS))()
    finally:
        model.configure_backbones()
    np.testing.assert_allclose(compiled, expected, atol=1e-4)


def test_mixed_precision(name, model, images):
    """Embeddings stay float32 and near to those of full precision."""
    mixed = build(name, "mixed_bfloat16")
    mixed.set_weights(model.get_weights())
    found = mixed.embed(images, IDS)
    assert found.dtype == tf.float32
    assert (np.sum(found * model.embed(images, IDS), -1) > 0.99).all()


def test_an_image_without_pixels(name):
    with pytest.raises(ValueError, match="image_scale must be a whole number from 1, got 0"):
        build(name, image_scale=0)
