import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.losses import DISTANCES, AlignmentLoss, TripletLoss, triplet_loss


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


SIMILARITY = {
    "cosine": cosine,
    "euclidean": lambda a, b: -np.linalg.norm(a - b),
    "squared_euclidean": lambda a, b: -np.sum((a - b) ** 2),
}


@pytest.fixture
def vectors():
    return np.random.default_rng(0).normal(size=(3, 20, 4))


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("margin", [0.0, 0.2, 1.0])
def test_triplet_loss(vectors, margin, distance):
    similar = SIMILARITY[distance]
    expected = [
        max(0.0, margin - similar(a, p) + similar(a, n)) for a, p, n in zip(*vectors, strict=True)
    ]
    assert 0.0 in expected and max(expected) > 0
    np.testing.assert_allclose(triplet_loss(*vectors, margin, distance), expected, atol=1e-5)


def test_triplet_loss_by_hand():
    """cos(a, p) = 0.8, cos(a, n) = 0.7: 0.2 - 0.8 + 0.7 = 0.1, whatever the lengths."""
    anchor, positive = np.float32([[5, 0]]), np.float32([[8, 6]])
    negative = np.float32([[7, 51**0.5]])
    np.testing.assert_allclose(triplet_loss(anchor, positive, negative), [0.1], atol=1e-6)


def test_triplet_loss_on_distances_by_hand():
    """|a - p| = 5 and |a - n| = 5.1: 0.2 + 5 - 5.1 = 0.1, but 0.2 + 25 - 26.01 < 0."""
    anchor, positive, negative = np.float32([[[1, 1]], [[4, 5]], [[1, 6.1]]])
    loss = triplet_loss(anchor, positive, negative, distance="euclidean")
    np.testing.assert_allclose(loss, [0.1], atol=1e-6)
    loss = triplet_loss(anchor, positive, negative, distance="squared_euclidean")
    np.testing.assert_allclose(loss, [0.0])
    # With the roles of the two others swapped, 0.2 + 26.01 - 25 = 1.21.
    loss = triplet_loss(anchor, negative, positive, distance="squared_euclidean")
    np.testing.assert_allclose(loss, [1.21], atol=1e-5)


def test_unknown_distance(vectors):
    with pytest.raises(ValueError, match="Did you mean 'cosine'"):
        triplet_loss(*vectors, distance="cosines")


@pytest.mark.parametrize("distance", DISTANCES)
def test_a_zero_vector_gives_finite_gradients(distance):
    roles = [
        tf.Variable(tf.zeros((2, 3))),
        tf.Variable(tf.ones((2, 3))),
        tf.Variable(tf.ones((2, 3))),
    ]
    with tf.GradientTape() as tape:
        loss = triplet_loss(*roles, distance=distance)
    np.testing.assert_allclose(loss, [0.2, 0.2], atol=1e-6)
    assert all(np.isfinite(gradient).all() for gradient in tape.gradient(loss, roles))


@pytest.mark.parametrize("distance", DISTANCES)
def test_equal_vectors_give_finite_gradients(distance):
    roles = [tf.Variable(tf.ones((2, 3))) for _ in range(3)]
    with tf.GradientTape() as tape:
        loss = triplet_loss(*roles, distance=distance)
    assert all(np.isfinite(gradient).all() for gradient in tape.gradient(loss, roles))


def test_alignment_sums_over_the_roles_of_a_triplet(vectors):
    """A labelled image plays all three, so that it counts three times its mean."""
    one, other = vectors[:2, :12].reshape(2, 6, 2, 4)
    expected = np.array([[1 - cosine(one[n, m], other[n, m]) for m in (0, 1)] for n in range(6)])
    outputs = {"global": one, "local": other}
    of_triplets = AlignmentLoss().call({"roles": np.arange(6) % 3}, outputs)
    np.testing.assert_allclose(of_triplets, expected.mean(1).reshape(2, 3).sum(1), atol=1e-6)
    of_images = AlignmentLoss().call({"ids": np.arange(6)}, outputs)
    np.testing.assert_allclose(of_images, 3 * expected.mean(1), atol=1e-6)


def test_alignment_pulls_both_sides(vectors):
    sides = [tf.Variable(v[:6, None], dtype=tf.float32) for v in vectors[:2]]
    with tf.GradientTape() as tape:
        outputs = {"global": sides[0], "local": sides[1]}
        loss = AlignmentLoss()({"roles": np.arange(6) % 3}, outputs)
    assert all(np.abs(gradient).max() > 0 for gradient in tape.gradient(loss, sides))


def test_alignment_needs_two_outputs_of_one_length(vectors):
    with pytest.raises(ValueError, match="compares two outputs, got local"):
        AlignmentLoss("local")
    outputs = {"global": vectors[0][:3, None], "local": vectors[1][:3, None, :3]}
    with pytest.raises(ValueError, match=r"got 4 \(global\) and 3 \(local\)"):
        AlignmentLoss().call({"roles": np.arange(3)}, outputs)


LABELLED = {
    "attributes": np.zeros((6, 1), np.int32),
    "ids": np.arange(6),
    "labels": np.eye(2, dtype=bool)[[0, 0, 1, 1, 0, 1]],
}
TRIPLETS = {"attributes": np.zeros((6, 1), np.int32), "roles": np.arange(6, dtype=np.int32) % 3}


@pytest.mark.parametrize("mining", ["all", "semi_hard", "hard"])
def test_classes_are_labels_of_one_attribute(vectors, mining):
    loss = TripletLoss(mining=mining, margin=0.9)
    expected = loss.call(LABELLED, {"embedding": vectors[0][:6, None]})
    assert np.min(expected) > 0
    for classes in ([3, 3, 8, 8, 3, 8], [[3], [3], [8], [8], [3], [8]]):
        np.testing.assert_array_equal(loss.call(np.array(classes), vectors[0][:6]), expected)


def test_mining_and_batches_have_to_fit(vectors):
    embeddings = vectors[0][:6]
    mend = "choose mining 'all', 'semi_hard' or 'hard', or sampling 'triplet'"
    with pytest.raises(ValueError, match=f"^near has mining='none'.*labelled images: {mend}"):
        TripletLoss(name="near")(LABELLED, embeddings)
    mend = "choose mining 'none', or sampling 'multi_attribute'"
    with pytest.raises(ValueError, match=f"^near has mining='hard'.*holds triplets: {mend}"):
        TripletLoss(mining="hard", name="near")(TRIPLETS, embeddings)
    with pytest.raises(
        ValueError, match="near has mining='none'.*three rows a triplet: got 4 rows"
    ):
        TripletLoss(name="near")(np.zeros(4), embeddings[:4])


@pytest.mark.parametrize(("rows", "batch_size"), [(32, 9), (12, 8)])
def test_fit_that_cuts_a_triplet_says_so(rows, batch_size):
    given = keras.Input((6,))
    model = keras.Model(given, keras.layers.Dense(4)(given))
    model.compile("adam", TripletLoss(), jit_compile=False)  # XLA leaves assertions out
    data = np.zeros((rows, 6), np.float32), np.zeros(rows)
    with pytest.raises(tf.errors.InvalidArgumentError, match="three rows a triplet: make batch"):
        model.fit(*data, batch_size=batch_size, shuffle=False, verbose=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"distance": "cosines"}, "Did you mean 'cosine'"),
        ({"mining": "semihard"}, "Did you mean 'semi_hard'"),
        ({"margin": -0.1}, "margin must be a number from 0, got -0.1"),
        ({"margin": float("nan")}, "got nan"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        TripletLoss(**settings)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("mining", ["none", "semi_hard"])
def test_in_a_keras_model_of_any_kind(tmp_path, distance, mining):
    """Trains a linear map to tell two directions apart, saves and loads with its loss."""
    random = np.random.default_rng(0)
    side = np.tile([1, 1, -1], 64) * np.repeat(random.choice([-1, 1], 64), 3)
    noise = random.normal(size=(192, 5))
    inputs = np.concatenate([side[:, None], noise], axis=1).astype(np.float32)
    # With mining, classes as they come; without, rows are anchor, positive, negative in turn.
    targets = (side > 0).astype(np.int32) if mining != "none" else np.zeros(192)
    keras.utils.set_random_seed(0)
    given = keras.Input((6,))
    model = keras.Model(given, keras.layers.Dense(4)(given))
    loss = TripletLoss(margin=0.3, distance=distance, mining=mining)
    model.compile(keras.optimizers.Adam(0.05), loss)
    data = tf.data.Dataset.from_tensor_slices((inputs, targets)).batch(48)
    losses = model.fit(data, epochs=10, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < 0.3 * losses[0]

    embeddings = model.predict(inputs, verbose=0)
    if mining == "none":
        expected = np.mean(triplet_loss(*(embeddings[n::3] for n in range(3)), 0.3, distance))
    else:
        batches = zip(embeddings.reshape(4, 48, 4), targets.reshape(4, 48), strict=True)
        expected = np.mean([loss(classes, batch) for batch, classes in batches])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(data, verbose=0) == pytest.approx(expected, abs=1e-5)
