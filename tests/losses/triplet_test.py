import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.losses import SIMILARITIES, TripletLoss, alignment_loss, triplet_loss


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.fixture
def vectors():
    return np.random.default_rng(0).normal(size=(3, 20, 4))


@pytest.mark.parametrize("margin", [0.0, 0.2, 1.0])
def test_triplet_loss(vectors, margin):
    expected = [
        max(0.0, margin - cosine(a, p) + cosine(a, n)) for a, p, n in zip(*vectors, strict=True)
    ]
    assert 0.0 in expected and max(expected) > 0
    np.testing.assert_allclose(triplet_loss(*vectors, margin), expected, atol=1e-6)


def test_triplet_loss_by_hand():
    """cos(a, p) = 0.8, cos(a, n) = 0.7: 0.2 - 0.8 + 0.7 = 0.1, whatever the lengths."""
    anchor, positive = np.float32([[5, 0]]), np.float32([[8, 6]])
    negative = np.float32([[7, 51**0.5]])
    np.testing.assert_allclose(triplet_loss(anchor, positive, negative), [0.1], atol=1e-6)


def test_triplet_loss_on_distances_by_hand():
    """|a - p| = 5 and |a - n| = 5.1: 0.2 + 5 - 5.1 = 0.1."""
    anchor, positive, negative = np.float32([[[1, 1]], [[4, 5]], [[1, 6.1]]])
    loss = triplet_loss(anchor, positive, negative, similarity="euclidean")
    np.testing.assert_allclose(loss, [0.1], atol=1e-6)


@pytest.mark.parametrize("margin", [0.0, 0.2, 1.0])
def test_triplet_loss_on_distances(vectors, margin):
    expected = [
        max(0.0, margin + np.linalg.norm(a - p) - np.linalg.norm(a - n))
        for a, p, n in zip(*vectors, strict=True)
    ]
    assert 0.0 in expected and max(expected) > 0
    found = triplet_loss(*vectors, margin, "euclidean")
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_unknown_similarity(vectors):
    with pytest.raises(ValueError, match="Did you mean 'cosine'"):
        triplet_loss(*vectors, similarity="cosines")


def test_alignment_loss(vectors):
    expected = [1 - cosine(g, f) for g, f in zip(vectors[0], vectors[1], strict=True)]
    np.testing.assert_allclose(alignment_loss(vectors[0], vectors[1]), expected, atol=1e-6)


def test_alignment_pulls_both_sides(vectors):
    sides = [tf.Variable(v, dtype=tf.float32) for v in vectors[:2]]
    with tf.GradientTape() as tape:
        loss = alignment_loss(*sides)
    assert all(np.abs(gradient).max() > 0 for gradient in tape.gradient(loss, sides))


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_a_zero_vector_gives_finite_gradients(similarity):
    roles = [
        tf.Variable(tf.zeros((2, 3))),
        tf.Variable(tf.ones((2, 3))),
        tf.Variable(tf.ones((2, 3))),
    ]
    with tf.GradientTape() as tape:
        loss = triplet_loss(*roles, similarity=similarity)
    np.testing.assert_allclose(loss, [0.2, 0.2], atol=1e-6)
    assert all(np.isfinite(gradient).all() for gradient in tape.gradient(loss, roles))


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_equal_vectors_give_finite_gradients(similarity):
    roles = [tf.Variable(tf.ones((2, 3))) for _ in range(3)]
    with tf.GradientTape() as tape:
        loss = triplet_loss(*roles, similarity=similarity)
    assert all(np.isfinite(gradient).all() for gradient in tape.gradient(loss, roles))


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_in_model_fit(tmp_path, similarity):
    """Trains a linear map to tell two directions apart, saves and loads with its loss."""
    random = np.random.default_rng(0)
    side = random.choice([-1.0, 1.0], (64, 1, 1))
    roles = np.concatenate([side, side, -side], axis=1)
    noise = random.normal(size=(64, 3, 5))
    inputs = np.concatenate([roles, noise], axis=-1).astype(np.float32)
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3, 6)), keras.layers.Dense(4)])
    model.compile(keras.optimizers.Adam(0.05), TripletLoss(margin=0.3, similarity=similarity))
    unused = np.zeros(len(inputs))
    losses = model.fit(inputs, unused, batch_size=16, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < 0.3 * losses[0]

    expected = triplet_loss(*np.moveaxis(model.predict(inputs, verbose=0), 1, 0), 0.3, similarity)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(inputs, unused, verbose=0) == pytest.approx(np.mean(expected), abs=1e-5)
