import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.core import config as configs
from asen_tf.models import CSN, registry

BRANCH = {"backbone": "resnet6", "size": 32, "embedding_dim": 7}
OFFSETS = (0, 2, 4, 7)
IDS = np.array([[0, 2], [1, 1]])
EVERY_LOSS = ("global_triplet", "embedding_norm", "mask_norm")
KINDS = [
    (masks, similarity)
    for masks in ("learned", "disjoint")
    for similarity in ("cosine", "euclidean")
]


def build(masks="learned", similarity="cosine"):
    keras.utils.set_random_seed(0)
    return CSN(3, BRANCH, masks=masks, similarity=similarity)


def settings(model, **changes):
    config = configs.defaults()
    config.model.name = "csn"
    config.model.csn.similarity = model.similarity
    config.update_from_flattened_dict(changes)
    return config


@pytest.fixture(scope="module", params=KINDS, ids=" ".join)
def model(request):
    return build(*request.param)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3)).astype(np.uint8)


def masks_of(model):
    if model.get_config()["masks"] == "learned":
        return np.maximum(model.mask.get_weights()[0], 0)
    masks = np.zeros((3, 7))
    masks[0, :2] = masks[1, 2:4] = masks[2, 4:6] = 1
    return masks


def shared_embedding(model, images):
    """[B, D], before any mask."""
    seen = images.reshape(len(images), 32, 2, 32, 2, 3).astype(np.float32).mean((2, 4))
    kernel, bias = model.projection.get_weights()
    return np.asarray(model.trunk(seen)).mean((1, 2)) @ kernel + bias


def similarity(model, a, b):
    if model.similarity == "euclidean":
        return -np.linalg.norm(a - b)
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_the_shared_embedding_times_the_mask(model, images):
    outputs = model.outputs_of(images[:2], IDS)
    shared = shared_embedding(model, images[:2])
    expected = shared[:, None] * masks_of(model)[IDS]
    np.testing.assert_allclose(outputs["global_branch"], expected, atol=1e-5)


def test_what_trains(model):
    names = {variable.path.split("/")[-2] for variable in model.parts()["global_branch"]}
    assert ("attribute_mask" in " ".join(names)) == (model.get_config()["masks"] == "learned")


def test_distances_become_unit_vectors_by_hand():
    """(3, 4) and (0, 0) at radius 12: (3, 4, 12) / 13 and (0, 0, 1)."""
    model = CSN(1, {**BRANCH, "embedding_dim": 2}, similarity="euclidean", radius=12.0)
    found = model.unit_vectors(tf.constant([[[3.0, 4.0]], [[0.0, 0.0]]]))
    np.testing.assert_allclose(found, [[[3 / 13, 4 / 13, 12 / 13]], [[0, 0, 1]]], atol=1e-6)


def test_dot_products_rank_as_distances_do():
    """For vectors up to a tenth of the radius, where distances differ by a hundredth.

    Distances below 0.05 differ by less than float32 tells apart near to a dot product of 1.
    """
    random = np.random.default_rng(0)
    vectors = random.normal(size=(200, 7))
    vectors *= random.uniform(0, 1, (200, 1)) / np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = build(similarity="euclidean").unit_vectors(tf.constant(vectors, tf.float32)).numpy()
    distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)
    dots = unit @ unit.T
    nearer = distances[:, :, None] < 0.99 * np.where(distances < 0.05, 0, distances)[:, None, :]
    assert nearer.mean() > 0.4
    assert (dots[:, :, None] > dots[:, None, :])[nearer].all()


def test_cosines_would_rank_otherwise():
    """Same direction, far away, against another direction, near."""
    vectors = tf.constant([[1.0, 0.0], [3.0, 0.0], [1.0, 0.5]])
    branch = {**BRANCH, "embedding_dim": 2}
    order = {}
    for kind in ("cosine", "euclidean"):
        unit = CSN(1, branch, similarity=kind).unit_vectors(vectors).numpy()
        order[kind] = np.argsort(-(unit @ unit[0]))[1:].tolist()
    assert order == {"cosine": [1, 2], "euclidean": [2, 1]}


def test_losses_of_triplets(model, images):
    objective = registry.objective(settings(model, **{"train.margin": 0.9}), OFFSETS)
    triplets = tf.constant(images.reshape(2, 3, 64, 64, 3))
    batch = {"images": triplets, "attributes": tf.constant([2, 0])}
    losses = objective(model, batch, EVERY_LOSS, training=False)
    losses = {name: loss.numpy() for name, loss in losses.items()}
    shared, masks = shared_embedding(model, images).reshape(2, 3, 7), masks_of(model)[[2, 0]]
    for n in range(2):
        a, p, negative = shared[n] * masks[n]
        expected = max(0, 0.9 - similarity(model, a, p) + similarity(model, a, negative))
        assert losses["global_triplet"][n] == pytest.approx(expected, abs=1e-5)
        lengths = [(vector**2).sum() for vector in shared[n]]
        assert losses["embedding_norm"][n] == pytest.approx(np.mean(lengths), rel=1e-4)
        assert losses["mask_norm"][n] == pytest.approx(np.abs(masks[n]).sum(), rel=1e-5)


def test_losses_of_labelled_images(model, images):
    """Every value is there twice, so that each image has one positive and four negatives."""
    changes = {"train.margin": 0.9, "train.mining": "hard"}
    objective = registry.objective(settings(model, **changes), OFFSETS)
    values = np.array([4, 4, 5, 5, 6, 6])
    batch = {
        "images": tf.constant(images),
        "attributes": tf.constant([0, 2]),
        "labels": tf.constant(values[:, None] == np.arange(7)),
        "ids": tf.range(6, dtype=tf.int64),
    }
    losses = objective(model, batch, EVERY_LOSS, training=False)
    losses = {name: loss.numpy() for name, loss in losses.items()}
    shared, masks = shared_embedding(model, images), masks_of(model)[[0, 2]]
    masked = shared * masks[1]  # nobody has a value of attribute 0
    for n in range(6):
        to = [similarity(model, masked[n], other) for other in masked]
        nearest_negative = max(s for s, v in zip(to, values, strict=True) if v != values[n])
        expected = max(0, 0.9 - to[n ^ 1] + nearest_negative)
        assert losses["global_triplet"][n] == pytest.approx(expected, abs=1e-4)
        assert losses["embedding_norm"][n] == pytest.approx((shared[n] ** 2).sum(), rel=1e-4)
        assert losses["mask_norm"][n] == pytest.approx(masks.sum(1).mean(), rel=1e-5)


def test_gradients_reach_the_mask_of_the_attribute(images):
    model = build(similarity="euclidean")
    objective = registry.objective(settings(model, **{"train.margin": 5.0}), OFFSETS)
    batch = {"images": tf.constant(images[:3][None]), "attributes": tf.constant([1])}
    with tf.GradientTape() as tape:
        losses = objective(model, batch, EVERY_LOSS)
        total = tf.add_n([tf.reduce_sum(loss) for loss in losses.values()])
    gradient = np.asarray(tf.convert_to_tensor(tape.gradient(total, model.mask.weight.value)))
    positive = model.mask.get_weights()[0] > 0
    assert (gradient[1][positive[1]] != 0).all()
    assert (gradient[[0, 2]] == 0).all() and (gradient[1][~positive[1]] == 0).all()


def test_saved_and_loaded(model, images, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.embed(images[:2], IDS), model.embed(images[:2], IDS))
    config = json.loads(json.dumps(model.get_config()))
    assert CSN.from_config(config).get_config() == model.get_config()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"similarity": "euclidian"}, "Did you mean 'euclidean'"),
        ({"masks": "fixed"}, "unknown kind of masks 'fixed'. Known: learned, disjoint"),
        ({"radius": 0.0}, "radius must be above 0, got 0.0"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        CSN(3, BRANCH, **settings)
