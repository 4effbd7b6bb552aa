import numpy as np
import pytest
import tensorflow as tf

from asen_tf.core import config as configs
from asen_tf.core.attributes import AttributeSpace
from asen_tf.models import registry

SPACE = AttributeSpace({"collar": ("v", "o"), "pattern": ("plain", "dots", "stripes")})
PARTS = ("global_branch", "local_branch")
EVERY_LOSS = ("global_triplet", "local_triplet", "alignment")


def small(**changes):
    config = configs.defaults()
    for branch in ("global_branch", "local_branch"):
        config.model[branch].update(configs.branch("resnet10", size=32, common_dim=8))
        config.model[branch].embedding_dim = 6
    config.model.attribute_dim = 8
    config.update_from_flattened_dict(changes)
    return config


@pytest.fixture(scope="module")
def model():
    return registry.build(small(), len(SPACE))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3)).astype(np.uint8)


def units(vectors):
    vectors = np.asarray(vectors)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def embeddings(model, images, attributes):
    """Unit vectors of each branch for pairs of an image and an attribute."""
    outputs = model.outputs_of(images, np.asarray(attributes)[:, None], PARTS)
    return {part: units(outputs[part])[:, 0] for part in PARTS}


def test_losses_of_triplets(model, images):
    objective = registry.objective(small(**{"train.margin": 0.9}), SPACE.offsets)
    batch = {
        "images": tf.constant(images.reshape(2, 3, 64, 64, 3)),
        "attributes": tf.constant([1, 0]),
    }
    losses = objective(model, batch, EVERY_LOSS, training=False)
    found = embeddings(model, images, [1, 1, 1, 0, 0, 0])
    for loss, part in zip(EVERY_LOSS, PARTS, strict=False):
        anchor, positive, negative = np.moveaxis(found[part].reshape(2, 3, -1), 1, 0)
        expected = 0.9 - (anchor * positive).sum(-1) + (anchor * negative).sum(-1)
        np.testing.assert_allclose(losses[loss], np.maximum(expected, 0), atol=1e-5)
    aligned = (1 - (found["global_branch"] * found["local_branch"]).sum(-1)).reshape(2, 3).sum(1)
    np.testing.assert_allclose(losses["alignment"], aligned, atol=1e-5)


def test_losses_of_labelled_images(model, images):
    """Hardest positive and negative of each anchor; an attribute without a triplet drops out."""
    objective = registry.objective(
        small(**{"train.margin": 0.9, "train.mining": "hard"}), SPACE.offsets
    )
    values = np.array([[0, 2], [0, 2], [1, 3], [1, -1], [0, -1], [-1, -1]])  # flat; -1: unknown
    labels = (values[..., None] == np.arange(5)).any(1)
    batch = {
        "images": tf.constant(images),
        "attributes": tf.constant([0, 1]),
        "labels": tf.constant(labels),
        "ids": tf.range(6, dtype=tf.int64),
    }
    losses = objective(model, batch, EVERY_LOSS, training=False)
    found = [embeddings(model, images, [a] * 6) for a in range(2)]
    for loss, part in zip(EVERY_LOSS, PARTS, strict=False):
        expected = []
        for anchor in range(6):
            hardest = []
            for attribute in range(2):
                own = values[:, attribute]
                cosines = found[attribute][part] @ found[attribute][part][anchor]
                positive = (own == own[anchor]) & (own >= 0) & (np.arange(6) != anchor)
                negative = (own != own[anchor]) & (own >= 0) & (own[anchor] >= 0)
                if positive.any() and negative.any():
                    violation = 0.9 - cosines[positive].min() + cosines[negative].max()
                    hardest.append(max(0, violation))
            expected.append(np.mean(hardest) if hardest else 0)
        assert expected[0] > 0 and expected[5] == 0
        np.testing.assert_allclose(losses[loss], expected, atol=1e-5)
    distances = [1 - (f["global_branch"] * f["local_branch"]).sum(-1) for f in found]
    np.testing.assert_allclose(losses["alignment"], 3 * np.mean(distances, axis=0), atol=1e-5)


@pytest.mark.parametrize(
    "names",
    [("global_triplet",), ("local_triplet",), ("alignment",), ("alignment", "local_triplet")],
)
def test_gives_the_losses_asked_for(model, images, names):
    objective = registry.objective(small(), SPACE.offsets)
    batch = {
        "images": tf.constant(images.reshape(2, 3, 64, 64, 3)),
        "attributes": tf.constant([1, 0]),
    }
    every = objective(model, batch, EVERY_LOSS, training=False)
    losses = objective(model, batch, names, training=False)
    assert set(losses) == set(names)
    for name in names:
        np.testing.assert_allclose(losses[name], every[name], atol=1e-6)


def test_unknown_loss(model):
    objective = registry.objective(small(), SPACE.offsets)
    with pytest.raises(ValueError, match="Did you mean 'alignment'"):
        objective(model, {}, ("alignement",))


def test_branches_of_different_widths_cannot_be_aligned():
    config = small(**{"model.local_branch.embedding_dim": 7})
    with pytest.raises(ValueError, match=r"got 6 \(global_branch\) and 7 \(local_branch\)"):
        registry.objective(config, SPACE.offsets)
