"""AMNet: how an embedding changes, and its losses, against plain NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from asen_tf.core import config as configs
from asen_tf.core.attributes import AttributeSpace
from asen_tf.models import registry

SPACE = AttributeSpace({"collar": ("v", "o"), "pattern": ("plain", "dots", "stripes")})
LOSSES = ("classification", "changed_classification", "changed_triplet")


def small(**changes):
    config = configs.defaults()
    config.model.name = "amnet"
    config.model.global_branch.update(configs.branch("resnet6", size=32, common_dim=8))
    config.model.global_branch.embedding_dim = 6
    config.model.amnet.fusion_dim = 7
    config.update_from_flattened_dict(changes)
    return config


@pytest.fixture(scope="module")
def model():
    model = registry.build(small(), len(SPACE), SPACE.offsets)
    generator = np.random.default_rng(0)
    for layer in (model.classifiers, model.memory, model.fuse, model.edit):
        layer.set_weights([generator.normal(size=w.shape) for w in layer.get_weights()])
    return model


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3)).astype(np.uint8)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def slow_change(model, vectors, *changes):
    """f + the sum of r + W2 relu(W1 [f, r]) over changes, with f and r at the length of sqrt(D)."""
    prototypes, controller = model.memory.get_weights()
    (w1, b1), (w2, b2) = model.fuse.get_weights(), model.edit.get_weights()
    changed = vectors * 6**0.5
    for wanted in changes:
        exponents = np.exp(wanted @ controller)
        read = exponents / exponents.sum(1, keepdims=True) @ prototypes * 6**0.5
        both = np.concatenate([vectors * 6**0.5, read], axis=1)
        changed = changed + read + np.maximum(both @ w1 + b1, 0) @ w2 + b2
    return unit(changed)


def test_one_embedding_for_every_attribute(model, images):
    every = model.embed_all(images).numpy()
    assert every.shape == (6, 2, 6)
    np.testing.assert_array_equal(every[:, 0], every[:, 1])
    np.testing.assert_array_equal(model.embed(images, [1] * 6), every[:, 0])
    assert np.abs(every[0] - every[1]).max() > 1e-3


def test_changes(model, images):
    assert model.manipulates and not model.explains
    vectors = model.embed(images, [0] * 6).numpy()
    one = model.manipulate(images, [0, 1, 1, 1, 0, 0], [1, 0, 1, 2, 0, 1])
    wanted = np.eye(5)[[1, 2, 3, 4, 0, 1]]
    np.testing.assert_allclose(one, slow_change(model, vectors, wanted), atol=1e-5)
    # Several at once, in any order.
    wanted = [np.tile(np.eye(5)[value], (6, 1)) for value in (1, 4)]
    for attributes, values in (([0, 1], [1, 2]), ([1, 0], [2, 1])):
        ids = np.tile([attributes, values], (6, 1, 1))
        two = model.manipulate(images, ids[:, 0], ids[:, 1])
        np.testing.assert_allclose(two, slow_change(model, vectors, *wanted), atol=1e-5)
        np.testing.assert_allclose(model.change(vectors, ids[:, 0], ids[:, 1]), two, atol=1e-6)


def test_starts_by_adding_the_mean_of_the_wanted_value(images):
    model = registry.build(small(**{"model.amnet.sharpness": 20.0}), len(SPACE), SPACE.offsets)
    means = np.random.default_rng(1).normal(size=(5, 6)).astype(np.float32)
    model.start_from_means("memory", means)
    vectors = model.embed(images, [0] * 6).numpy()
    changed = model.manipulate(images, [1] * 6, [2] * 6)
    np.testing.assert_allclose(changed, unit(vectors + means[4]), atol=1e-5)
    with pytest.raises(ValueError, match="Did you mean 'memory'"):
        model.start_from_means("memmory", means)


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum())


def cross_entropy(model, vector, values):
    """Of one image that shows one value of each attribute."""
    weights, bias = model.classifiers.get_weights()
    logits = vector * 6**0.5 @ weights + bias
    parts = log_softmax(logits[:2]), log_softmax(logits[2:])
    return -np.mean([part[value] for part, value in zip(parts, values, strict=True)])


def test_losses(model, images):
    objective = registry.objective(small(**{"train.margin": 0.9}), SPACE.offsets)
    # Query, target, negative; the first changes its pattern, the second its collar.
    shown = [[(0, 1), (0, 2), (1, 2)], [(1, 0), (0, 0), (1, 1)]]
    changed_to = [(0, 2), (0, 0)]
    labels = np.zeros((2, 3, 5), bool)
    for example, roles in enumerate(shown):
        for role, (collar, pattern) in enumerate(roles):
            labels[example, role, [collar, 2 + pattern]] = True
    batch = {
        "images": tf.constant(images.reshape(2, 3, 64, 64, 3)),
        "attributes": tf.constant([1, 0]),
        "labels": tf.constant(labels),
    }
    losses = {k: v.numpy() for k, v in objective(model, batch, LOSSES, training=False).items()}
    vectors = model.embed(images, [0] * 6).numpy().reshape(2, 3, 6)
    changed = slow_change(model, vectors[:, 0], np.eye(5)[[4, 0]])
    for n in range(2):
        each = [cross_entropy(model, vectors[n, role], shown[n][role]) for role in range(3)]
        assert losses["classification"][n] == pytest.approx(np.mean(each), rel=1e-4)
        expected = cross_entropy(model, changed[n], changed_to[n])
        assert losses["changed_classification"][n] == pytest.approx(expected, rel=1e-4)
        expected = 0.9 - changed[n] @ vectors[n, 1] + changed[n] @ vectors[n, 2]
        assert losses["changed_triplet"][n] == pytest.approx(max(0, expected), abs=1e-4)
    for name in LOSSES:
        alone = objective(model, batch, (name,), training=False)
        assert list(alone) == [name]
        np.testing.assert_allclose(alone[name], losses[name], atol=1e-6)


def test_what_does_not_change_keeps_the_labels_of_the_query(model, images):
    """Query and target may differ in attributes that the data's change leaves out."""
    objective = registry.objective(small(), SPACE.offsets)
    labels = np.zeros((1, 3, 5), bool)
    labels[0, :, [0, 2]] = labels[0, 1:, 1] = True
    labels[0, 1:, 0] = False
    batch = {
        "images": tf.constant(images[:3][None]),
        "attributes": tf.constant([1]),
        "labels": tf.constant(labels),
    }
    found = objective(model, batch, ("changed_classification",), training=False)
    vector = model.embed(images[:1], [0]).numpy()
    changed = slow_change(model, vector, np.eye(5)[[2]])
    expected = cross_entropy(model, changed[0], (0, 0))
    assert float(found["changed_classification"][0]) == pytest.approx(expected, rel=1e-4)


def test_bad_input_is_refused(model, images):
    objective = registry.objective(small(), SPACE.offsets)
    batch = {"images": images.reshape(2, 3, 64, 64, 3), "attributes": tf.constant([0, 1])}
    with pytest.raises(ValueError, match="set train.sampling=manipulation"):
        objective(model, batch, ("classification",))
    with pytest.raises(ValueError, match="Did you mean 'classification'"):
        objective(model, batch, ("clasification",))
    with pytest.raises(ValueError, match="unknown part of AMNet 'local_branch'"):
        model.embed(images, [0] * 6, ("local_branch",))
    with pytest.raises(ValueError, match="build it with their offsets"):
        registry.build(small(), len(SPACE))
