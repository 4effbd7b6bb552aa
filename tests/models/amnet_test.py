"""AMNet: how an embedding changes, and its losses, against plain NumPy."""

import keras
import numpy as np
import pytest

from asen_tf import losses, models
from asen_tf.core import AttributeSpace, experiments
from asen_tf.core import config as configs
from tests.batches import losses_of, triplets

SPACE = AttributeSpace({"collar": ("v", "o"), "pattern": ("plain", "dots", "stripes")})


def build(**settings):
    sizes = {"backbone": "resnet6", "size": 32, "embedding_dim": 6, "fusion_dim": 7}
    keras.utils.set_random_seed(0)
    return models.build({"name": "amnet", **sizes, **settings}, SPACE)


def of_the_paper():
    """The losses of the experiment's second stage, with a margin that is always violated."""
    config = configs.defaults()
    experiments.amnet(config, rate=1e-3)
    terms = config.stage2.losses.to_dict()
    terms["changed_triplet"]["margin"] = 0.9
    return losses.build(terms, SPACE.offsets)[0]


def batch_of(images, attributes, labels):
    """Query, target and negative in turn, with the change and what its labels become."""
    x, y = triplets(images, attributes, labels)
    x["changes"], y["changed_labels"] = np.zeros_like(labels), labels.copy()
    for n, attribute in enumerate(attributes):
        own, roles = slice(*SPACE.offsets[attribute : attribute + 2]), slice(3 * n, 3 * n + 3)
        x["changes"][roles, own] = y["changed_labels"][roles, own] = labels[3 * n + 1, own]
        for a in range(len(SPACE)):
            if a != attribute:
                other = slice(*SPACE.offsets[a : a + 2])
                y["changed_labels"][roles, other] = labels[3 * n, other]
    return x, y


@pytest.fixture(scope="module")
def model():
    model = build()
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
    model = build(sharpness=20.0)
    means = np.random.default_rng(1).normal(size=(5, 6)).astype(np.float32)
    model.memory.prototypes.assign(means)
    vectors = model.embed(images, [0] * 6).numpy()
    changed = model.manipulate(images, [1] * 6, [2] * 6)
    np.testing.assert_allclose(changed, unit(vectors + means[4]), atol=1e-5)


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum())


def cross_entropy(model, vector, values):
    """Of one image that shows one value of each attribute."""
    weights, bias = model.classifiers.get_weights()
    logits = vector * 6**0.5 @ weights + bias
    parts = log_softmax(logits[:2]), log_softmax(logits[2:])
    return -np.mean([part[value] for part, value in zip(parts, values, strict=True)])


def test_losses(model, images):
    # Query, target, negative; the first changes its pattern, the second its collar.
    shown = [[(0, 1), (0, 2), (1, 2)], [(1, 0), (0, 0), (1, 1)]]
    changed_to = [(0, 2), (0, 0)]
    labels = np.zeros((6, 5), bool)
    for row, (collar, pattern) in enumerate(np.reshape(shown, (6, 2))):
        labels[row, [collar, 2 + pattern]] = True
    made, batch = of_the_paper(), batch_of(images, [1, 0], labels)
    found = losses_of(model, made, batch)
    vectors = model.embed(images, [0] * 6).numpy().reshape(2, 3, 6)
    changed = slow_change(model, vectors[:, 0], np.eye(5)[[4, 0]])
    for n in range(2):
        each = [cross_entropy(model, vectors[n, role], shown[n][role]) for role in range(3)]
        assert found["classification"][n] == pytest.approx(np.mean(each), rel=1e-4)
        expected = cross_entropy(model, changed[n], changed_to[n])
        assert found["changed_classification"][n] == pytest.approx(expected, rel=1e-4)
        expected = 0.9 - changed[n] @ vectors[n, 1] + changed[n] @ vectors[n, 2]
        assert found["changed_triplet"][n] == pytest.approx(max(0, expected), abs=1e-4)
    for name, loss in made.items():
        alone = losses_of(model, {name: loss}, batch)
        np.testing.assert_allclose(alone[name], found[name], atol=1e-6)


def test_changes_need_their_sampling(model, images):
    model.compile(optimizer=None, loss=of_the_paper())
    x, _ = triplets(images, [0, 1])
    with pytest.raises(ValueError, match="set train.sampling=manipulation"):
        model(x)


def test_unknown_slice(model, images):
    with pytest.raises(ValueError, match="unknown slice of AMNet 'local'"):
        model.embed(images, [0] * 6, ("local",))
