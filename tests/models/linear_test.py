"""The linear baseline against scikit-learn's other solver, on the same features."""

import keras
import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from asen_tf import models
from asen_tf.core import AttributeSpace, experiments
from asen_tf.core import config as configs
from asen_tf.models.linear.discriminant import linear_discriminant

SPACE = AttributeSpace({"fit": ("slim", "wide"), "fabric": ("a", "b", "c"), "hem": ("long",)})
IMAGES = 40


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    settings = {"name": "linear", "backbone": "resnet6", "size": 32, "image_scale": 1}
    return models.build(settings, SPACE)


@pytest.fixture(scope="module")
def photographs():
    return np.random.default_rng(0).integers(0, 256, (IMAGES, 32, 32, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def labels():
    """bool [N, V]; the first image has two fabrics, the last has no label at all."""
    found = np.zeros((IMAGES, 6), bool)
    for n in range(IMAGES - 1):
        found[n, [n % 2, 2 + n % 3, 5]] = True
    found[0, 3] = True
    return found


def test_embeddings_are_the_probabilities_of_values(model, photographs, labels):
    vectors = model.closed_form_vectors({"images": photographs}).numpy()
    np.testing.assert_allclose(vectors, model.features(photographs).numpy().mean((1, 2)), atol=1e-5)
    model.fit_closed_form(vectors, labels)
    found = model.embed_all(photographs).numpy()
    assert found.shape == (IMAGES, 3, 3)

    scikit = LinearDiscriminantAnalysis("eigen", shrinkage="auto")
    once, fabric = vectors[:-1], np.arange(IMAGES - 1) % 3
    both = scikit.fit(np.concatenate([once, once[:1]]), np.append(fabric, 1)).predict_proba(vectors)
    unit = both / np.linalg.norm(both, axis=1, keepdims=True)
    np.testing.assert_allclose(found[:, 1], unit, atol=1e-3)
    two = scikit.fit(once, np.arange(IMAGES - 1) % 2).predict_proba(vectors)
    unit = two / np.linalg.norm(two, axis=1, keepdims=True)
    np.testing.assert_allclose(found[:, 0], np.pad(unit, [(0, 0), (0, 1)]), atol=1e-3)
    # Where there is one value, all images are alike.
    np.testing.assert_allclose(found[:, 2], np.tile([1, 0, 0], (IMAGES, 1)), atol=1e-6)


def test_means_of_parts(photographs):
    """A map of 5 x 5 positions in halves: of the middle ones a half is in each."""
    settings = {"name": "linear", "backbone": "resnet6", "size": 32, "image_scale": 1, "grid": 2}
    model = models.build(settings, SPACE)
    maps = np.random.default_rng(0).normal(size=(3, 5, 5, 64)).astype(np.float32)
    found = model._pooled(maps).numpy().reshape(3, 2, 2, 64)
    doubled = np.repeat(np.repeat(maps, 2, 1), 2, 2)
    for down, across in np.ndindex(2, 2):
        part = doubled[:, 5 * down : 5 * down + 5, 5 * across : 5 * across + 5]
        np.testing.assert_allclose(found[:, down, across], part.mean((1, 2)), atol=1e-5)
    # What is kept of photographs in place of them gives the same.
    kept = model.frozen_inputs(photographs, ["global"])
    vectors = model.closed_form_vectors({"images": photographs}).numpy()
    np.testing.assert_allclose(model.closed_form_vectors(kept).numpy(), vectors, atol=1e-5)
    assert vectors.shape == (IMAGES, 4 * model.features.feature_shape[-1])


@pytest.mark.parametrize(
    ("images", "channels", "values"), [(30, 5, 2), (30, 50, 3), (10, 200, 4), (300, 20, 5)]
)
def test_the_discriminant_is_scikit_learns(images, channels, values):
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(images, channels)) @ draw.normal(size=(channels, channels))
    vectors[:, 0] = 1
    value = np.concatenate([np.arange(values), draw.integers(0, values, images - values)])
    kernel, bias = linear_discriminant(np.float32(vectors), np.eye(values, dtype=bool)[value])
    known = LinearDiscriminantAnalysis("lsqr", shrinkage="auto").fit(np.float32(vectors), value)
    found = keras.ops.softmax(np.float32(vectors) @ kernel + bias).numpy()
    np.testing.assert_allclose(found, known.predict_proba(np.float32(vectors)), atol=1e-5)


def test_images_of_a_value_that_are_all_alike():
    vectors, labels = np.repeat(np.eye(3, 4), 3, 0), np.repeat(np.eye(3, dtype=bool), 3, 0)
    kernel, bias = linear_discriminant(vectors, labels)
    assert np.isfinite(kernel).all() and np.isfinite(bias).all()


def test_values_that_cannot_be_told_apart():
    vectors = np.random.default_rng(0).normal(size=(6, 4))
    labels = np.zeros((6, 3), bool)

    def probabilities():
        kernel, bias = linear_discriminant(vectors, labels)
        assert kernel.dtype == bias.dtype == np.float32
        return keras.ops.softmax(vectors @ kernel + bias).numpy()

    np.testing.assert_allclose(probabilities(), np.full((6, 3), 1 / 3))
    labels[:2, [1, 2]] = np.eye(2)
    np.testing.assert_allclose(probabilities(), np.tile([0, 0.5, 0.5], (6, 1)))
    # A value of a single image is one, too.
    labels[2:5, 1] = True
    found = probabilities()
    assert (found[:, 0] == 0).all() and found[1, 2] > found[0, 2]


def test_experiments_of_other_models_become_linear():
    config = experiments.garments()
    experiments.linear(config)
    assert config.model.to_dict() == {
        "name": "linear",
        "image_scale": 2,
        "backbone": "resnet6",
        "weights": "",
        "levels": (),
        "size": 112,
    }
    again = config.copy_and_resolve_references()
    experiments.linear(again)
    assert again == config
    config = configs.defaults()
    with config.unlocked():
        config.model = {"name": "mine"}
    with pytest.raises(ValueError, match="model.name=mine has no key model.backbone"):
        experiments.linear(config)
