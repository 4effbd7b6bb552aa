"""Maps of what makes two photographs alike, against gradients and sums written out by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.core import config as configs
from asen_tf.explain import METHODS, SimilarityMaps
from asen_tf.explain.similarity import SimilarityHead
from asen_tf.models import registry

OFFSETS = (0, 2, 4, 7)
ATTRIBUTE = 2


def build(name):
    config = configs.defaults()
    config.model.name = name
    for branch in ("global_branch", "local_branch"):
        config.model[branch].update({"backbone": "resnet6", "size": 32, "common_dim": 8})
        config.model[branch].embedding_dim = 6
    config.model.attribute_dim = 8
    keras.utils.set_random_seed(0)
    return registry.build(config, 3, OFFSETS)


@pytest.fixture(scope="module", params=["asen", "csn", "amnet"])
def model(request):
    return build(request.param)


@pytest.fixture(scope="module")
def explained(model):
    return SimilarityMaps(model, channels=5)


@pytest.fixture(scope="module")
def canvases():
    return np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)


def part(model):
    """The part of the model that is explained, ASEN's global branch or the only one."""
    return ("global_branch",) if "global_branch" in model.parts() else None


def seen_by_the_backbone(model, canvases):
    pixels = canvases.reshape(2, 32, 2, 32, 2, 3).astype(np.float32).mean((2, 4)) / 255
    return (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]


def cosine_to_the_other(model, canvases, own):
    """(inputs [B, s, s, 3]) -> feature maps and cosines, with the other photograph fixed."""
    other = model.embed(canvases[1 - own][None], [ATTRIBUTE], part(model))[0]

    def run(inputs):
        features = model.trunk_of_features.backbone(inputs)
        return features, of_features(features)

    def of_features(features):
        ids = tf.fill((len(features), 1), ATTRIBUTE)
        return tf.linalg.matvec(model.embed_features(features, ids)[:, 0], other)

    return run, of_features


def between_the_corners(grid, size):
    """Bilinear: the corners of the grid are those of the result."""
    at, cells = np.linspace(0, len(grid) - 1, size), np.arange(len(grid))
    rows = np.array([np.interp(at, cells, row) for row in grid])
    return np.array([np.interp(at, cells, column) for column in rows.T]).T


def test_vectors_are_those_of_the_model(model, explained, canvases):
    expected = model.embed(canvases, [ATTRIBUTE] * 2, part(model))
    np.testing.assert_allclose(explained.vectors(canvases, ATTRIBUTE), expected, atol=1e-5)


def test_saliency_is_the_gradient_of_the_cosine_by_the_pixels(model, explained, canvases):
    found = explained.maps(canvases, ATTRIBUTE, "saliency")
    inputs = tf.constant(seen_by_the_backbone(model, canvases), tf.float32)
    for own in range(2):
        run, _ = cosine_to_the_other(model, canvases, own)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            cosine = run(inputs[own : own + 1])[1]
        expected = np.abs(tape.gradient(cosine, inputs)[own]).max(-1)
        assert expected.max() > 0
        np.testing.assert_allclose(found[own], expected, atol=1e-5 * expected.max())


def test_gradcam_weighs_feature_maps_by_their_mean_gradient(model, explained, canvases):
    found = explained.maps(canvases, ATTRIBUTE, "gradcam")
    inputs = tf.constant(seen_by_the_backbone(model, canvases), tf.float32)
    for own in range(2):
        run, of_features = cosine_to_the_other(model, canvases, own)
        features, _ = run(inputs[own : own + 1])
        with tf.GradientTape() as tape:
            tape.watch(features)
            cosine = of_features(features)
        weights = tape.gradient(cosine, features).numpy()[0].mean((0, 1))
        sums = (features.numpy()[0] * weights).sum(-1)
        np.testing.assert_allclose(found[own], np.maximum(sums, 0), atol=1e-4 * np.abs(sums).max())


def test_scorecam_weighs_feature_maps_by_what_they_leave_of_the_cosine(model, explained, canvases):
    found = explained.maps(canvases, ATTRIBUTE, "scorecam")
    inputs = seen_by_the_backbone(model, canvases)
    for own in range(2):
        run, _ = cosine_to_the_other(model, canvases, own)
        features = run(tf.constant(inputs[own : own + 1], tf.float32))[0].numpy()[0]
        most_varied = np.argsort(-features.std((0, 1)), kind="stable")[:5]
        empty = run(tf.zeros((1, 32, 32, 3)))[1].numpy()[0]
        total = np.zeros(features.shape[:2])
        for channel in most_varied:
            up = between_the_corners(features[..., channel], 32)
            mask = (up - up.min()) / (np.ptp(up) + 1e-7)
            left = run(tf.constant((inputs[own] * mask[..., None])[None], tf.float32))[1]
            total += (left.numpy()[0] - empty) * features[..., channel]
        np.testing.assert_allclose(
            found[own], np.maximum(total, 0), atol=2e-4 * np.abs(total).max()
        )


def test_the_attribute_matters(canvases):
    explained = SimilarityMaps(build("asen"))
    first, second = (explained.maps(canvases, attribute, "saliency") for attribute in (0, 1))
    assert np.abs(first - second).max() > 0.01 * first.max()


def test_head_survives_serialisation(explained, canvases):
    head = explained._head
    again = SimilarityHead.from_config(head.get_config())
    features = np.random.default_rng(1).random((2, 4, 4, 128)).astype(np.float32)
    again.build(features.shape)
    again.set_weights(head.get_weights())
    np.testing.assert_allclose(again(features), head(features), atol=1e-6)


def test_models_that_need_more_than_feature_maps_are_refused():
    with pytest.raises(ValueError, match="PartGuided has no embedding of feature maps alone"):
        SimilarityMaps(build("part_guided"))


@pytest.mark.parametrize(
    ("count", "method", "message"),
    [(2, "gradcan", "Did you mean 'gradcam'"), (3, METHODS[0], r"received [3, 64, 64, 3]")],
)
def test_bad_input_is_refused(explained, canvases, count, method, message):
    with pytest.raises(ValueError, match=message.replace("[3, 64", r"\[3, 64")):
        explained.maps(np.resize(canvases, (count, 64, 64, 3)), ATTRIBUTE, method)
