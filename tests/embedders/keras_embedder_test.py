"""The embedder of a Keras model; conformance_test.py has what all embedders share."""

import numpy as np
import pytest
from PIL import Image

import asen_tf
from asen_tf.core import AttributeSpace
from asen_tf.core import config as configs
from asen_tf.images.graph import read_square, to_square
from asen_tf.keras_embedder import KerasEmbedder
from asen_tf.models import ASEN
from asen_tf.workdir import Workdir

SPACE = AttributeSpace({"color": ["red", "green", "blue"], "side": ["left", "right"]})


@pytest.fixture(scope="module")
def embedder():
    branch = {"backbone": "resnet10", "size": 32, "common_dim": 8, "embedding_dim": 12}
    return KerasEmbedder(ASEN(2, branch, dict(branch), attribute_dim=8), SPACE, batch_size=4)


@pytest.fixture(scope="module")
def paths(catalogue):
    return sorted((catalogue / "images").glob("*.png"))[:6]


def test_vectors_are_unit_and_one_pass_gives_all_attributes(embedder, paths):
    every = embedder.embed_all(paths)
    assert every.shape == (6, 2, 24) and every.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(every, axis=-1), 1, rtol=1e-5)
    for n, name in enumerate(embedder.attributes):
        np.testing.assert_allclose(embedder.embed(paths, name), every[:, n], atol=1e-5)


def test_it_sees_what_the_model_sees_in_training(embedder, paths):
    load_images = np.stack([read_square(str(path), 64) for path in paths])
    expected = embedder.model.embed_all(load_images)
    np.testing.assert_allclose(embedder.embed_all(paths), expected, atol=1e-5)


def test_any_number_in_any_form(embedder, paths):
    expected = embedder.embed(paths[:3], "side")
    mixed = [paths[0].read_bytes(), Image.open(paths[1]), np.asarray(Image.open(paths[2]))]
    np.testing.assert_allclose(embedder.embed(iter(mixed), "side"), expected, atol=1e-6)
    assert embedder.embed(str(paths[0]), "side").shape == (1, 24)
    assert embedder.embed([], "side").shape == (0, 24)
    assert embedder.embed_all([]).shape == (0, 2, 24)
    assert embedder.explain([], "side")[0].shape == (0, 2, 2)


def test_explain_gives_boxes_inside_photographs_of_any_size(embedder):
    sizes = [(50, 90), (120, 70), (64, 64), (200, 33), (70, 71)]
    noise = np.random.default_rng(0)
    images = [noise.integers(0, 256, (*size, 3), np.uint8) for size in sizes]
    attention, boxes = embedder.explain(images, "side")
    assert attention.shape == (5, 2, 2) and boxes.shape == (5, 4)
    np.testing.assert_allclose(attention.sum((1, 2)), 1, rtol=1e-5)
    for (height, width), (left, top, right, bottom) in zip(sizes, boxes, strict=True):
        short = min(height, width)
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        # The box lies in the centred square.
        assert left >= (width - short) // 2 and right <= (width - short) // 2 + short
        assert top >= (height - short) // 2 and bottom <= (height - short) // 2 + short


def test_with_pad_boxes_come_back_in_the_whole_photograph(embedder):
    """The image is what `to_square` makes; boxes are its regions, moved and cut off."""
    model = embedder.model
    padded = KerasEmbedder(model, embedder.attributes, fit="pad")
    noise = np.random.default_rng(0)
    for height, width in [(50, 90), (200, 33)]:
        image = noise.integers(0, 256, (height, width, 3), np.uint8)
        square = to_square(image, model.image_size, "pad")[None]
        np.testing.assert_allclose(
            padded.embed([image], "side"), model.embed(square, [1], embedder.slices), atol=1e-5
        )
        _, [box] = padded.explain([image], "side")
        [[left, top, right, bottom]] = model.explain(square, [1])[1].numpy() * max(height, width)
        across, down = max(0, height - width) // 2, max(0, width - height) // 2
        expected = [left - across, top - down, right - across, bottom - down]
        np.testing.assert_allclose(box, np.clip(expected, 0, [width, height] * 2), atol=0.51)


def test_bad_input_is_named(embedder, paths):
    with pytest.raises(ValueError, match="photograph 1 .*nothing.jpg"):
        embedder.embed([paths[0], "nothing.jpg"], "color")
    with pytest.raises(ValueError, match="the model has 2 attributes, the space 1"):
        KerasEmbedder(embedder.model, AttributeSpace({"color": ["red"]}))


def test_load_uses_the_best_model_and_its_trained_slices(embedder, tmp_path, paths):
    run = Workdir(tmp_path)
    run.begin(configs.defaults(), SPACE)
    run.save_best(embedder.model, "stage1")
    run.write_best({"stage": "stage1", "step": 3, "map": 0.5, "slices": ["global"]})
    loaded = asen_tf.load(tmp_path)
    assert list(loaded.attributes) == ["color", "side"]
    found, expected = loaded.embed(paths, "side"), embedder.embed(paths, "side")[:, :12]
    assert found.shape == (6, 12)
    np.testing.assert_allclose(
        found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5
    )


def test_load_says_what_is_missing(embedder, tmp_path):
    Workdir(tmp_path).begin(configs.defaults(), SPACE)
    with pytest.raises(FileNotFoundError, match=r"best.json: expected the --workdir"):
        asen_tf.load(tmp_path)
