"""The losses of ASEN's two stages, against plain NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf import losses, models
from asen_tf.core import AttributeSpace
from asen_tf.core import config as configs
from tests.batches import labelled, losses_of, triplets
from tests.networks import shrink

SPACE = AttributeSpace({"collar": ("v", "o"), "pattern": ("plain", "dots", "stripes")})
BRANCHES = ("global", "local")


def build(**local_branch):
    config = configs.defaults().model
    shrink(config, backbone="resnet10", embedding_dim=6)
    config.local_branch.update(local_branch)
    keras.utils.set_random_seed(0)
    return models.build(config, SPACE)


def of_stage_2(mining):
    """With a margin that every triplet violates."""
    terms = configs.defaults().stage2.losses.to_dict()
    for name in ("global_triplet", "local_triplet"):
        terms[name] |= {"margin": 0.9, "mining": mining}
    return losses.build(terms, SPACE.offsets)[0]


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3)).astype(np.uint8)


def embeddings(model, images, attributes):
    """Unit vectors of each branch for pairs of an image and an attribute."""
    return {name: model.embed(images, attributes, (name,)).numpy() for name in BRANCHES}


def test_triplets(model, images):
    found = losses_of(model, of_stage_2("none"), triplets(images, [1, 0]))
    vectors = embeddings(model, images, [1, 1, 1, 0, 0, 0])
    for branch in BRANCHES:
        anchor, positive, negative = np.moveaxis(vectors[branch].reshape(2, 3, -1), 1, 0)
        expected = 0.9 - (anchor * positive).sum(-1) + (anchor * negative).sum(-1)
        np.testing.assert_allclose(found[f"{branch}_triplet"], np.maximum(expected, 0), atol=1e-5)
    aligned = (1 - (vectors["global"] * vectors["local"]).sum(-1)).reshape(2, 3).sum(1)
    np.testing.assert_allclose(found["alignment"], aligned, atol=1e-5)


def test_labelled_images(model, images):
    """Hardest positive and negative of each anchor; an attribute without a triplet drops out."""
    values = np.array([[0, 2], [0, 2], [1, 3], [1, -1], [0, -1], [-1, -1]])  # flat; -1: unknown
    labels = (values[..., None] == np.arange(5)).any(1)
    found = losses_of(model, of_stage_2("hard"), labelled(images, [0, 1], labels))
    vectors = [embeddings(model, images, [a] * 6) for a in range(2)]
    for branch in BRANCHES:
        expected = []
        for anchor in range(6):
            hardest = []
            for attribute in range(2):
                own = values[:, attribute]
                cosines = vectors[attribute][branch] @ vectors[attribute][branch][anchor]
                positive = (own == own[anchor]) & (own >= 0) & (np.arange(6) != anchor)
                negative = (own != own[anchor]) & (own >= 0) & (own[anchor] >= 0)
                if positive.any() and negative.any():
                    violation = 0.9 - cosines[positive].min() + cosines[negative].max()
                    hardest.append(max(0, violation))
            expected.append(np.mean(hardest) if hardest else 0)
        assert expected[0] > 0 and expected[5] == 0
        np.testing.assert_allclose(found[f"{branch}_triplet"], expected, atol=1e-5)
    distances = [1 - (v["global"] * v["local"]).sum(-1) for v in vectors]
    np.testing.assert_allclose(found["alignment"], 3 * np.mean(distances, axis=0), atol=1e-5)


@pytest.mark.parametrize("name", ["global_triplet", "local_triplet", "alignment"])
def test_a_loss_alone(model, images, name):
    batch = triplets(images, [1, 0])
    together = losses_of(model, of_stage_2("none"), batch)
    alone = losses_of(model, {name: of_stage_2("none")[name]}, batch)
    np.testing.assert_allclose(alone[name], together[name], atol=1e-6)


def test_the_alignment_reaches_both_branches(images):
    model = build()
    model.compile(optimizer=None, loss=losses.AlignmentLoss())
    x, y = triplets(images, [1, 0])
    variables = model.trainable_variables
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True))
    gradients = tape.gradient(loss, [v.value for v in variables])
    largest = [np.abs(tf.convert_to_tensor(gradient)).max() for gradient in gradients]
    assert np.isfinite(largest).all()
    for branch in BRANCHES:
        of_branch = [f"{branch}_branch/" in variable.path for variable in variables]
        assert sum(of_branch) > 10
        assert np.mean(np.array(largest)[of_branch] > 0) > 0.9, branch


def test_branches_of_different_widths_cannot_be_aligned(images):
    model = build(embedding_dim=7)
    model.compile(optimizer=None, loss=losses.AlignmentLoss())
    with pytest.raises(ValueError, match=r"got 6 \(global\) and 7 \(local\)"):
        x, y = triplets(images, [1, 0])
        model.compute_loss(x, y, model(x))


def test_bad_compilation(model, images):
    with pytest.raises(ValueError, match="loss 'near' must be an asen_tf.losses.Loss.*got str"):
        model.compile(loss={"near": "mse"})
    with pytest.raises(ValueError, match="Did you mean 'alignment'"):
        model.compile(loss=losses.AlignmentLoss(), loss_weights={"alignement": 2.0})
    model.compile(optimizer=None)
    with pytest.raises(ValueError, match=r"give compile\(loss=...\) at least one"):
        model.compute_loss(*triplets(images, [1, 0]), None)
