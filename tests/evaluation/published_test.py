import keras
import numpy as np
import pytest
from PIL import Image

from asen_tf.evaluation.published import (
    PublishedInputs,
    global_input,
    is_published,
    local_input,
)
from asen_tf.models import ASEN
from asen_tf.models.recognition import ValueClassifiers

BRANCH = {"backbone": "resnet6", "size": 32, "common_dim": 8, "embedding_dim": 8}


def photograph(width, height, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3))
    return Image.fromarray(pixels.astype(np.uint8))


def model(**settings):
    keras.utils.set_random_seed(1)
    return ASEN(3, BRANCH, BRANCH, attribute_dim=8, **settings)


@pytest.mark.parametrize(
    ("width", "height", "left", "top"), [(8, 8, 0, 0), (8, 14, 0, 3), (17, 8, 4, 0)]
)
def test_the_square_in_the_centre(width, height, left, top):
    """Sizes that need no resizing; half a pixel is rounded to even, as torchvision does."""
    whole = photograph(width, height)
    np.testing.assert_array_equal(
        global_input(whole, 8), np.asarray(whole)[top : top + 8, left : left + 8]
    )


def test_the_shorter_side_decides():
    """Halving averages, so that a black and a white half stay black and white."""
    pixels = np.zeros((16, 64, 3), np.uint8)
    pixels[:, 32:] = 255
    found = global_input(Image.fromarray(pixels), 8)
    np.testing.assert_array_equal(found[:, :3], 0)
    np.testing.assert_array_equal(found[:, 5:], 255)


def test_a_region_is_cut_from_the_original():
    whole = photograph(40, 50)
    found = local_input(whole, (3, 5, 11, 13), 8)
    np.testing.assert_array_equal(found, np.asarray(whole)[5:13, 3:11])


def test_what_passes_the_border_is_black():
    found = local_input(Image.new("RGB", (8, 8), "white"), (1, 0, 9, 8), 8)
    np.testing.assert_array_equal(found[:, -1], 0)
    np.testing.assert_array_equal(found[:, :-1], 255)


def test_embeddings_of_a_photograph_that_is_the_input():
    """Nothing is resized, so that an image of the same pixels gives the same."""
    network = model(image_scale=1, localization="whole")
    photographs = [photograph(32, 32, seed) for seed in (0, 1)]
    images = np.stack([np.asarray(image) for image in photographs])
    attributes = np.array([[0, 2], [1, 0]], np.int32)
    whole = np.repeat(images[:, None], 2, axis=1)
    inputs = {"images": images, "attributes": attributes}
    outputs = network.compute_outputs(inputs, ("global", "local"), crop=lambda _: whole)
    for name in ("global", "local"):
        found = PublishedInputs(network, [name]).embed(photographs, attributes)
        expected = outputs[name].numpy()
        expected /= np.linalg.norm(expected, axis=-1, keepdims=True)
        np.testing.assert_allclose(found, expected, atol=1e-5)
    # Values are said of what the local branch sees of the photograph, too.
    offsets, kernel = np.array([0, 2, 3, 5]), np.random.default_rng(0).normal(size=(8, 5))
    network.value_classifiers = ValueClassifiers(offsets, np.array([1]), kernel, np.zeros(5))
    found = PublishedInputs(network).predict(photographs, np.array([2, 0]))
    expected = network.value_probabilities(images, [2, 0], crop=lambda _: whole)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.shape == (2, 2, 2)


def test_an_image_of_repeated_pixels_averages_to_the_input():
    attributes = np.array([[1]], np.int32)
    found = [
        PublishedInputs(model(image_scale=scale), ["global"]).embed(
            [photograph(50, 70)], attributes
        )
        for scale in (1, 3)
    ]
    np.testing.assert_allclose(*found, atol=1e-5)


def test_other_models_and_names():
    with pytest.raises(ValueError, match="is for ASEN, the model is Sequential"):
        PublishedInputs(keras.Sequential())
    assert is_published("published") and not is_published("default")
    with pytest.raises(ValueError, match=r"unknown eval\.preprocessing 'publish'.*'published'"):
        is_published("publish")
    with pytest.raises(ValueError, match=r"published crops as .*, data\.fit is 'pad'"):
        is_published("published", "pad")
