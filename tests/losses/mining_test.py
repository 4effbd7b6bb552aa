import numpy as np
import pytest
import tensorflow as tf

from asen_client.core.attributes import AttributeSpace
from asen_tf.losses import DISTANCES, mined_triplet_loss, pair_masks

SPACE = AttributeSpace(
    {"collar": ("v", "o", "u"), "pattern": ("plain", "dots"), "fit": ("slim", "wide")}
)
MINING = ("all", "semi_hard", "hard")


def random_batch(seed, images=9, multi_valued=True):
    """Labels, some missing and some with two values, of images of which one is there twice."""
    random = np.random.default_rng(seed)
    labels = np.zeros((images, SPACE.offsets[-1]), bool)
    for image in range(images):
        for attribute, count in enumerate(SPACE.value_counts):
            values = random.permutation(count)[: random.integers(0, 3 if multi_valued else 2)]
            labels[image, SPACE.offsets[attribute] + values] = True
    labels[1] = labels[0]
    ids = np.arange(100, 100 + images)
    ids[1] = ids[0]
    return labels, ids


def values_of(labels, image, attribute):
    values = range(SPACE.offsets[attribute], SPACE.offsets[attribute + 1])
    return {value for value in values if labels[image, value]}


def positives_and_negatives(labels, ids, attribute, anchor):
    own = values_of(labels, anchor, attribute)
    theirs = {image: values_of(labels, image, attribute) for image in range(len(labels))}
    positives = [i for i, v in theirs.items() if own & v and ids[i] != ids[anchor]]
    negatives = [i for i, v in theirs.items() if own and v and not own & v]
    return positives, negatives


def similarities(embeddings, anchor, distance):
    """Of one anchor to every image: float [B, D] -> [B]."""
    if distance != "cosine":
        lengths = np.linalg.norm(embeddings - embeddings[anchor], axis=-1)
        return -lengths if distance == "euclidean" else -(lengths**2)
    unit = embeddings / np.linalg.norm(embeddings, axis=-1, keepdims=True)
    return unit @ unit[anchor]


def brute_force(embeddings, labels, ids, attributes, margin, mining, distance):
    """The loss of each anchor and attribute, a triplet at a time; None where there is none."""
    losses = np.full(embeddings.shape[:2], None)
    for anchor, m in np.ndindex(losses.shape):
        positives, negatives = positives_and_negatives(labels, ids, attributes[m], anchor)
        if not positives or not negatives:
            continue
        to = similarities(embeddings[:, m], anchor, distance)
        losses[anchor, m] = {"all": all_, "semi_hard": semi_hard, "hard": hard}[mining](
            [to[p] for p in positives], [to[n] for n in negatives], margin
        )
    return losses


def all_(positives, negatives, margin):
    violating = [margin - p + n for p in positives for n in negatives if margin - p + n > 0]
    return sum(violating) / len(violating) if violating else 0.0


def semi_hard(positives, negatives, margin):
    losses = []
    for p in positives:
        farther = [n for n in negatives if n < p]
        losses.append(max(0.0, margin - p + (max(farther) if farther else min(negatives))))
    return sum(losses) / len(losses)


def hard(positives, negatives, margin):
    return max(0.0, margin - min(positives) + max(negatives))


@pytest.mark.parametrize("multi_valued", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_pairs(seed, multi_valued):
    labels, ids = random_batch(seed, multi_valued=multi_valued)
    attributes = [2, 0, 1]
    positive, negative = pair_masks(labels, tf.constant(attributes), SPACE.offsets, ids)
    for m, attribute in enumerate(attributes):
        for anchor in range(len(labels)):
            positives, negatives = positives_and_negatives(labels, ids, attribute, anchor)
            assert np.flatnonzero(positive[m, anchor]).tolist() == positives
            assert np.flatnonzero(negative[m, anchor]).tolist() == negatives


def test_pairs_by_hand():
    labels = np.zeros((5, 7), bool)
    labels[0, [0, 1]] = True  # v and o
    labels[1, 1] = True  # o
    labels[2, 2] = True  # u
    labels[3, 3] = True  # dots, nothing known of the collar
    labels[4, [0, 1]] = True  # the first photograph again
    positive, negative = pair_masks(
        labels, tf.constant([0]), SPACE.offsets, np.array([7, 1, 2, 3, 7])
    )
    assert np.argwhere(positive[0]).tolist() == [[0, 1], [1, 0], [1, 4], [4, 1]]
    assert np.argwhere(negative[0]).tolist() == [[0, 2], [1, 2], [2, 0], [2, 1], [2, 4], [4, 2]]


def test_without_ids_every_row_is_an_image_of_its_own():
    labels = np.zeros((2, 7), bool)
    labels[:, 0] = True
    positive, _ = pair_masks(labels, tf.constant([0]), SPACE.offsets)
    assert positive[0].numpy().tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("margin", [0.2, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_equals_a_loop_over_triplets(seed, margin, mining, distance):
    labels, ids = random_batch(seed)
    attributes = [0, 2]
    embeddings = np.random.default_rng(seed).normal(size=(len(labels), 2, 3)).astype(np.float32)
    masks = pair_masks(labels, tf.constant(attributes), SPACE.offsets, ids)
    loss, valid = mined_triplet_loss(embeddings, *masks, margin, mining, distance)
    expected = brute_force(embeddings, labels, ids, attributes, margin, mining, distance)
    has_triplet = expected != None  # noqa: E711
    assert has_triplet.any()
    np.testing.assert_array_equal(valid, has_triplet)
    np.testing.assert_allclose(loss, np.where(has_triplet, expected, 0.0).astype(float), atol=1e-5)


def gradient_of(embeddings, labels, mining, distance="cosine"):
    embeddings = tf.Variable(embeddings)
    masks = pair_masks(labels, tf.constant([0, 1]), SPACE.offsets)
    with tf.GradientTape() as tape:
        loss, valid = mined_triplet_loss(embeddings, *masks, mining=mining, distance=distance)
    return loss.numpy(), valid.numpy(), tape.gradient(loss, embeddings).numpy()


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", MINING)
def test_the_gradient_is_the_slope_of_a_loop_over_triplets(mining, distance):
    labels, ids = random_batch(3, images=5)
    embeddings = np.random.default_rng(3).normal(size=(5, 1, 3))
    variable = tf.Variable(embeddings, dtype=tf.float32)
    with tf.GradientTape() as tape:
        masks = pair_masks(labels, tf.constant([0]), SPACE.offsets, ids)
        loss = tf.reduce_sum(mined_triplet_loss(variable, *masks, 1.0, mining, distance)[0])
    slopes = np.zeros_like(embeddings)
    for place in np.ndindex(embeddings.shape):
        for step in (1e-5, -1e-5):
            moved = embeddings.copy()
            moved[place] += step
            losses = brute_force(moved, labels, ids, [0], 1.0, mining, distance)
            slopes[place] += np.sum(losses[losses != None]) / (2 * step)  # noqa: E711
    assert np.abs(slopes).max() > 0.1
    np.testing.assert_allclose(tape.gradient(loss, variable), slopes, atol=1e-4)


@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("case", ["nothing is labelled", "one value", "all values differ"])
def test_a_batch_without_triplets(case, mining):
    labels = np.zeros((3, 7), bool)
    if case == "one value":
        labels[:, [0, 3]] = True
    if case == "all values differ":
        labels[range(3), range(3)] = True
    embeddings = np.random.default_rng(0).normal(size=(3, 2, 4)).astype(np.float32)
    loss, valid, gradient = gradient_of(embeddings, labels, mining)
    assert not valid.any()
    np.testing.assert_array_equal(loss, np.zeros((3, 2)))
    np.testing.assert_array_equal(gradient, np.zeros((3, 2, 4)))


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", MINING)
@pytest.mark.parametrize("embeddings", ["random", "equal", "zero"])
def test_gradients_are_finite(embeddings, mining, distance):
    """With anchors that have both, one or neither of positives and negatives."""
    labels = np.zeros((5, 7), bool)
    labels[[0, 1], 0] = labels[2, 1] = labels[[2, 3], 3] = True
    values = {
        "random": np.random.default_rng(0).normal(size=(5, 2, 4)),
        "equal": np.ones((5, 2, 4)),
        "zero": np.zeros((5, 2, 4)),
    }[embeddings].astype(np.float32)
    loss, valid, gradient = gradient_of(values, labels, mining, distance)
    assert valid[:2, 0].all() and not valid[2:].any()
    assert np.isfinite(loss).all() and np.isfinite(gradient).all()
    if embeddings == "random":
        assert np.abs(gradient[:3, 0]).max() > 0
        np.testing.assert_array_equal(gradient[3:], 0)


def test_unknown_mining():
    masks = pair_masks(np.ones((2, 7), bool), tf.constant([0]), SPACE.offsets)
    with pytest.raises(ValueError, match="Did you mean 'semi_hard'"):
        mined_triplet_loss(np.ones((2, 1, 3), np.float32), *masks, mining="semihard")


def test_unknown_distance():
    masks = pair_masks(np.ones((2, 7), bool), tf.constant([0]), SPACE.offsets)
    with pytest.raises(ValueError, match="Did you mean 'euclidean'"):
        mined_triplet_loss(np.ones((2, 1, 3), np.float32), *masks, distance="euclidian")
