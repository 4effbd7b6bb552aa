"""What the networks of one branch have in common."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.core import config as configs
from asen_tf.models import registry
from asen_tf.models.one_branch import PART

NAMES = ("asen_aaai2020", "csn", "triplet_net")
OFFSETS = (0, 2, 4, 7)
IDS = np.array([[0, 2], [1, 1]])


def settings(name):
    config = configs.defaults()
    config.model.name = name
    config.model.global_branch.update(configs.branch("resnet6", size=32, common_dim=8))
    config.model.global_branch.embedding_dim = 6
    return config


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def model(name):
    keras.utils.set_random_seed(0)
    return registry.build(settings(name), 3)


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


def test_the_trunk_sees_the_averaged_canvas(model, images):
    seen = images.reshape(2, 32, 2, 32, 2, 3).astype(np.float32).mean((2, 4))
    features = model.trunk(seen)
    expected = model.unit_vectors(model.outputs_of_features(features, IDS)[PART])
    np.testing.assert_allclose(model.embed(images, IDS), expected, atol=1e-5)


def test_the_only_part(model, images):
    assert list(model.parts()) == [PART] and model.variants() == {"global": slice(None)}
    np.testing.assert_array_equal(model.embed(images, IDS, (PART,)), model.embed(images, IDS))
    message = rf"unknown part of {type(model).__name__} 'local_branch'.* Known: global_branch"
    for use in (model.embed, model.outputs_of):
        with pytest.raises(ValueError, match=message):
            use(images, IDS, ("local_branch",))
    with pytest.raises(ValueError, match=message):
        model.variants(("local_branch",))


def test_the_first_stage_of_asen_trains_it(name, model, images):
    """Any of ASEN's experiments, with model.name changed and stage1 alone."""
    config = settings(name)
    assert set(config.stage1.rates) <= set(model.parts())
    batch = {"images": tf.constant(np.stack([images[[0, 1, 0]]] * 2)), "attributes": IDS[0]}
    losses = registry.objective(config, OFFSETS)(model, batch, tuple(config.stage1.losses))
    assert {key: tuple(loss.shape) for key, loss in losses.items()} == {"global_triplet": (2,)}


def test_the_loss_of_triplets(name, model, images):
    config = settings(name)
    config.train.margin = 0.9
    batch = {"images": tf.constant(images[[[0, 1, 0], [1, 0, 1]]]), "attributes": IDS[0]}
    objective = registry.objective(config, OFFSETS)
    loss = objective(model, batch, ("global_triplet",), training=False)["global_triplet"]
    expected = []
    for attribute, (a, p, n) in zip(IDS[0], [(0, 1, 0), (1, 0, 1)], strict=True):
        unit = model.embed(images, [attribute, attribute]).numpy()
        expected.append(max(0, 0.9 - unit[a] @ unit[p] + unit[a] @ unit[n]))
    np.testing.assert_allclose(loss, expected, atol=1e-5)


def test_unknown_loss(name, model):
    objective = registry.objective(settings(name), OFFSETS)
    with pytest.raises(ValueError, match=f"loss of {type(model).__name__}.*'global_triplet'"):
        objective(model, {}, ("global_triplets",))


def test_starts_from_the_weights_of_the_branch(name, pretrained):
    config = settings(name)
    config.model.global_branch.backbone = "resnet10"
    network, config.model.global_branch.weights = pretrained
    model = registry.build(config, 3)
    registry.load_pretrained(model, config)
    for weight, expected in zip(
        model.trunk.backbone.get_weights(), network.get_weights(), strict=True
    ):
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
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = registry.build(settings(name), 3)
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.set_weights(model.get_weights())
    found = mixed.embed(images, IDS)
    assert found.dtype == tf.float32
    assert (np.sum(found * model.embed(images, IDS), -1) > 0.99).all()


def test_a_canvas_without_pixels(name):
    config = settings(name)
    config.model.image_scale = 0
    with pytest.raises(ValueError, match="image_scale must be a whole number from 1, got 0"):
        registry.build(config, 3)
