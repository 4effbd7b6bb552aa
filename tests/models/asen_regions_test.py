"""Where ASEN looks: attention, regions and boxes, with and without its two attentions."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.layers import (
    PeakLocalization,
    RegionCrop,
    SquareLocalization,
    WeaklySupervisedLocalization,
)
from asen_tf.models import ASEN

SIZE = 64
CONFIG = {
    "attributes": 3,
    "global_branch": {"backbone": "resnet10", "size": SIZE, "common_dim": 8, "embedding_dim": 6},
    "local_branch": {"backbone": "resnet10", "size": 32, "common_dim": 8, "embedding_dim": 6},
    "attribute_dim": 16,
    "threshold": 0.9,
}
ABLATIONS = {
    "both attentions": {},
    "without ASA": {"spatial_attention": False},
    "without ACA": {"channel_attention": False},
    "neither": {"spatial_attention": False, "channel_attention": False},
    "whole image": {"localization": "whole"},
    "largest component": {"localization": "largest"},
    "with room": {"localization": "square"},
    "around the peak": {"localization": "peak", "peak_side": 0.4},
}
IDS = np.array([[0, 2], [1, 1], [2, 0], [0, 1]])


@pytest.fixture(scope="module", params=ABLATIONS.values(), ids=ABLATIONS)
def model(request):
    keras.utils.set_random_seed(0)
    return ASEN(**CONFIG, **request.param)


@pytest.fixture(scope="module")
def images():
    """Noise with a bright square, so that attention has something to prefer."""
    random = np.random.default_rng(0)
    images = random.integers(0, 100, (4, 2 * SIZE, 2 * SIZE, 3)).astype(np.uint8)
    for image, corner in zip(images, (0, 30, 60, 90), strict=True):
        image[corner : corner + 30, 90 - corner : 120 - corner] = 255
    return images


def outputs_of(model, images, names=(), ids=IDS):
    return model.compute_outputs({"images": images, "attributes": ids}, names)


def expected_regions(model, attention):
    if model.localization == "peak":
        return PeakLocalization(SIZE, 0.4)(attention).numpy()
    if model.localization == "whole" or not model.get_config()["spatial_attention"]:
        return np.broadcast_to([0, 0, 1, 1], (4, 2, 4))
    if model.localization == "square":
        return SquareLocalization(0.9)(attention).numpy()
    keep = "largest" if model.localization == "largest" else "all"
    return WeaklySupervisedLocalization(SIZE, 0.9, keep)(attention).numpy()


def test_boxes_are_the_regions(model, images):
    attention, boxes = model.explain(images, IDS)
    assert attention.shape == (4, 2, 4, 4) and boxes.shape == (4, 2, 4)
    assert attention.dtype == tf.float32 and boxes.dtype == tf.float32
    np.testing.assert_array_equal(boxes, expected_regions(model, attention))
    boxes = boxes.numpy()
    assert (boxes >= 0).all() and (boxes <= 1).all()


@pytest.mark.parametrize("localization", ["attention", "largest", "square", "peak"])
def test_regions_are_not_all_alike(images, localization):
    """Else the tests of boxes would see nothing but whole images."""
    keras.utils.set_random_seed(0)
    outputs = outputs_of(ASEN(**CONFIG, localization=localization), images)
    assert len(np.unique(outputs["region"].numpy().reshape(-1, 4), axis=0)) >= 4


def test_one_attribute_an_image(model, images):
    attention, boxes = model.explain(images, IDS)
    for m in range(2):
        one_attention, one_boxes = model.explain(images, IDS[:, m])
        np.testing.assert_allclose(one_attention, attention[:, m], atol=1e-6)
        np.testing.assert_array_equal(one_boxes, boxes[:, m])


def test_attention_sums_to_one(model, images):
    attention, _ = model.explain(images, IDS)
    np.testing.assert_allclose(np.sum(attention, (-1, -2)), np.ones((4, 2)), atol=1e-5)
    if not model.get_config()["spatial_attention"]:
        np.testing.assert_allclose(attention, np.full((4, 2, 4, 4), 1 / 16), atol=1e-7)


def test_the_local_branch_sees_the_region(model, images):
    """Its embedding is that of the crop, an image at a time."""
    outputs = outputs_of(model, images, ("local",))
    crops = RegionCrop(32)(images, outputs["region"])
    vectors = model.attribute_embedding(IDS)
    for m in range(2):
        embedding, _, _ = model.local_branch(crops[:, m], vectors[:, m])
        np.testing.assert_allclose(outputs["local"][:, m], embedding, atol=1e-4)


def test_embeddings_of_every_ablation(model, images):
    several = model.embed(images, IDS).numpy()
    assert np.isfinite(several).all()
    np.testing.assert_allclose(model.embed(images, IDS[:, 1]), several[:, 1], atol=1e-5)


def test_saved_and_loaded(model, images, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.embed(images, IDS), model.embed(images, IDS), atol=1e-6)
    for result, expected in zip(
        loaded.explain(images, IDS), model.explain(images, IDS), strict=True
    ):
        np.testing.assert_allclose(result, expected, atol=1e-6)


def test_without_either_attention_the_global_embedding_ignores_the_attribute(images):
    model = ASEN(**CONFIG, **ABLATIONS["neither"])
    every = model.embed_all(images).numpy()
    np.testing.assert_allclose(every, np.broadcast_to(every[:, :1], every.shape), atol=1e-6)


@pytest.mark.parametrize("localization", ["whole", "attention"])
def test_a_region_that_attributes_share_is_embedded_once(localization, images, monkeypatch):
    """And gives what a pass of its own gives: here whole images, and regions that differ."""
    keras.utils.set_random_seed(0)
    model = ASEN(**CONFIG, localization=localization)
    ids = np.array([[0, 1, 2], [2, 2, 1], [0, 2, 0], [1, 0, 0]])
    seen, features = [], model.local_branch.features
    monkeypatch.setattr(
        model.local_branch,
        "features",
        lambda crops, training=False: seen.append(len(crops)) or features(crops, training),
    )
    outputs = outputs_of(model, images, ("local",), ids)
    regions = outputs["region"].numpy()
    assert seen == [sum(len(np.unique(of_one, axis=0)) for of_one in regions)]
    assert seen[0] == 4 if localization == "whole" else 4 < seen[0] < ids.size
    for row, column in np.ndindex(ids.shape):
        pair = images[row : row + 1], ("local",), ids[row : row + 1, column : column + 1]
        alone = outputs_of(model, *pair)
        np.testing.assert_allclose(outputs["local"][row, column], alone["local"][0, 0], atol=1e-5)
