"""Maps of what makes two photographs alike, against gradients and sums written out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from asen_tf.figures.overlay import attention_overlay
from asen_tf.figures.similarity import Pair, SimilarityMaps, similarity_grid

ATTRIBUTE = 2


@pytest.fixture(scope="module", params=["asen", "csn", "amnet"])
def model(network, request):
    return network(request.param)


@pytest.fixture(scope="module")
def explained(model):
    return SimilarityMaps(model, channels=5)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)


def explained_slice(model):
    """The slice of the embedding that is explained, ASEN's global one or the only one."""
    return next(iter(model.slices))


def seen_by_the_backbone(model, images):
    pixels = images.reshape(2, 32, 2, 32, 2, 3).astype(np.float32).mean((2, 4)) / 255
    return (pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]


def cosine_to_the_other(model, images, own):
    """(inputs [B, s, s, 3]) -> feature maps and cosines, with the other photograph fixed."""
    other = model.embed(images[1 - own][None], [ATTRIBUTE], [explained_slice(model)])[0]

    def run(inputs):
        features = model.feature_extractor.backbone(inputs)
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


def test_vectors_are_those_of_the_model(model, explained, images):
    expected = model.embed(images, [ATTRIBUTE] * 2, [explained_slice(model)])
    np.testing.assert_allclose(explained.vectors(images, ATTRIBUTE), expected, atol=1e-5)


def test_saliency_is_the_gradient_of_the_cosine_by_the_pixels(model, explained, images):
    found = explained.maps(images, ATTRIBUTE, "saliency")
    inputs = tf.constant(seen_by_the_backbone(model, images), tf.float32)
    for own in range(2):
        run, _ = cosine_to_the_other(model, images, own)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            cosine = run(inputs[own : own + 1])[1]
        expected = np.abs(tape.gradient(cosine, inputs)[own]).max(-1)
        assert expected.max() > 0
        np.testing.assert_allclose(found[own], expected, atol=1e-5 * expected.max())


def test_gradcam_weighs_feature_maps_by_their_mean_gradient(model, explained, images):
    found = explained.maps(images, ATTRIBUTE, "gradcam")
    inputs = tf.constant(seen_by_the_backbone(model, images), tf.float32)
    for own in range(2):
        run, of_features = cosine_to_the_other(model, images, own)
        features, _ = run(inputs[own : own + 1])
        with tf.GradientTape() as tape:
            tape.watch(features)
            cosine = of_features(features)
        weights = tape.gradient(cosine, features).numpy()[0].mean((0, 1))
        sums = (features.numpy()[0] * weights).sum(-1)
        np.testing.assert_allclose(found[own], np.maximum(sums, 0), atol=1e-4 * np.abs(sums).max())


def test_scorecam_weighs_feature_maps_by_what_they_leave_of_the_cosine(model, explained, images):
    found = explained.maps(images, ATTRIBUTE, "scorecam")
    inputs = seen_by_the_backbone(model, images)
    for own in range(2):
        run, _ = cosine_to_the_other(model, images, own)
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


def test_the_attribute_matters(network, images):
    explained = SimilarityMaps(network("asen"))
    first, second = (explained.maps(images, attribute, "saliency") for attribute in (0, 1))
    assert np.abs(first - second).max() > 0.01 * first.max()


def test_models_that_need_more_than_feature_maps_are_refused(network):
    with pytest.raises(ValueError, match="PartGuided has no embedding of feature maps alone"):
        SimilarityMaps(network("part_guided"))


@pytest.mark.parametrize(
    ("count", "method", "message"),
    [(2, "gradcan", "Did you mean 'gradcam'"), (3, "gradcam", r"received [3, 64, 64, 3]")],
)
def test_bad_input_is_refused(explained, images, count, method, message):
    with pytest.raises(ValueError, match=message.replace("[3, 64", r"\[3, 64")):
        explained.maps(np.resize(images, (count, 64, 64, 3)), ATTRIBUTE, method)


IMAGES = [np.full((40, 40, 3), level, np.uint8) for level in (90, 200)]
HEAT = np.eye(4, dtype=np.float32)


def pair():
    maps = {"first": [HEAT, HEAT[::-1]], "second": [HEAT[:, :2], HEAT]}
    return Pair("neck_line", IMAGES, maps, 0.937, ("v", None))


def test_each_photograph_is_followed_by_its_own_maps():
    axes = similarity_grid([pair()]).axes[0]
    expected = [
        picture
        for side in (0, 1)
        for picture in (
            IMAGES[side],
            attention_overlay(IMAGES[side], pair().maps["first"][side]),
            attention_overlay(IMAGES[side], pair().maps["second"][side]),
        )
    ]
    ordered = sorted(axes.images, key=lambda artist: artist.get_extent()[0])
    for artist, picture in zip(ordered, expected, strict=True):
        np.testing.assert_array_equal(artist.get_array(), picture)


def test_words_name_methods_attribute_values_and_cosine():
    words = [text.get_text() for text in similarity_grid([pair(), pair()]).axes[0].texts]
    assert words[:4] == ["first", "second"] * 2
    assert words[4:] == ["neck line", "v", "cosine 0.94"] * 2
